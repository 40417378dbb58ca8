// Every kind of notification leads to a page of the portal where its person can act.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NOTIFICATION_KINDS, type NotificationKind } from "../../src/notifications/kinds.ts";
import { portalPathOf } from "../../src/notifications/links.ts";
import { findPortalPaths } from "../resource-steps.ts";

const ALERT = "0190f6f2-5a7b-7c3d-8e9f-0a1b2c3d4e5f";
const CONSENT = "0190f6f2-5a7b-7c3d-8e9f-0a1b2c3d4e60";
const PATIENT = "0190f6f2-5a7b-7c3d-8e9f-0a1b2c3d4e61";
const KINDS = Object.keys(NOTIFICATION_KINDS) as NotificationKind[];

const PAGE_OF: Record<NotificationKind, string> = {
  "alert.raised": "/alarms/$alertId",
  "alert.escalated": "/alarms/$alertId",
  "alert.repeated": "/alarms/$alertId",
  "account.new_browser": "/account",
  "account.password_changed": "/account",
  "account.email_changed": "/account",
  "account.channel_added": "/account",
  "account.factor_added": "/account/security",
  "account.factor_removed": "/account/security",
  "account.factors_reset": "/account/security",
  "account.recovery_code_used": "/account",
  "account.recovery_codes_replaced": "/account",
  "account.second_step_required": "/account/security",
  "consent.requested": "/me/consents/$consentId",
  "consent.answered": "/patients/$patientId/other-hospitals",
  "webhook.disabled": "/admin/webhooks",
  "privacy.review_opened": "/privacy/$reviewId",
  "privacy.question_answered": "/me/access",
  "notification.test": "/account/notifications",
};

const files = globSync("portal/src/{router.tsx,routes/*.ts}");
const portalPaths = findPortalPaths(new Map(files.map((file) => [file, readFileSync(file, "utf8")])));

/** The page of the router that a path opens; undefined if there is none. */
function findPage(path: string): string | undefined {
  const parts = path.split("/");
  return portalPaths.find((page) => {
    const expected = page.split("/");
    return expected.length === parts.length && expected.every((part, i) => part.startsWith("$") || part === parts[i]);
  });
}

describe("the link of a notification", () => {
  it.each(KINDS)("of the kind %s opens an existing page", (kind) => {
    const path = portalPathOf(kind, {
      ...{ alert_id: ALERT, review_id: ALERT, consent_id: CONSENT, patient_id: PATIENT },
      channel: "push",
    });
    expect(findPage(path)).toBe(PAGE_OF[kind]);
    expect(path).toBe(
      PAGE_OF[kind].replace(/\$(alert|review)Id/, ALERT).replace("$consentId", CONSENT).replace("$patientId", PATIENT),
    );
  });

  it("opens the list of alarms without the id of the alert", () => {
    expect(findPage(portalPathOf("alert.raised", {}))).toBe("/alarms");
  });

  it("opens the portal for a kind of a later version", () => {
    expect(portalPathOf("report.signed", {})).toBe("/");
    expect(portalPathOf("account.renamed", {})).toBe("/account");
  });

  it("encodes an id", () => {
    expect(portalPathOf("alert.raised", { alert_id: "../admin?x" })).toBe("/alarms/..%2Fadmin%3Fx");
  });

  it("opens pages that the router has", () => {
    expect(portalPaths.length).toBeGreaterThan(35);
    expect(findPage("/admin/bananas")).toBeUndefined();
  });
});
