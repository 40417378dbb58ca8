// The map: what every request passes, what is public, the line that authenticates, what is protected.
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { adminRoutes } from "./admin/routes.ts";
import { alertRoutes } from "./alerts/routes.ts";
import { ruleRoutes } from "./alerts/rules-routes.ts";
import { canonicalPath, deprecation } from "./aliases.ts";
import { apiKeyRoutes } from "./api-keys/routes.ts";
import { auditRoutes } from "./audit-log/routes.ts";
import { accountRoutes, publicAccounts } from "./auth/account-routes.ts";
import { authenticate } from "./auth/authenticate.ts";
import { corsOrigins } from "./auth/cookies.ts";
import { tokenForm } from "./auth/oauth.ts";
import { authRoutes, publicAuth } from "./auth/routes.ts";
import { deviceCodeRoutes, publicDevices } from "./devices/claim-routes.ts";
import { deviceRoutes } from "./devices/routes.ts";
import { onError } from "./errors.ts";
import { hospitalRoutes } from "./hospitals/routes.ts";
import { liveRoutes, liveTicketRoutes } from "./live/routes.ts";
import { onNotFound } from "./methods.ts";
import { announceChanges, deliverFirst } from "./monitor/changes.ts";
import { recordRoutes } from "./patients/record-routes.ts";
import { patientRoutes } from "./patients/routes.ts";
import { practitionerRoutes } from "./practitioners/routes.ts";
import { directRoutes } from "./reports/direct-routes.ts";
import { quarantineRoutes } from "./reports/quarantine-routes.ts";
import { redeemLink, reportRoutes } from "./reports/routes.ts";
import { uploadRoutes } from "./reports/upload-routes.ts";
import {
  answerHeaders,
  crossOrigin,
  errorsOnly,
  formBody,
  httpsOnly,
  jsonBody,
  limitAddress,
  limitNewcomer,
  openCall,
  requestLog,
} from "./request.ts";
import { newRouter } from "./router.ts";
import { openApiRoutes } from "./service/openapi.ts";
import { portalFile, portalNotFound, portalPages } from "./service/portal.ts";
import { healthRoutes, serviceRoutes } from "./service/routes.ts";
import { invitationRoutes } from "./users/invitation-routes.ts";
import { userRoutes } from "./users/routes.ts";
import { analyticsRoutes } from "./vitals/analytics-routes.ts";
import { historyRoutes } from "./vitals/history-routes.ts";
import { vitalRoutes } from "./vitals/routes.ts";
import { boardRoutes } from "./wards/board-routes.ts";
import { wardRoutes } from "./wards/routes.ts";

const API = "/api/v1";
const PUBLIC_AUTH = [`${API}/auth/login`, `${API}/auth/refresh`, `${API}/auth/bootstrap`];
const SIGNUPS = ["register", "register/patient", "invitations/accept", "password/reset"].map((path) => `${API}/auth/${path}`);
const NEWCOMERS = [...SIGNUPS, `${API}/devices/claim`];
const UPLOADS = new Set([`${API}/reports`, `${API}/reports/batch`, `${API}/ecg/reports/upload`]);

const EXPOSED = ["ETag", "X-Request-Id", "Retry-After", "RateLimit-Policy", "Content-Range", "Deprecation", "Link"];
const CORS: Parameters<typeof cors>[0] = {
  origin: (origin, c) => (corsOrigins(c.env).includes(origin) ? origin : null),
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  allowHeaders: [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "Range",
    "X-Content-SHA256",
    "X-File-Name",
    "X-Report-Metrics",
    "X-Request-Id",
  ],
  exposeHeaders: EXPOSED,
  maxAge: 600,
};

export const app = newRouter(canonicalPath);

/** Where rights and settings change that objects act on; triggers know which (migration 0004_changes). */
const RIGHTS = ["auth/*", "users/*", "hospitals/*", "wards/*", "devices/*", "patients/*", "api-keys/*"].map(
  (path) => `${API}/${path}`,
);

app.use(requestLog);
app.use(
  secureHeaders({
    strictTransportSecurity: "max-age=31536000; includeSubDomains",
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
    crossOriginResourcePolicy: "same-origin",
  }),
  answerHeaders,
  deprecation,
  crossOrigin(EXPOSED, cors(CORS)),
  errorsOnly,
  httpsOnly,
);

app.use(portalPages);
app.get("/portal/*", portalFile);
app.route("/", healthRoutes);
app.use(openCall);
app.route("/", serviceRoutes);
app.get("/assets/*", (c) => c.env.ASSETS.fetch(c.req.raw));
app.use("/api/token", limitAddress, formBody);
app.route("/", tokenForm);
for (const path of PUBLIC_AUTH) app.use(path, limitAddress, jsonBody);
for (const path of NEWCOMERS) app.use(path, limitNewcomer, jsonBody);
for (const path of RIGHTS) app.use(path, announceChanges);
app.use(`${API}/devices/*`, deliverFirst);
app.route(API, publicAuth);
app.route(API, publicAccounts);
app.route(API, publicDevices);
app.use(`${API}/reports/:report_id/file`, redeemLink);
app.route(API, liveRoutes);

app.use(`${API}/*`, authenticate);
app.use(`${API}/*`, (c, next) => (UPLOADS.has(c.req.path) ? next() : jsonBody(c, next)));
app.route(API, authRoutes);
app.route(API, accountRoutes);
app.route(API, invitationRoutes);
app.route(API, userRoutes);
app.route(API, hospitalRoutes);
app.route(API, wardRoutes);
app.route(API, boardRoutes);
app.route(API, practitionerRoutes);
app.route(API, patientRoutes);
app.route(API, recordRoutes);
app.route(API, apiKeyRoutes);
app.route(API, deviceRoutes);
app.route(API, deviceCodeRoutes);
app.route(API, liveTicketRoutes);
app.route(API, uploadRoutes);
app.route(API, directRoutes);
app.route(API, reportRoutes);
app.route(API, quarantineRoutes);
app.route(API, vitalRoutes);
app.route(API, historyRoutes);
app.route(API, analyticsRoutes);
app.route(API, alertRoutes);
app.route(API, ruleRoutes);
app.route(API, auditRoutes);
app.route(API, adminRoutes);

app.route("/", openApiRoutes(app));
app.notFound(onNotFound(app, portalNotFound));
app.onError(onError);
