// The application: middleware for every request, public routes, authentication, protected routes.
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { publicAccountRoutes } from "./accounts/auth/account-routes.ts";
import { oauthTokenRoutes } from "./accounts/auth/oauth.ts";
import { publicAuthRoutes } from "./accounts/auth/routes.ts";
import { publicEmailRoutes } from "./accounts/email/routes.ts";
import { publicFactorRoutes } from "./accounts/factors/sign-in-routes.ts";
import { publicPasswordRoutes } from "./accounts/passwords/routes.ts";
import { authenticate } from "./accounts/sessions/authenticate.ts";
import { allowedOrigins } from "./accounts/sessions/refresh-cookie.ts";
import { publicCalendarRoutes } from "./care/calendar-feeds/public-routes.ts";
import { publicDisplayRoutes } from "./care/clinic/public-display-routes.ts";
import { publicPaymentRoutes } from "./care/payments/webhook-routes.ts";
import { publicDeviceRoutes } from "./devices/claim-code-routes.ts";
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
import { liveRoutes } from "./monitoring/live/routes.ts";
import { deliverAfterResponse, deliverBeforeResponse } from "./monitoring/patient-object/context/change-delivery.ts";
import { handOverMessages } from "./notifications/delivery/hand-over.ts";
import { publicSmsRoutes } from "./notifications/sms/status-routes.ts";
import { publicIntakeRoutes } from "./patients/intake/public-routes.ts";
import { mountProtectedRouters } from "./protected-routers.ts";
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

/** Paths for callers without an account, whose tokens are in the request. */
const TOKEN_PATHS = ["calendar/*", "display", "payments/webhook", "intake/open", "intake/submit"].map(
  (path) => `${API_PREFIX}/${path}`,
);

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
  "appointments/*",
  "queue/*",
  "intake-submissions/*",
  "consultation/*",
  "encounters/*",
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
for (const path of TOKEN_PATHS) app.use(path, limitRejected, denyOtherMethods);
app.route(API_PREFIX, publicDisplayRoutes);
app.route(API_PREFIX, publicCalendarRoutes);
app.route(API_PREFIX, publicPaymentRoutes);
app.route(API_PREFIX, publicIntakeRoutes);
app.use(`${API_PREFIX}/reports/:report_id/file`, authenticateByLink("report"));
app.use(`${API_PREFIX}/documents/:document_id/file`, authenticateByLink("document"));
app.use(`${API_PREFIX}/patients/:patient_id/export/:export_id/file`, authenticateByLink("record_export"));
app.route(API_PREFIX, liveRoutes);

app.use(`${API_PREFIX}/*`, authenticate, denyOtherMethods);
mountProtectedRouters(app, API_PREFIX);

app.route("/", openApiRoutes(app));
app.notFound(notFound);
app.onError(onError);
