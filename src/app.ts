// The map: what every request passes, what is public, the line that authenticates, what is protected.
import { except } from "hono/combine";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { adminRoutes } from "./admin/routes.ts";
import { auditRoutes } from "./audit-log/routes.ts";
import { authenticate } from "./auth/authenticate.ts";
import { corsOrigins } from "./auth/cookies.ts";
import { tokenForm } from "./auth/oauth.ts";
import { authRoutes, publicAuth } from "./auth/routes.ts";
import { deviceRoutes } from "./devices/routes.ts";
import { onError } from "./errors.ts";
import { hospitalRoutes } from "./hospitals/routes.ts";
import { onNotFound } from "./methods.ts";
import { patientRoutes } from "./patients/routes.ts";
import { redeemLink, reportRoutes } from "./reports/routes.ts";
import { uploadRoutes } from "./reports/upload-routes.ts";
import { answerHeaders, errorsOnly, formBody, httpsOnly, jsonBody, limitAddress, openCall, requestLog } from "./request.ts";
import { newRouter } from "./router.ts";
import { openApiRoutes } from "./service/openapi.ts";
import { healthRoutes, serviceRoutes } from "./service/routes.ts";
import { userRoutes } from "./users/routes.ts";

const API = "/api/v1";
const PUBLIC_AUTH = [`${API}/auth/login`, `${API}/auth/refresh`, `${API}/auth/bootstrap`];
const UPLOADS = [`${API}/reports`, `${API}/ecg/reports/upload`];

export const app = newRouter();

app.use(requestLog);
app.use(
  secureHeaders({
    strictTransportSecurity: "max-age=31536000; includeSubDomains",
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
    crossOriginResourcePolicy: "same-origin",
  }),
  answerHeaders,
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

app.route("/", healthRoutes);
app.use(openCall);
app.route("/", serviceRoutes);
app.get("/assets/*", (c) => c.env.ASSETS.fetch(c.req.raw));
app.use("/api/token", limitAddress, formBody);
app.route("/", tokenForm);
for (const path of PUBLIC_AUTH) app.use(path, limitAddress, jsonBody);
app.route(API, publicAuth);
app.use(`${API}/reports/:report_id/file`, redeemLink);

app.use(`${API}/*`, authenticate);
app.use(`${API}/*`, except(UPLOADS, jsonBody));
app.route(API, authRoutes);
app.route(API, userRoutes);
app.route(API, hospitalRoutes);
app.route(API, patientRoutes);
app.route(API, deviceRoutes);
app.route(API, uploadRoutes);
app.route(API, reportRoutes);
app.route(API, auditRoutes);
app.route(API, adminRoutes);

app.route("/", openApiRoutes(app));
app.notFound(onNotFound(app));
app.onError(onError);
