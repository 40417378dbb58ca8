// The map: what every request passes, what is public, the line that authenticates, what is protected.
import { except } from "hono/combine";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { apiKeyRoutes } from "./accounts/api-keys/routes.ts";
import { accountRoutes, publicAccounts } from "./accounts/auth/account-routes.ts";
import { tokenForm } from "./accounts/auth/oauth.ts";
import { authRoutes, publicAuth } from "./accounts/auth/routes.ts";
import { authenticate } from "./accounts/sessions/authenticate.ts";
import { corsOrigins } from "./accounts/sessions/cookies.ts";
import { invitationRoutes } from "./accounts/users/invitation-routes.ts";
import { userRoutes } from "./accounts/users/routes.ts";
import { auditRoutes } from "./audit/routes.ts";
import { deviceCodeRoutes, publicDevices } from "./devices/claim-routes.ts";
import { deviceRoutes } from "./devices/routes.ts";
import { canonicalPath, deprecation } from "./http/aliases.ts";
import { onNotFound } from "./http/methods.ts";
import {
  answerHeaders,
  errorsOnly,
  formBody,
  httpsOnly,
  jsonBody,
  limitAddress,
  limitNewcomer,
  openCall,
  requestLog,
} from "./http/request.ts";
import { newRouter } from "./http/router.ts";
import { alertRoutes } from "./monitoring/alerts/routes.ts";
import { ruleRoutes } from "./monitoring/alerts/rules-routes.ts";
import { analyticsRoutes } from "./monitoring/history/analytics-routes.ts";
import { historyRoutes } from "./monitoring/history/history-routes.ts";
import { vitalRoutes } from "./monitoring/intake/routes.ts";
import { liveRoutes, liveTicketRoutes } from "./monitoring/live/routes.ts";
import { announceChanges, deliverFirst } from "./monitoring/patient-object/context/changes.ts";
import { hospitalRoutes } from "./organization/hospitals/routes.ts";
import { practitionerRoutes } from "./organization/practitioners/routes.ts";
import { boardRoutes } from "./organization/wards/board-routes.ts";
import { wardRoutes } from "./organization/wards/routes.ts";
import { recordRoutes } from "./patients/record/record-routes.ts";
import { patientRoutes } from "./patients/routes.ts";
import { onError } from "./platform/errors.ts";
import { quarantineRoutes } from "./reports/quarantine/quarantine-routes.ts";
import { redeemLink, reportRoutes } from "./reports/reading/routes.ts";
import { directRoutes } from "./reports/upload/direct-routes.ts";
import { uploadRoutes } from "./reports/upload/upload-routes.ts";
import { adminRoutes } from "./service/admin/routes.ts";
import { openApiRoutes } from "./service/openapi.ts";
import { portalFile, portalNotFound, portalPages } from "./service/portal.ts";
import { healthRoutes, serviceRoutes } from "./service/routes.ts";

const API = "/api/v1";
const PUBLIC_AUTH = [`${API}/auth/login`, `${API}/auth/refresh`, `${API}/auth/bootstrap`];
const SIGNUPS = ["register", "register/patient", "invitations/accept", "password/reset"].map((path) => `${API}/auth/${path}`);
const NEWCOMERS = [...SIGNUPS, `${API}/devices/claim`];
const UPLOADS = [`${API}/reports`, `${API}/reports/batch`, `${API}/ecg/reports/upload`];

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
  cors({
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
    exposeHeaders: ["ETag", "X-Request-Id", "Retry-After", "RateLimit-Policy", "Content-Range", "Deprecation", "Link"],
    maxAge: 600,
  }),
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
app.use(`${API}/*`, except(UPLOADS, jsonBody));
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
