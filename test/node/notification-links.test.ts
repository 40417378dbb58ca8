// Every kind of notification leads to a page of the portal where its person can act.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NOTIFICATION_KINDS, type NotificationKind } from "../../src/notifications/kinds.ts";
import { portalPathOf } from "../../src/notifications/links.ts";
import { findPortalPaths } from "../resource-steps.ts";

const ID = "0190f6f2-5a7b-7c3d-8e9f-0a1b2c3d4e5f";
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
  "consent.requested": "/consents/$consentId",
  "consent.answered": "/consents/$consentId",
  "consent.shared": "/consents/$consentId",
  "consent.code_used": "/consents/$consentId",
  "consent.ended": "/consents/$consentId",
  "document_request.received": "/document-requests/$requestId",
  "document_request.answered": "/document-requests/$requestId",
  "document_request.fulfilled": "/document-requests/$requestId",
  "document_request.ended": "/document-requests/$requestId",
  "guardian.recorded": "/me/guardians",
  "guardian.confirmed": "/me/guardians",
  "guardian.ended": "/me/guardians",
  "guardian.decided": "/consents/$consentId",
  "guardianship.began": "/me/guardians",
  "guardianship.ended": "/me/guardians",
  "emergency.access": "/me/access",
  "emergency.many": "/emergency",
  "webhook.disabled": "/admin/webhooks",
  "privacy.review_opened": "/privacy/$reviewId",
  "privacy.question_answered": "/me/access",
  "appointment.requested": "/appointments/$appointmentId",
  "appointment.booked": "/me/appointments/$appointmentId",
  "appointment.changed": "/me/appointments/$appointmentId",
  "appointment.cancelled": "/me/appointments/$appointmentId",
  "appointment.reminder": "/me/appointments/$appointmentId",
  "waiting_list.offer": "/me/appointments/$appointmentId",
  "report.signed": "/me/reports/$reportId",
  "report.amended": "/me/reports/$reportId",
  "report.to_sign": "/worklist",
  "export.ready": "/me/export",
  "export.failed": "/me/export",
  "intake.submitted": "/intake-review/$submissionId",
  "record.merged": "/me",
  "record.unmerged": "/me",
  "notification.test": "/account/notifications",
};

/** Pages that the portal does not have yet; nothing sends their kinds before. The list may only get shorter. */
const PAGES_TO_COME = ["/worklist"];

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
    const records = { patient_id: ID, appointment_id: ID, report_id: ID, submission_id: ID };
    const refs = { alert_id: ID, review_id: ID, consent_id: ID, document_request_id: ID, ...records };
    const { consent_id: _, ...withoutConsent } = refs;
    const path = portalPathOf(kind, { ...(PAGE_OF[kind] === "/me/guardians" ? withoutConsent : refs), channel: "push" });
    expect(findPage(path)).toBe(PAGES_TO_COME.includes(PAGE_OF[kind]) ? undefined : PAGE_OF[kind]);
    expect(path).toBe(PAGE_OF[kind].replace(/\$\w+Id/, ID));
  });

  it("opens the list of alarms without the id of the alert", () => {
    expect(findPage(portalPathOf("alert.raised", {}))).toBe("/alarms");
  });

  it.each([
    ["appointment.booked", "/appointments/1"],
    ["export.ready", "/patients/2/export"],
    ["report.signed", "/reports/3"],
  ])("of the kind %s opens the page of staff for staff", (kind, path) => {
    const refs = { appointment_id: "1", patient_id: "2", report_id: "3" };
    expect(portalPathOf(kind, { ...refs, recipient: "staff" })).toBe(path);
    expect(portalPathOf(kind, refs)).toMatch(/^\/me\//);
    expect(portalPathOf(kind, { recipient: "staff" })).toBe("/");
  });

  it("opens the portal for a kind of a later version", () => {
    expect(portalPathOf("report.printed", {})).toBe("/");
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
