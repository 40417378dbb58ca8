// The oracle of the authorization matrix: who may call which route, written independently of src/.

export type Role = "patient" | "nurse" | "doctor" | "hospital_admin" | "admin";
/** Three hospitals: A and B let doctors see their care teams, W lets them see the whole hospital. */
export type HospitalKey = "A" | "B" | "W";
/** Three patients: two of A, one of whom has a doctor, an account and a device; one of W. */
export const TARGETS = { treated: "A", untreated: "A", elsewhere: "W" } as const satisfies Record<string, HospitalKey>;
export type Target = keyof typeof TARGETS;

export type TestPrincipal = {
  name: string;
  kind: "anonymous" | "user" | "device" | "app";
  role?: Role;
  place?: HospitalKey;
  /** The hospital shows its doctors every patient. */
  wide?: true;
  /** Why a formerly valid token is no longer valid. */
  ended?: "deactivated" | "left" | "revoked";
  linked?: readonly Target[];
  team?: readonly Target[];
  /** The person has granted the principal's hospital everything, until a time to come. */
  consented?: readonly Target[];
  bound?: Target;
  /** Of an app or a device; all when absent. */
  scopes?: readonly string[];
};

export const PRINCIPALS: readonly TestPrincipal[] = [
  { name: "anonymous", kind: "anonymous" },
  { name: "patient self", kind: "user", role: "patient", linked: ["treated"] },
  { name: "patient other", kind: "user", role: "patient", linked: ["elsewhere"] },
  { name: "doctor treating", kind: "user", role: "doctor", place: "A", team: ["treated"] },
  { name: "doctor not treating", kind: "user", role: "doctor", place: "A" },
  { name: "doctor of an open hospital", kind: "user", role: "doctor", place: "W", wide: true },
  { name: "doctor elsewhere", kind: "user", role: "doctor", place: "B" },
  { name: "nurse", kind: "user", role: "nurse", place: "A" },
  { name: "nurse by consent", kind: "user", role: "nurse", place: "B", consented: ["treated"] },
  { name: "nurse elsewhere", kind: "user", role: "nurse", place: "W" },
  { name: "hospital admin", kind: "user", role: "hospital_admin", place: "A" },
  { name: "hospital admin elsewhere", kind: "user", role: "hospital_admin", place: "W" },
  { name: "platform admin", kind: "user", role: "admin" },
  { name: "device bound", kind: "device", place: "A", bound: "treated" },
  { name: "app", kind: "app", place: "A" },
  { name: "app of patients", kind: "app", place: "A", scopes: ["patient:read"] },
  { name: "app of observations", kind: "app", place: "A", scopes: ["observation:read"] },
  { name: "app of alerts", kind: "app", place: "A", scopes: ["alert:read"] },
  { name: "app of reports", kind: "app", place: "A", scopes: ["report:read"] },
  { name: "app of live data without alerts", kind: "app", place: "A", scopes: ["patient:read", "observation:read"] },
  { name: "app elsewhere", kind: "app", place: "W" },
  { name: "app revoked", kind: "app", place: "A", ended: "revoked" },
  { name: "device of reports", kind: "device", place: "A", scopes: ["report:create"] },
  { name: "device of samples", kind: "device", place: "A", bound: "treated", scopes: ["observation:create"] },
  { name: "device unbound", kind: "device", place: "A" },
  { name: "device revoked", kind: "device", place: "A", bound: "treated", ended: "revoked" },
  { name: "doctor deactivated", kind: "user", role: "doctor", place: "A", team: ["treated"], ended: "deactivated" },
  { name: "doctor who left", kind: "user", role: "doctor", place: "A", team: ["treated"], ended: "left" },
];

/** The subject of a route decides which relation counts. */
type About =
  | "public"
  | "own"
  | "patient"
  | "edit"
  | "report"
  | "upload"
  | "batch"
  | "samples"
  | "stream"
  | "hospital"
  | "staff"
  | "profile"
  | "device"
  | "session";
export type RouteRule = {
  about: About;
  who: readonly Role[];
  /** Audit events of an allowed call: two where each of two patients gets one, and where a change outside of D1 begins and ends. */
  traced: 0 | 1 | 2;
  /** The scopes that an app needs; without them no app may call it. */
  scopes?: readonly string[];
  /** A consent of the person opens it to staff of another hospital. */
  byConsent?: true;
};

const EVERYONE: readonly Role[] = ["patient", "nurse", "doctor", "hospital_admin", "admin"];
const STAFF: readonly Role[] = ["nurse", "doctor", "hospital_admin", "admin"];
const MEMBERS: readonly Role[] = ["nurse", "doctor", "hospital_admin"];
const EDITORS: readonly Role[] = ["nurse", "hospital_admin", "admin"];
const MANAGERS: readonly Role[] = ["hospital_admin", "admin"];
const ADMIN: readonly Role[] = ["admin"];
const PERSON: readonly Role[] = ["patient"];
const PUBLIC: RouteRule = { about: "public", who: [], traced: 0 };
const rule = (about: About, who: readonly Role[], traced: RouteRule["traced"] = 1): RouteRule => ({ about, who, traced });
const shared = (about: About, who: readonly Role[], ...scopes: string[]): RouteRule => ({ ...rule(about, who), scopes });

const consentable = (of: RouteRule): RouteRule => ({ ...of, byConsent: true });

/** Every route of the Worker. A route that is missing here, or no longer exists, fails the test. */
export const ROUTES: Record<string, RouteRule> = {
  "GET /": PUBLIC,
  "GET /.well-known/jwks.json": PUBLIC,
  "GET /assets/*": PUBLIC,
  "GET /portal/*": PUBLIC,
  "GET /docs": PUBLIC,
  "GET /redoc": PUBLIC,
  "GET /openapi.json": PUBLIC,
  "GET /health": PUBLIC,
  "GET /health/ready": PUBLIC,
  "GET /metrics": PUBLIC,
  "POST /api/token": PUBLIC,
  "POST /api/v1/auth/login": PUBLIC,
  "POST /api/v1/auth/login/second-step": PUBLIC,
  "POST /api/v1/auth/passkey/options": PUBLIC,
  "POST /api/v1/auth/passkey/login": PUBLIC,
  "GET /api/v1/auth/mfa": rule("own", EVERYONE, 0),
  "POST /api/v1/auth/mfa/totp/enroll": rule("own", EVERYONE),
  "POST /api/v1/auth/mfa/totp/confirm": rule("own", EVERYONE),
  "DELETE /api/v1/auth/mfa/totp": rule("own", EVERYONE),
  "POST /api/v1/auth/mfa/recovery-codes": rule("own", EVERYONE),
  "POST /api/v1/auth/step-up/options": rule("own", EVERYONE, 0),
  "POST /api/v1/auth/step-up": rule("own", EVERYONE),
  "POST /api/v1/auth/passkeys/options": rule("own", EVERYONE, 0),
  "POST /api/v1/auth/passkeys": rule("own", EVERYONE),
  "GET /api/v1/auth/passkeys": rule("own", EVERYONE, 0),
  "PATCH /api/v1/auth/passkeys/:passkey_id": rule("session", EVERYONE),
  "DELETE /api/v1/auth/passkeys/:passkey_id": rule("session", EVERYONE),
  "GET /api/v1/hospitals/:hospital_id/factor-policy": rule("staff", MANAGERS, 0),
  "PUT /api/v1/hospitals/:hospital_id/factor-policy": rule("staff", MANAGERS),
  "POST /api/v1/users/:user_id/factors/reset": rule("staff", MANAGERS),
  "POST /api/v1/auth/refresh": PUBLIC,
  "POST /api/v1/auth/bootstrap": PUBLIC,
  "POST /api/v1/auth/register": PUBLIC,
  "POST /api/v1/auth/register/patient": PUBLIC,
  "POST /api/v1/auth/invitations/accept": PUBLIC,
  "POST /api/v1/auth/password/forgot": PUBLIC,
  "POST /api/v1/auth/password/reset": PUBLIC,
  "POST /api/v1/auth/email/verify": PUBLIC,
  "POST /api/v1/sms/status": PUBLIC,
  "GET /api/v1/notification-settings/phone": rule("own", EVERYONE, 0),
  "PUT /api/v1/notification-settings/phone": rule("own", EVERYONE),
  "POST /api/v1/notification-settings/phone/verify": rule("own", EVERYONE),
  "DELETE /api/v1/notification-settings/phone": rule("own", EVERYONE),
  "GET /api/v1/auth/me": rule("own", EVERYONE, 0),
  "PATCH /api/v1/auth/me": rule("own", EVERYONE),
  // Before the password is another one.
  "POST /api/v1/auth/email/change": rule("own", EVERYONE),
  "POST /api/v1/auth/password/change": rule("own", EVERYONE),
  "POST /api/v1/auth/email/verification": rule("own", EVERYONE),
  "POST /api/v1/auth/switch-hospital": rule("own", EVERYONE),
  "POST /api/v1/auth/invitations/join": rule("own", EVERYONE),
  "GET /api/v1/auth/sessions": rule("own", EVERYONE, 0),
  "POST /api/v1/auth/logout": rule("own", EVERYONE),
  "DELETE /api/v1/auth/sessions/:session_id": rule("session", EVERYONE),
  "POST /api/v1/users/invite": rule("own", MANAGERS),
  "GET /api/v1/users/invitations": rule("own", MANAGERS),
  "DELETE /api/v1/users/invitations/:invitation_id": rule("staff", MANAGERS),
  "POST /api/v1/users": rule("own", MANAGERS),
  "GET /api/v1/users": rule("own", MANAGERS),
  "GET /api/v1/users/:user_id": rule("staff", MANAGERS),
  "PATCH /api/v1/users/:user_id": rule("staff", MANAGERS),
  "DELETE /api/v1/users/:user_id": rule("staff", MANAGERS),
  "DELETE /api/v1/users/:user_id/sessions": rule("staff", MANAGERS),
  "POST /api/v1/users/:user_id/password-reset": rule("staff", MANAGERS),
  "POST /api/v1/users/:user_id/unlock": rule("staff", MANAGERS),
  "POST /api/v1/hospitals": rule("own", ADMIN),
  "GET /api/v1/hospitals": rule("own", EVERYONE, 0),
  "GET /api/v1/hospitals/:hospital_id": rule("hospital", EVERYONE, 0),
  "PATCH /api/v1/hospitals/:hospital_id": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id": rule("staff", ADMIN),
  "GET /api/v1/hospitals/:hospital_id/storage": rule("staff", MANAGERS),
  "POST /api/v1/hospitals/:hospital_id/import-grants": rule("staff", ADMIN),
  "GET /api/v1/hospitals/:hospital_id/import-grants": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id/import-grants/:grant_id": rule("staff", ADMIN),
  "POST /api/v1/wards": rule("own", MANAGERS),
  "GET /api/v1/wards": rule("own", STAFF),
  "GET /api/v1/wards/:ward_id": rule("staff", STAFF),
  "PATCH /api/v1/wards/:ward_id": rule("staff", MANAGERS),
  "DELETE /api/v1/wards/:ward_id": rule("staff", MANAGERS),
  "GET /api/v1/wards/:ward_id/board": rule("staff", STAFF),
  "GET /api/v1/wards/:ward_id/observations-due": rule("staff", STAFF),
  "GET /api/v1/wards/:ward_id/trends": rule("staff", STAFF),
  "GET /api/v1/wards/:ward_id/escalation": rule("staff", STAFF),
  "PUT /api/v1/wards/:ward_id/escalation": rule("staff", MANAGERS),
  "DELETE /api/v1/wards/:ward_id/escalation": rule("staff", MANAGERS),
  "GET /api/v1/wards/:ward_id/staff": rule("staff", STAFF),
  "PUT /api/v1/wards/:ward_id/staff": rule("staff", MANAGERS),
  "GET /api/v1/hospitals/:hospital_id/escalation": rule("staff", STAFF),
  "PUT /api/v1/hospitals/:hospital_id/escalation": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id/escalation": rule("staff", MANAGERS),
  "PUT /api/v1/wards/:ward_id/alert-rules/:code": rule("staff", STAFF),
  "DELETE /api/v1/wards/:ward_id/alert-rules/:code": rule("staff", STAFF),
  "GET /api/v1/alert-rules": rule("own", STAFF),
  "GET /api/v1/alert-rules/defaults": rule("own", STAFF, 0),
  "POST /api/v1/practitioners": rule("staff", MANAGERS),
  "GET /api/v1/practitioners": rule("own", EVERYONE),
  "GET /api/v1/practitioners/:practitioner_id": rule("hospital", EVERYONE),
  "PATCH /api/v1/practitioners/:practitioner_id": rule("profile", STAFF),
  "DELETE /api/v1/practitioners/:practitioner_id": rule("staff", MANAGERS),
  "GET /api/v1/push/key": rule("own", EVERYONE, 0),
  "GET /api/v1/push/subscriptions": rule("own", EVERYONE, 0),
  "POST /api/v1/push/subscriptions": rule("own", EVERYONE),
  "DELETE /api/v1/push/subscriptions/:push_subscription_id": rule("session", EVERYONE),
  "GET /api/v1/notification-settings": rule("own", EVERYONE, 0),
  "PATCH /api/v1/notification-settings": rule("own", EVERYONE),
  "GET /api/v1/notification-preferences": rule("own", EVERYONE, 0),
  "PUT /api/v1/notification-preferences": rule("own", EVERYONE),
  "POST /api/v1/notification-settings/test": rule("own", EVERYONE),
  "GET /api/v1/hospitals/:hospital_id/required-channels": rule("staff", MANAGERS, 0),
  "PUT /api/v1/hospitals/:hospital_id/required-channels": rule("staff", MANAGERS),
  "GET /api/v1/hospitals/:hospital_id/unreachable-members": rule("staff", MANAGERS),
  "GET /api/v1/hospitals/:hospital_id/members": rule("staff", STAFF),
  "PUT /api/v1/hospitals/:hospital_id/members/:user_id": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id/members/:user_id": rule("staff", MANAGERS),
  "POST /api/v1/patients": shared("own", STAFF, "patient:create"),
  "GET /api/v1/patients": shared("own", EVERYONE, "patient:read"),
  "GET /api/v1/patients/list": shared("own", EVERYONE, "patient:read"),
  "GET /api/v1/patients/search": shared("own", STAFF, "patient:search"),
  "POST /api/v1/patients/claim": rule("own", ["patient"]),
  "GET /api/v1/patients/:patient_id": shared("patient", EVERYONE, "patient:read"),
  "PATCH /api/v1/patients/:patient_id": shared("edit", EVERYONE, "patient:update"),
  "DELETE /api/v1/patients/:patient_id": rule("patient", MANAGERS),
  "GET /api/v1/patients/:patient_id/summary": shared("patient", EVERYONE, "patient:read"),
  "GET /api/v1/patients/:patient_id/intake": consentable(shared("patient", EVERYONE, "patient:read")),
  "POST /api/v1/patients/:patient_id/intake": shared("edit", EVERYONE, "patient:update"),
  "POST /api/v1/patients/:patient_id/claim-codes": rule("patient", EDITORS),
  "GET /api/v1/patients/:patient_id/claim-codes": rule("patient", EDITORS),
  "GET /api/v1/patients/:patient_id/changes": shared("patient", EVERYONE, "patient:read"),
  "GET /api/v1/patients/:patient_id/links": rule("patient", EDITORS),
  "DELETE /api/v1/patients/:patient_id/links/:user_id": rule("patient", EDITORS),
  "GET /api/v1/patients/:patient_id/observations": consentable(shared("patient", EVERYONE, "observation:read")),
  "GET /api/v1/patients/:patient_id/history": consentable(shared("patient", EVERYONE, "observation:read")),
  "GET /api/v1/patients/:patient_id/observations/latest": consentable(shared("patient", EVERYONE, "observation:read")),
  "POST /api/v1/patients/:patient_id/observation-sets": rule("patient", STAFF, 2),
  "PUT /api/v1/patients/:patient_id/observation-pause": rule("patient", STAFF, 2),
  "DELETE /api/v1/patients/:patient_id/observation-pause": rule("patient", STAFF, 2),
  "GET /api/v1/patients/:patient_id/observations/rollups": consentable(shared("patient", EVERYONE, "observation:read")),
  "GET /api/v1/patients/:patient_id/scores/news2": shared("patient", EVERYONE, "observation:read"),
  "GET /api/v1/patients/:patient_id/alert-rules": rule("patient", STAFF),
  "PUT /api/v1/patients/:patient_id/alert-rules/:code": rule("patient", STAFF),
  "DELETE /api/v1/patients/:patient_id/alert-rules/:code": rule("patient", STAFF),
  "POST /api/v1/patients/:patient_id/alert-rules/preview": rule("patient", STAFF),
  "GET /api/v1/patients/:patient_id/monitoring": rule("patient", STAFF),
  "PATCH /api/v1/patients/:patient_id/monitoring": rule("patient", STAFF),
  "GET /api/v1/patients/:patient_id/care-team": rule("patient", STAFF),
  "PUT /api/v1/patients/:patient_id/care-team/:user_id": rule("patient", EDITORS),
  "DELETE /api/v1/patients/:patient_id/care-team/:user_id": rule("patient", EDITORS),
  "POST /api/v1/api-keys": rule("own", MANAGERS),
  "GET /api/v1/api-keys": rule("own", MANAGERS),
  "POST /api/v1/api-keys/:api_key_id/rotate": rule("staff", MANAGERS),
  "DELETE /api/v1/api-keys/:api_key_id": rule("staff", MANAGERS),
  "POST /api/v1/webhooks": rule("own", MANAGERS),
  "GET /api/v1/webhooks": rule("own", MANAGERS),
  "GET /api/v1/webhooks/:webhook_id": rule("staff", MANAGERS),
  "PATCH /api/v1/webhooks/:webhook_id": rule("staff", MANAGERS),
  "DELETE /api/v1/webhooks/:webhook_id": rule("staff", MANAGERS),
  "POST /api/v1/webhooks/:webhook_id/rotate-secret": rule("staff", MANAGERS),
  "POST /api/v1/webhooks/:webhook_id/test": rule("staff", MANAGERS),
  "POST /api/v1/webhooks/:webhook_id/enable": rule("staff", MANAGERS),
  "GET /api/v1/webhooks/:webhook_id/deliveries": rule("staff", MANAGERS),
  "POST /api/v1/webhooks/:webhook_id/deliveries/:message_id/resend": rule("staff", MANAGERS),
  "POST /api/v1/devices": rule("own", [...EDITORS, "patient"]),
  "GET /api/v1/devices": rule("own", EVERYONE),
  "GET /api/v1/devices/:device_id": rule("device", EVERYONE),
  "PATCH /api/v1/devices/:device_id": rule("device", [...EDITORS, "patient"]),
  "DELETE /api/v1/devices/:device_id": rule("device", [...EDITORS, "patient"]),
  "POST /api/v1/devices/:device_id/claim-code": rule("device", EDITORS),
  "POST /api/v1/devices/claim": PUBLIC,
  "POST /api/v1/devices/:device_id/credentials": rule("device", [...EDITORS, "patient"]),
  "GET /api/v1/devices/:device_id/credentials": rule("device", [...EDITORS, "patient"]),
  "DELETE /api/v1/devices/:device_id/credentials/:credential_id": rule("device", [...EDITORS, "patient"]),
  "POST /api/v1/devices/:device_id/assignments": rule("device", EDITORS),
  "GET /api/v1/devices/:device_id/assignments": rule("device", EVERYONE),
  "DELETE /api/v1/devices/:device_id/assignments/current": rule("device", EDITORS),
  "POST /api/v1/observations": { ...shared("samples", EVERYONE, "observation:create"), traced: 2 },
  "POST /api/v1/wearables/sync": { ...shared("samples", EVERYONE, "observation:create"), traced: 2 },
  "GET /api/v1/observations/stream": rule("stream", []),
  "PATCH /api/v1/observations/:observation_id": rule("patient", STAFF, 2),
  "GET /api/v1/observations/quarantine": rule("own", EDITORS),
  "GET /api/v1/observations/quarantine/:held_id": rule("device", EDITORS),
  "POST /api/v1/observations/quarantine/file": rule("patient", EDITORS, 2),
  "POST /api/v1/observations/quarantine/discard": rule("device", EDITORS),
  "GET /api/v1/wearables/metrics/recent": shared("patient", EVERYONE, "observation:read"),
  "GET /api/v1/wearables/summary": shared("patient", EVERYONE, "observation:read"),
  "GET /api/v1/analytics/patients/:patient_id/summary": shared("patient", EVERYONE, "observation:read"),
  "GET /api/v1/analytics/hourly-stats": shared("own", EVERYONE, "observation:read"),
  "GET /api/v1/alerts": shared("own", EVERYONE, "alert:read"),
  "GET /api/v1/alerts/:alert_id": shared("patient", EVERYONE, "alert:read"),
  "POST /api/v1/alerts/:alert_id/acknowledge": rule("patient", STAFF, 2),
  "POST /api/v1/alerts/:alert_id/assign": rule("patient", STAFF, 2),
  "POST /api/v1/alerts/:alert_id/comment": rule("patient", STAFF),
  "POST /api/v1/alerts/:alert_id/snooze": rule("patient", STAFF, 2),
  "POST /api/v1/alerts/:alert_id/resolve": rule("patient", STAFF, 2),
  "POST /api/v1/live/tickets": consentable(shared("patient", EVERYONE, "patient:read", "observation:read", "alert:read")),
  "GET /api/v1/live": consentable(shared("patient", EVERYONE, "patient:read", "observation:read", "alert:read")),
  "GET /api/v1/live/sse": consentable(shared("patient", EVERYONE, "patient:read", "observation:read", "alert:read")),
  "POST /api/v1/reports": shared("upload", EVERYONE, "report:create"),
  "POST /api/v1/ecg/reports/upload": shared("upload", EVERYONE, "report:create"),
  "POST /api/v1/reports/raw": shared("upload", EVERYONE, "report:create"),
  "GET /api/v1/reports": shared("own", EVERYONE, "report:read"),
  "GET /api/v1/reports/list": shared("own", EVERYONE, "report:read"),
  "GET /api/v1/ecg/reports": shared("own", EVERYONE, "report:read"),
  "GET /api/v1/reports/stats": shared("own", EVERYONE, "report:read"),
  "GET /api/v1/reports/:report_id": consentable(shared("report", EVERYONE, "report:read")),
  "GET /api/v1/ecg/reports/:report_id": consentable(shared("report", EVERYONE, "report:read")),
  "GET /api/v1/reports/:report_id/file": consentable(shared("report", EVERYONE, "report:read")),
  "PATCH /api/v1/reports/:report_id": rule("patient", STAFF),
  "POST /api/v1/reports/:report_id/move": rule("patient", STAFF, 2),
  "GET /api/v1/reports/:report_id/changes": rule("patient", STAFF),
  "GET /api/v1/patients/:patient_id/moved-reports": shared("patient", EVERYONE, "patient:read"),
  "POST /api/v1/reports/batch": shared("batch", EVERYONE, "report:create"),
  "POST /api/v1/reports/direct": shared("report", EVERYONE, "report:create"),
  "POST /api/v1/reports/direct/:upload_id/confirm": shared("report", EVERYONE, "report:create"),
  "POST /api/v1/documents": rule("patient", EVERYONE),
  "GET /api/v1/documents": rule("own", EVERYONE),
  "GET /api/v1/documents/:document_id": consentable(rule("patient", EVERYONE)),
  "GET /api/v1/documents/:document_id/file": consentable(rule("patient", EVERYONE)),
  "POST /api/v1/documents/:document_id/link": consentable(rule("patient", EVERYONE)),
  // Patients replace only what they have uploaded; this is a nurse's.
  "POST /api/v1/documents/:document_id/versions": rule("edit", EVERYONE),
  "DELETE /api/v1/documents/:document_id": rule("patient", STAFF),
  "POST /api/v1/consents": rule("patient", ["nurse", "doctor", "hospital_admin"]),
  "GET /api/v1/consents": rule("own", EVERYONE),
  "GET /api/v1/consents/check": rule("own", EVERYONE),
  "GET /api/v1/consents/:consent_id": rule("patient", EVERYONE),
  // By the person of a record: those that have none of these are refused.
  "POST /api/v1/consents/:consent_id/deny": rule("hospital", PERSON),
  "POST /api/v1/consents/:consent_id/revoke": rule("hospital", PERSON),
  // An event for each of two hospitals.
  "POST /api/v1/consents/:consent_id/grant": rule("hospital", PERSON, 2),
  "POST /api/v1/consents/share": rule("own", PERSON, 2),
  "POST /api/v1/consents/redeem": rule("patient", ["nurse", "doctor", "hospital_admin"], 2),
  "POST /api/v1/consents/offers": rule("own", PERSON),
  "GET /api/v1/consents/offers": rule("own", PERSON),
  "DELETE /api/v1/consents/offers/:offer_id": rule("session", PERSON),
  "POST /api/v1/guardian-codes": rule("own", PERSON),
  "GET /api/v1/guardianships": rule("own", PERSON),
  "GET /api/v1/patients/:patient_id/guardians": rule("patient", MEMBERS),
  "POST /api/v1/patients/:patient_id/guardians": rule("patient", ["nurse", "hospital_admin"]),
  "POST /api/v1/guardianships/:guardianship_id/confirm": rule("patient", ["nurse", "hospital_admin"]),
  // The person of the record is its guardian here.
  "POST /api/v1/guardianships/:guardianship_id/end": rule("patient", ["patient", "nurse", "hospital_admin"]),
  // The request with its consent.
  "POST /api/v1/document-requests": rule("patient", MEMBERS, 2),
  "GET /api/v1/document-requests": rule("own", EVERYONE),
  "GET /api/v1/document-requests/hospitals": rule("own", MEMBERS, 0),
  "GET /api/v1/document-requests/:document_request_id": rule("patient", EVERYONE),
  "POST /api/v1/document-requests/:document_request_id/cancel": rule("patient", MEMBERS),
  // By the other hospital: an event for each of the two.
  "POST /api/v1/document-requests/:document_request_id/approve": rule("patient", MEMBERS, 2),
  "POST /api/v1/document-requests/:document_request_id/reject": rule("patient", MEMBERS, 2),
  "POST /api/v1/document-requests/:document_request_id/fulfil": rule("patient", MEMBERS, 2),
  "GET /api/v1/uploads": rule("own", EDITORS),
  "GET /api/v1/uploads/quarantine": rule("own", EDITORS),
  "GET /api/v1/uploads/:upload_id": rule("device", EDITORS),
  "GET /api/v1/uploads/:upload_id/file": rule("device", EDITORS),
  "POST /api/v1/uploads/:upload_id/assign": rule("device", EDITORS),
  "POST /api/v1/uploads/:upload_id/discard": rule("device", EDITORS, 2),
  "GET /api/v1/notifications": rule("own", EVERYONE),
  "GET /api/v1/notifications/unread-count": rule("own", EVERYONE, 0),
  "POST /api/v1/notifications/read-all": rule("own", EVERYONE),
  "POST /api/v1/notifications/:notification_id/read": rule("own", EVERYONE),
  "GET /api/v1/notifications/deliveries": rule("own", MANAGERS),
  "POST /api/v1/notifications/deliveries/:delivery_id/resend": rule("staff", MANAGERS),
  "GET /api/v1/audit-events": rule("own", ["patient", "hospital_admin", "admin"]),
  "GET /api/v1/audit-events/export": rule("own", ["patient", "hospital_admin", "admin"]),
  "GET /api/v1/audit-events/checkpoint": rule("own", STAFF),
  "GET /api/v1/audit-events/verify": rule("own", MANAGERS),
  "GET /api/v1/audit-events/retention": rule("own", MANAGERS),
  "GET /api/v1/audit-events/:event_id/proof": rule("patient", ["patient", "hospital_admin", "admin"]),
  // Of the principals, the administrators of hospitals are privacy officers.
  "GET /api/v1/hospitals/:hospital_id/privacy-officers": rule("staff", STAFF),
  "PUT /api/v1/hospitals/:hospital_id/privacy-officers/:user_id": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id/privacy-officers/:user_id": rule("staff", MANAGERS),
  "GET /api/v1/privacy-reviews": rule("own", ["hospital_admin"]),
  "GET /api/v1/privacy-reviews/:review_id": rule("staff", ["hospital_admin"]),
  "POST /api/v1/privacy-reviews/:review_id/close": rule("staff", ["hospital_admin"]),
  // The requests name a record that is open in an emergency alone, of another hospital, and an access of the principal's own.
  "POST /api/v1/emergency-access": rule("own", ["nurse", "doctor"], 2),
  "GET /api/v1/emergency-access": rule("own", ["nurse", "doctor", "hospital_admin"]),
  "GET /api/v1/emergency-access/:emergency_access_id": rule("own", ["nurse", "doctor", "hospital_admin"]),
  "POST /api/v1/emergency-access/:emergency_access_id/end": rule("own", ["nurse", "doctor"]),
  "GET /api/v1/patients/:patient_id/notice-delay": rule("staff", ["hospital_admin"]),
  "PUT /api/v1/patients/:patient_id/notice-delay": rule("staff", ["hospital_admin"]),
  "DELETE /api/v1/patients/:patient_id/notice-delay": rule("staff", ["hospital_admin"]),
  "GET /api/v1/privacy-questions": rule("own", ["patient"]),
  "POST /api/v1/privacy-questions": rule("hospital", ["patient"]),
  "PUT /api/v1/hospitals/:hospital_id/legal-hold": rule("staff", ADMIN),
  "DELETE /api/v1/hospitals/:hospital_id/legal-hold": rule("staff", ADMIN),
  "GET /api/v1/hospitals/:hospital_id/retention": rule("staff", MANAGERS),
  "PUT /api/v1/hospitals/:hospital_id/retention": rule("staff", MANAGERS),
  "GET /api/v1/hospitals/:hospital_id/retention/preview": rule("staff", MANAGERS),
  "POST /api/v1/patients/:patient_id/hold": rule("patient", MANAGERS),
  "POST /api/v1/patients/:patient_id/hold/release": rule("patient", MANAGERS),
  "GET /api/v1/patient-holds": rule("own", MANAGERS),
  "POST /api/v1/patients/:patient_id/erasure": rule("patient", ["patient", ...MANAGERS]),
  "GET /api/v1/erasures": rule("own", ["patient", ...MANAGERS]),
  "GET /api/v1/erasures/:erasure_id": rule("patient", ["patient", ...MANAGERS]),
  "GET /api/v1/erasures/:erasure_id/certificate": rule("patient", ["patient", ...MANAGERS]),
  "POST /api/v1/erasures/:erasure_id/approve": rule("patient", MANAGERS),
  "POST /api/v1/erasures/:erasure_id/reject": rule("patient", MANAGERS),
  "GET /api/v1/admin/users": rule("own", ADMIN),
  "GET /api/v1/admin/reports": rule("own", ADMIN),
  "GET /api/v1/admin/stats": rule("own", ADMIN),
  "GET /api/v1/admin/keys": rule("own", ADMIN),
  "GET /api/v1/admin/erasures": rule("own", ADMIN),
  "POST /api/v1/admin/erasures/apply": rule("own", ADMIN),
};

/** The relation between a principal and the target of a request. `uploaded`: the report came from this device. */
export type Relation = "self" | "team" | "colleague" | "bound" | "consent" | "none";

export function relationTo(principal: TestPrincipal, target: Target): Relation {
  if (principal.bound === target) return "bound";
  if (principal.linked?.includes(target)) return "self";
  if (principal.consented?.includes(target)) return "consent";
  if (principal.place !== TARGETS[target]) return "none";
  return principal.team?.includes(target) ? "team" : "colleague";
}

/**
 * `quarantine`: a device's report without a patient is stored separately, status 202. `inside`: the same for a file of a batch.
 * `held`: the same for a device's samples. `unbound`: an unassigned device has no socket for its samples.
 */
export type Decision = "allow" | "quarantine" | "quarantine inside" | "404 inside" | "held" | "unbound" | 401 | 403 | 404;

export const DECISION_STATUS: Partial<Record<Decision, number>> = {
  quarantine: 202,
  "quarantine inside": 200,
  "404 inside": 200,
  held: 200,
  unbound: 409,
};
export const isDenial = (decision: Decision): boolean => typeof decision === "number" || decision === "404 inside";

export function expectedDecision(principal: TestPrincipal, rule: RouteRule, relation: Relation): Decision {
  const { about, who, scopes } = rule;
  if (relation === "consent") return rule.byConsent ? "allow" : expectedDecision(principal, rule, "none");
  if (about === "batch") {
    const alone = expectedDecision(principal, { ...rule, about: "upload" }, relation);
    return alone === "quarantine" ? "quarantine inside" : alone === 404 ? "404 inside" : alone;
  }
  if (about === "public") return "allow";
  if (principal.kind === "anonymous" || principal.ended) return 401;
  const lacks = (scope: string) => principal.scopes !== undefined && !principal.scopes.includes(scope);
  if (principal.kind === "device") {
    if (["upload", "report"].includes(about) && lacks("report:create")) return 403;
    if (["samples", "stream"].includes(about) && lacks("observation:create")) return 403;
    if (about === "upload") return relation === "bound" ? "allow" : "quarantine";
    if (about === "report") return relation === "bound" ? "allow" : 404;
    // The bodies name the target: samples for another patient than the device's are held.
    if (about === "samples") return relation === "bound" ? "allow" : "held";
    if (about === "stream") return principal.bound ? "allow" : "unbound";
    return 403;
  }
  if (principal.kind === "app") {
    if (!scopes || scopes.some(lacks)) return 403;
    return about === "own" || relation === "colleague" ? "allow" : 404;
  }
  const { role } = principal;
  if (!role || !who.includes(role)) return 403;
  if (about === "own") return "allow";
  // Here the target stands for another user's session.
  if (about === "session") return relation === "self" ? "allow" : 404;
  if (role === "admin") return "allow";
  // Doctors and nurses change only their own profile; here it is a colleague's.
  if (about === "profile") return role === "hospital_admin" && relation !== "none" ? "allow" : 404;
  // The device is the hospital's; patients see only their own.
  if (about === "device" && role === "patient") return 404;
  if (about === "hospital" || about === "staff" || about === "device") return relation === "none" ? 404 : "allow";
  if (!maySee(principal, relation)) return 404;
  // A patient changes only records that they created; these are a hospital's.
  return about === "edit" && role === "patient" ? 403 : "allow";
}

function maySee({ kind, role, wide }: TestPrincipal, relation: Relation): boolean {
  if (kind === "app") return relation === "colleague";
  switch (role) {
    case "admin":
      return true;
    case "patient":
      return relation === "self";
    case "nurse":
    case "hospital_admin":
      return relation === "colleague" || relation === "team";
    case "doctor":
      return relation === "team" || (relation === "colleague" && wide === true);
    default:
      return false;
  }
}

/** The patients whose words may appear in the response to a principal. */
export function visibleTargets(principal: TestPrincipal): Target[] {
  if (principal.ended) return [];
  const all: Target[] = ["treated", "untreated", "elsewhere"];
  return all.filter((target) => {
    const relation = relationTo(principal, target);
    return principal.kind === "device" ? relation === "bound" : maySee(principal, relation);
  });
}

/** Audit events of one request: one per decision; a token without a principal causes no decision. */
export function expectedAuditEvents(principal: TestPrincipal, rule: RouteRule, decision: Decision): number {
  if (rule.about === "public" || principal.kind === "anonymous" || decision === "unbound") return 0;
  // Samples from devices are audited per hour, not per request.
  if (principal.kind === "device" && decision === "allow" && ["samples", "stream"].includes(rule.about)) return 0;
  return decision === "allow" ? rule.traced : 1;
}
