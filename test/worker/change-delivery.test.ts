// Delivery of changes to objects: every route that changes something is covered by it or listed as one that objects do not act on.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import alertRulesSource from "../../src/monitoring/alerts/alert-rules.ts?raw";
import monitoringSource from "../../src/monitoring/alerts/monitoring.ts?raw";
import { deliverAfterResponse } from "../../src/monitoring/patient-object/context/change-delivery.ts";

/** Routes that write no table with a trigger of migrations/0004_changes.sql or later, or only values on which no object acts. */
const NOTHING_TO_DELIVER = new Set([
  // Messages and their channels.
  "DELETE /api/v1/notification-settings/phone",
  "DELETE /api/v1/push/subscriptions/:push_subscription_id",
  "DELETE /api/v1/webhooks/:webhook_id",
  "PATCH /api/v1/notification-settings",
  "PATCH /api/v1/webhooks/:webhook_id",
  "POST /api/v1/notification-settings/phone/verify",
  "POST /api/v1/notification-settings/test",
  "POST /api/v1/notifications/:notification_id/read",
  "POST /api/v1/notifications/deliveries/:delivery_id/resend",
  "POST /api/v1/notifications/read-all",
  "POST /api/v1/push/subscriptions",
  "POST /api/v1/sms/status",
  "POST /api/v1/webhooks",
  "POST /api/v1/webhooks/:webhook_id/deliveries/:message_id/resend",
  "POST /api/v1/webhooks/:webhook_id/enable",
  "POST /api/v1/webhooks/:webhook_id/rotate-secret",
  "POST /api/v1/webhooks/:webhook_id/test",
  "PUT /api/v1/notification-preferences",
  "PUT /api/v1/notification-settings/phone",
  "POST /api/v1/practitioners",
  "PATCH /api/v1/practitioners/:practitioner_id",
  "DELETE /api/v1/practitioners/:practitioner_id",
  "POST /api/v1/live/tickets",
  "POST /api/v1/reports",
  "POST /api/v1/reports/batch",
  "POST /api/v1/reports/direct",
  "POST /api/v1/reports/direct/:upload_id/confirm",
  "POST /api/v1/ecg/reports/upload",
  "POST /api/v1/reports/raw",
  "POST /api/v1/uploads/:upload_id/assign",
  "POST /api/v1/uploads/:upload_id/discard",
  "POST /api/v1/privacy-questions",
  "PUT /api/v1/patients/:patient_id/notice-delay",
  "DELETE /api/v1/patients/:patient_id/notice-delay",
  "POST /api/v1/privacy-reviews/:review_id/close",
  // What a consent opens is checked at each read.
  "POST /api/v1/consents",
  "POST /api/v1/consents/:consent_id/grant",
  "POST /api/v1/consents/:consent_id/deny",
  "POST /api/v1/consents/:consent_id/revoke",
  "POST /api/v1/consents/share",
  "POST /api/v1/consents/offers",
  "DELETE /api/v1/consents/offers/:offer_id",
  "POST /api/v1/consents/redeem",
  "POST /api/v1/guardian-codes",
  "POST /api/v1/locations",
  "PATCH /api/v1/locations/:location_id",
  "PUT /api/v1/practitioners/:practitioner_id/availability",
  "POST /api/v1/practitioners/:practitioner_id/availability/exceptions",
  "DELETE /api/v1/practitioners/:practitioner_id/availability/exceptions/:exception_id",
  "POST /api/v1/intake-links",
  "DELETE /api/v1/intake-links/:intake_link_id",
  "POST /api/v1/intake/open",
  "POST /api/v1/intake/submit",
  "POST /api/v1/guardianships/:guardianship_id/confirm",
  "POST /api/v1/guardianships/:guardianship_id/end",
  "POST /api/v1/documents",
  "POST /api/v1/documents/:document_id/link",
  "POST /api/v1/documents/:document_id/versions",
  "DELETE /api/v1/documents/:document_id",
  "POST /api/v1/document-requests",
  ...["approve", "cancel", "fulfil", "reject"].map((step) => `POST /api/v1/document-requests/:document_request_id/${step}`),
  "POST /api/v1/patients/:patient_id/export",
  "PATCH /api/v1/reports/:report_id",
  "POST /api/v1/reports/:report_id/move",
  // Ingest creates a row of monitoring_settings with default values, which are in effect without it.
  "POST /api/v1/observations",
  "POST /api/v1/wearables/sync",
  // These call the patient's object themselves.
  "PATCH /api/v1/observations/:observation_id",
  "POST /api/v1/observations/quarantine/file",
  "POST /api/v1/observations/quarantine/discard",
  "POST /api/v1/alerts/:alert_id/acknowledge",
  "POST /api/v1/alerts/:alert_id/assign",
  "POST /api/v1/alerts/:alert_id/comment",
  "POST /api/v1/alerts/:alert_id/snooze",
  "POST /api/v1/alerts/:alert_id/resolve",
]);

const covered = app.routes.filter(({ handler }) => handler === deliverAfterResponse).map(({ path }) => path.replace(/\*$/, ""));

/** Routes that change something and are neither covered nor listed. */
function undecidedRoutes(prefixes: readonly string[]): string[] {
  const changing = app.routes.filter(({ method }) => ["POST", "PUT", "PATCH", "DELETE"].includes(method));
  return [...new Set(changing.map(({ method, path }) => `${method} ${path}`))].filter((route) => {
    const path = `${route.split(" ")[1]}/`;
    return !NOTHING_TO_DELIVER.has(route) && !prefixes.some((prefix) => path.startsWith(prefix));
  });
}

describe("the delivery of changes to objects", () => {
  it("covers every route that changes what objects act on", () => {
    expect(
      undecidedRoutes(covered),
      "Add the route to MONITOR_CHANGE_PATHS (src/app.ts), or to NOTHING_TO_DELIVER if no object acts on what it saves",
    ).toEqual([]);
  });

  it("would be missed on the routes that save alert rules and monitoring settings", () => {
    const undecided = undecidedRoutes(covered.filter((path) => !/\/(patients|wards)\/$/.test(path)));
    expect(undecided).toContain("PUT /api/v1/patients/:patient_id/alert-rules/:code");
    expect(undecided).toContain("DELETE /api/v1/wards/:ward_id/alert-rules/:code");
    expect(undecided).toContain("PATCH /api/v1/patients/:patient_id/monitoring");
  });

  it.each([
    ["alert_rules", alertRulesSource],
    ["monitoring_settings", monitoringSource],
  ])("has the triggers on %s that the code which saves it names", async (table, source) => {
    const query = env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name LIKE 'changed_%'",
    );
    const { results } = await query.bind(table).all<{ name: string }>();
    expect(results.length).toBeGreaterThan(1);
    for (const { name } of results) expect(source).toContain(name);
  });
});
