// The application: middleware for every request, public routes, authentication, protected routes.
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { apiKeyRoutes } from "./accounts/api-keys/routes.ts";
import { accountRoutes, publicAccountRoutes } from "./accounts/auth/account-routes.ts";
import { oauthTokenRoutes } from "./accounts/auth/oauth.ts";
import { authRoutes, publicAuthRoutes } from "./accounts/auth/routes.ts";
import { emailRoutes, publicEmailRoutes } from "./accounts/email/routes.ts";
import { factorRoutes } from "./accounts/factors/own-routes.ts";
import { passkeyRoutes } from "./accounts/factors/passkey-routes.ts";
import { factorPolicyRoutes } from "./accounts/factors/policy-routes.ts";
import { publicFactorRoutes } from "./accounts/factors/sign-in-routes.ts";
import { publicPasswordRoutes } from "./accounts/passwords/routes.ts";
import { authenticate } from "./accounts/sessions/authenticate.ts";
import { allowedOrigins } from "./accounts/sessions/refresh-cookie.ts";
import { invitationRoutes } from "./accounts/users/invitation-routes.ts";
import { userRoutes } from "./accounts/users/routes.ts";
import { auditLogRoutes } from "./audit/log-routes.ts";
import { auditRoutes } from "./audit/routes.ts";
import { consentCheckRoutes } from "./consents/check-routes.ts";
import { guardianRoutes } from "./consents/guardian-routes.ts";
import { consentOfferRoutes } from "./consents/offer-routes.ts";
import { consentRoutes } from "./consents/routes.ts";
import { claimCodeRoutes, publicDeviceRoutes } from "./devices/claim-code-routes.ts";
import { deviceRoutes } from "./devices/routes.ts";
import { documentRequestRoutes } from "./document-requests/routes.ts";
import { documentRoutes } from "./documents/reading/routes.ts";
import { documentUploadRoutes } from "./documents/upload/routes.ts";
import { noticeDelayRoutes } from "./emergency-access/delay-routes.ts";
import { emergencyAccessRoutes } from "./emergency-access/routes.ts";
import { erasureRoutes } from "./erasure/requests/routes.ts";
import { restoreRoutes } from "./erasure/restore/routes.ts";
import { retentionRoutes } from "./erasure/retention/routes.ts";
import { answerNotModified } from "./http/conditional-requests.ts";
import { authenticateByLink } from "./http/link-authentication.ts";
import { createMethodChecks } from "./http/not-found.ts";
import { onError } from "./http/on-error.ts";
import { addDeprecationHeaders, canonicalPath } from "./http/path-aliases.ts";
import {
  crossOrigin,
  handOverAfterResponse,
  initializeCall,
  limitByAddress,
  limitRejected,
  logRequest,
  requireHttps,
  setResponseHeaders,
  wrapThrownValues,
} from "./http/request-middleware.ts";
import { createRouter } from "./http/router.ts";
import { alertRoutes } from "./monitoring/alerts/routes.ts";
import { ruleRoutes } from "./monitoring/alerts/rules-routes.ts";
import { analyticsRoutes } from "./monitoring/history/analytics-routes.ts";
import { historyRoutes } from "./monitoring/history/history-routes.ts";
import { heldRoutes } from "./monitoring/history/quarantine-routes.ts";
import { vitalRoutes } from "./monitoring/intake/routes.ts";
import { liveRoutes, liveTicketRoutes } from "./monitoring/live/routes.ts";
import { deliverAfterResponse, deliverBeforeResponse } from "./monitoring/patient-object/context/change-delivery.ts";
import { roundRoutes } from "./monitoring/rounds/routes.ts";
import { handOverMessages } from "./notifications/delivery/hand-over.ts";
import { deliveryRoutes } from "./notifications/delivery/routes.ts";
import { notificationRoutes } from "./notifications/in-app/routes.ts";
import { hospitalPreferenceRoutes } from "./notifications/preferences/hospital-routes.ts";
import { preferenceRoutes } from "./notifications/preferences/routes.ts";
import { pushRoutes } from "./notifications/push/routes.ts";
import { phoneRoutes } from "./notifications/sms/phone-routes.ts";
import { publicSmsRoutes } from "./notifications/sms/status-routes.ts";
import { webhookRoutes } from "./notifications/webhooks/routes.ts";
import { escalationRoutes } from "./organization/escalation/routes.ts";
import { hospitalRoutes } from "./organization/hospitals/routes.ts";
import { storageRoutes } from "./organization/hospitals/storage-routes.ts";
import { practitionerRoutes } from "./organization/practitioners/routes.ts";
import { boardRoutes } from "./organization/wards/board-routes.ts";
import { wardRoutes } from "./organization/wards/routes.ts";
import { changeRoutes } from "./patients/record/change-routes.ts";
import { claimRoutes } from "./patients/record/claim-routes.ts";
import { recordRoutes } from "./patients/record/record-routes.ts";
import { patientRoutes } from "./patients/routes.ts";
import { privacyOfficerRoutes } from "./privacy/officers/routes.ts";
import { privacyQuestionRoutes } from "./privacy/questions/routes.ts";
import { privacyReviewRoutes } from "./privacy/reviews/routes.ts";
import { correctionRoutes } from "./reports/correction/routes.ts";
import { quarantineRoutes } from "./reports/quarantine/quarantine-routes.ts";
import { reportRoutes } from "./reports/reading/routes.ts";
import { directRoutes } from "./reports/upload/direct-routes.ts";
import { uploadRoutes } from "./reports/upload/upload-routes.ts";
import { adminRoutes } from "./service/admin/routes.ts";
import { keyRoutes } from "./service/keys/routes.ts";
import { openApiRoutes } from "./service/openapi-routes.ts";
import { portalNotFoundPage, servePortalFile, servePortalPages } from "./service/portal.ts";
import { healthRoutes, serviceRoutes } from "./service/routes.ts";

const API_PREFIX = "/api/v1";
const CREDENTIAL_PATHS = ["login", "login/second-step", "passkey/options", "passkey/login", "refresh"].map(
  (path) => `${API_PREFIX}/auth/${path}`,
);
const ACCOUNT_SIGNUP_PATHS = [
  "register",
  "register/patient",
  "invitations/accept",
  "password/forgot",
  "password/reset",
  "email/verify",
].map((path) => `${API_PREFIX}/auth/${path}`);
const SIGNUP_PATHS = [...ACCOUNT_SIGNUP_PATHS, `${API_PREFIX}/devices/claim`];

const EXPOSED = [
  "ETag",
  "X-Request-Id",
  "Retry-After",
  "RateLimit-Policy",
  "Content-Range",
  "Deprecation",
  "Sunset",
  "Link",
  "Location",
  "Allow",
];
const CORS: Parameters<typeof cors>[0] = {
  origin: (origin, c) => (allowedOrigins(c.env).includes(origin) ? origin : null),
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  allowHeaders: [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Import-Grant",
    "Range",
    "X-Content-SHA256",
    "X-File-Name",
    "X-Report-Metrics",
    "X-Request-Id",
  ],
  exposeHeaders: EXPOSED,
  maxAge: 600,
};

export const app = createRouter(canonicalPath);
const { denyOtherMethods, notFound } = createMethodChecks(app, portalNotFoundPage);

/** Routes that change rights and settings on which objects act; the triggers of migrations (0004_changes, 0007_facts_follow) queue each change. */
const MONITOR_CHANGE_PATHS = [
  "auth/*",
  "users/*",
  "hospitals/*",
  "wards/*",
  "devices/*",
  "patients/*",
  "erasures/*",
  "admin/erasures/*",
  "api-keys/*",
  "consents/*",
  "emergency-access/*",
].map((path) => `${API_PREFIX}/${path}`);

app.use(logRequest);
app.use(
  secureHeaders({
    strictTransportSecurity: "max-age=31536000; includeSubDomains",
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
    crossOriginResourcePolicy: "same-origin",
  }),
  setResponseHeaders,
  addDeprecationHeaders,
  answerNotModified,
  crossOrigin(EXPOSED, cors(CORS)),
  wrapThrownValues,
  requireHttps,
);

app.use(servePortalPages);
app.get("/portal/*", servePortalFile);
app.route("/", healthRoutes);
app.use(handOverAfterResponse, handOverMessages, initializeCall);
app.route("/", serviceRoutes);
app.get("/assets/*", (c) => c.env.ASSETS.fetch(c.req.raw));
app.use("/api/token", limitRejected, deliverAfterResponse);
app.route("/", oauthTokenRoutes);
for (const path of CREDENTIAL_PATHS) app.use(path, limitRejected, denyOtherMethods);
app.use(`${API_PREFIX}/auth/bootstrap`, limitByAddress, denyOtherMethods);
for (const path of SIGNUP_PATHS) app.use(path, limitRejected, denyOtherMethods);
for (const path of MONITOR_CHANGE_PATHS) app.use(path, deliverAfterResponse);
// Unlinking a person ends credentials of the record's own devices.
for (const path of ["devices/*", "patients/:patient_id/links/*"]) app.use(`${API_PREFIX}/${path}`, deliverBeforeResponse);
app.route(API_PREFIX, publicAuthRoutes);
app.route(API_PREFIX, publicFactorRoutes);
app.route(API_PREFIX, publicAccountRoutes);
app.route(API_PREFIX, publicPasswordRoutes);
app.route(API_PREFIX, publicEmailRoutes);
app.route(API_PREFIX, publicDeviceRoutes);
app.use(`${API_PREFIX}/sms/status`, limitRejected, denyOtherMethods);
app.route(API_PREFIX, publicSmsRoutes);
app.use(`${API_PREFIX}/reports/:report_id/file`, authenticateByLink("report"));
app.use(`${API_PREFIX}/documents/:document_id/file`, authenticateByLink("document"));
app.route(API_PREFIX, liveRoutes);

app.use(`${API_PREFIX}/*`, authenticate, denyOtherMethods);
app.route(API_PREFIX, authRoutes);
app.route(API_PREFIX, accountRoutes);
app.route(API_PREFIX, emailRoutes);
app.route(API_PREFIX, factorRoutes);
app.route(API_PREFIX, passkeyRoutes);
app.route(API_PREFIX, factorPolicyRoutes);
app.route(API_PREFIX, invitationRoutes);
app.route(API_PREFIX, userRoutes);
app.route(API_PREFIX, hospitalRoutes);
app.route(API_PREFIX, storageRoutes);
app.route(API_PREFIX, wardRoutes);
app.route(API_PREFIX, boardRoutes);
app.route(API_PREFIX, escalationRoutes);
app.route(API_PREFIX, practitionerRoutes);
app.route(API_PREFIX, patientRoutes);
app.route(API_PREFIX, recordRoutes);
app.route(API_PREFIX, claimRoutes);
app.route(API_PREFIX, changeRoutes);
app.route(API_PREFIX, consentOfferRoutes);
app.route(API_PREFIX, consentCheckRoutes);
app.route(API_PREFIX, consentRoutes);
app.route(API_PREFIX, guardianRoutes);
app.route(API_PREFIX, documentRequestRoutes);
app.route(API_PREFIX, emergencyAccessRoutes);
app.route(API_PREFIX, noticeDelayRoutes);
app.route(API_PREFIX, apiKeyRoutes);
app.route(API_PREFIX, webhookRoutes);
app.route(API_PREFIX, deviceRoutes);
app.route(API_PREFIX, claimCodeRoutes);
app.route(API_PREFIX, liveTicketRoutes);
app.route(API_PREFIX, uploadRoutes);
app.route(API_PREFIX, directRoutes);
app.route(API_PREFIX, reportRoutes);
app.route(API_PREFIX, correctionRoutes);
app.route(API_PREFIX, quarantineRoutes);
app.route(API_PREFIX, documentUploadRoutes);
app.route(API_PREFIX, documentRoutes);
app.route(API_PREFIX, heldRoutes);
app.route(API_PREFIX, vitalRoutes);
app.route(API_PREFIX, roundRoutes);
app.route(API_PREFIX, historyRoutes);
app.route(API_PREFIX, analyticsRoutes);
app.route(API_PREFIX, alertRoutes);
app.route(API_PREFIX, ruleRoutes);
app.route(API_PREFIX, notificationRoutes);
app.route(API_PREFIX, deliveryRoutes);
app.route(API_PREFIX, phoneRoutes);
app.route(API_PREFIX, auditRoutes);
app.route(API_PREFIX, auditLogRoutes);
app.route(API_PREFIX, privacyOfficerRoutes);
app.route(API_PREFIX, privacyReviewRoutes);
app.route(API_PREFIX, privacyQuestionRoutes);
app.route(API_PREFIX, retentionRoutes);
app.route(API_PREFIX, erasureRoutes);
app.route(API_PREFIX, restoreRoutes);
app.route(API_PREFIX, adminRoutes);
app.route(API_PREFIX, keyRoutes);
app.route(API_PREFIX, pushRoutes);
app.route(API_PREFIX, preferenceRoutes);
app.route(API_PREFIX, hospitalPreferenceRoutes);

app.route("/", openApiRoutes(app));
app.notFound(notFound);
app.onError(onError);
