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
  "notification.test": "/account/notifications",
};

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
  return PAGES[kind] ?? (kind.startsWith("account.") ? "/account" : "/");
}
