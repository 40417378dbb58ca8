// Where in the portal a notification leads to: for mail, text messages, push, and the panel of the bell. Imports nothing: the portal
// bundles it too.

/** Pages where the person can do what the sentence of the kind asks for. */
const PAGES: Readonly<Record<string, string>> = {
  "account.factor_added": "/account/security",
  "account.factor_removed": "/account/security",
  "account.factors_reset": "/account/security",
  "account.second_step_required": "/account/security",
  "webhook.disabled": "/admin/webhooks",
  "privacy.question_answered": "/me/access",
  "emergency.access": "/me/access",
  "emergency.many": "/emergency",
  "report.to_sign": "/worklist",
  "record.merged": "/me",
  "record.unmerged": "/me",
  "notification.test": "/account/notifications",
};

/** Kinds with a page per thing: of staff, and of the person where both get the kind. In braces the id of `refs`. */
const PAGES_OF_ONE: Readonly<Record<string, { staff: string; person?: string }>> = {
  "appointment.requested": { staff: "/appointments/{appointment_id}" },
  "appointment.booked": { staff: "/appointments/{appointment_id}", person: "/me/appointments/{appointment_id}" },
  "appointment.changed": { staff: "/appointments/{appointment_id}", person: "/me/appointments/{appointment_id}" },
  "appointment.cancelled": { staff: "/appointments/{appointment_id}", person: "/me/appointments/{appointment_id}" },
  "appointment.reminder": { staff: "/appointments/{appointment_id}", person: "/me/appointments/{appointment_id}" },
  "waiting_list.offer": { staff: "/appointments/{appointment_id}", person: "/me/appointments/{appointment_id}" },
  "report.signed": { staff: "/reports/{report_id}", person: "/me/reports/{report_id}" },
  "report.amended": { staff: "/reports/{report_id}", person: "/me/reports/{report_id}" },
  "export.ready": { staff: "/patients/{patient_id}/export", person: "/me/export" },
  "export.failed": { staff: "/patients/{patient_id}/export", person: "/me/export" },
  "intake.submitted": { staff: "/intake-review/{submission_id}" },
};

/** The path with ids; undefined if one is missing. A notice to staff of a kind that persons get too has `recipient: "staff"` in `refs`. */
function findPageOfOne(kind: string, refs: Readonly<Record<string, string | number>>): string | undefined {
  const pages = PAGES_OF_ONE[kind];
  const path = refs["recipient"] === "staff" ? pages?.staff : (pages?.person ?? pages?.staff);
  const names = [...(path?.matchAll(/\{(\w+)\}/g) ?? [])].map(([, name = ""]) => name);
  if (names.some((name) => typeof refs[name] !== "string")) return undefined;
  return path?.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(refs[name])));
}

/** @param refs ids of the notification  @returns a path of the portal, which begins with a slash; `/` for a kind of a later version */
export function portalPathOf(kind: string, refs: Readonly<Record<string, string | number>>): string {
  const alertId = refs["alert_id"];
  const reviewId = refs["review_id"];
  if (kind === "privacy.review_opened" && typeof reviewId === "string") return `/privacy/${encodeURIComponent(reviewId)}`;
  if (kind.startsWith("alert.")) return typeof alertId === "string" ? `/alarms/${encodeURIComponent(alertId)}` : "/alarms";
  const requestId = refs["document_request_id"];
  if (kind.startsWith("document_request.") && typeof requestId === "string")
    return `/document-requests/${encodeURIComponent(requestId)}`;
  const consentId = refs["consent_id"];
  if (/^(consent|guardian)\./.test(kind) && typeof consentId === "string") return `/consents/${encodeURIComponent(consentId)}`;
  if (/^guardian(ship)?\./.test(kind) || typeof refs["guardianship_id"] === "string") return "/me/guardians";
  return findPageOfOne(kind, refs) ?? PAGES[kind] ?? (kind.startsWith("account.") ? "/account" : "/");
}
