// Additions to every operation of the OpenAPI document: operation ids, shared responses, response headers, integer formats.
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { type AppEnv, PROBLEM_DESCRIPTIONS } from "../http/router.ts";

type OpenApiDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;
type Operation = NonNullable<NonNullable<OpenApiDocument["paths"]>[string]["get"]>;
type OpenApiResponse = {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema?: unknown } | undefined>;
};
type Responses = Record<string, OpenApiResponse>;

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** The tags that routes may use. */
export const TAGS = [
  { name: "Service", description: "Information about the deployment: health, public keys, metrics" },
  { name: "Authentication", description: "Login, logout, sessions and the first administrator" },
  { name: "Accounts", description: "User accounts and their roles" },
  { name: "API keys", description: "Scoped credentials of external programs" },
  { name: "Webhooks", description: "Signed events for systems of a hospital, with a delivery log" },
  { name: "Organization", description: "FHIR Organization: hospitals and their members" },
  { name: "Location", description: "FHIR Location: wards, and where a hospital sees patients" },
  { name: "Practitioner", description: "FHIR Practitioner: profiles of doctors and nurses" },
  { name: "Schedule", description: "FHIR Schedule and Slot: weekly hours and absences of practitioners, and free times" },
  { name: "Appointment", description: "FHIR Appointment: appointments and series of them, the waiting list and settings" },
  { name: "Queue", description: "Arrivals at a location, who is called next, and the screen of the waiting room" },
  { name: "Calendar", description: "Calendar addresses of appointments (iCalendar, RFC 5545)" },
  { name: "Video", description: "Links to the video call of an appointment" },
  { name: "Payments", description: "Payments for appointments, and what the provider reports" },
  { name: "Encounter", description: "FHIR Encounter: consultations and their notes" },
  { name: "Patient", description: "FHIR Patient: patient records, care teams and linked accounts" },
  { name: "Timeline", description: "What happened to a patient, newest first" },
  { name: "Intake", description: "Intake forms that persons fill in, links to them and their review" },
  { name: "Merge", description: "Records of the same person: found, merged, and separated again" },
  { name: "Record export", description: "A whole record as one file" },
  { name: "Consent", description: "Consents of persons to share records between hospitals, and codes that share" },
  { name: "Device", description: "FHIR Device: devices, their credentials and assignments to patients" },
  { name: "Observation", description: "FHIR Observation: vital signs, latest values, charts, scores and corrections" },
  { name: "Analytics", description: "Aggregated observations per patient, wearable and hospital" },
  { name: "DiagnosticReport", description: "FHIR DiagnosticReport: reports, their signatures, files and statistics" },
  { name: "DocumentReference", description: "FHIR DocumentReference: documents of patients, their versions and files" },
  { name: "Document requests", description: "Documents that a hospital asks another one for, with the person's consent" },
  { name: "Live", description: "Live patient data: tickets, WebSocket, server-sent events" },
  { name: "DetectedIssue", description: "FHIR DetectedIssue: alerts and their handling by staff" },
  { name: "Alert rules", description: "Alarm limits: catalogue defaults, per ward, per patient" },
  { name: "Escalation", description: "Minutes to escalation and repeats of alerts, and who is told, per hospital and ward" },
  { name: "Upload log", description: "Upload attempts with their outcome, and files in quarantine" },
  { name: "AuditEvent", description: "FHIR AuditEvent: who accessed or changed whose data" },
  { name: "Emergency access", description: "Break-glass: one record opened for an hour, told and reviewed" },
  { name: "Privacy", description: "Privacy officers, their reviews of access, and questions of patients about an access" },
  { name: "Erasure", description: "Retention periods, legal holds on records, and erasure of patients with a certificate" },
  { name: "Notifications", description: "What persons are told, by which channels, and what became of each delivery" },
  { name: "Admin", description: "Views for platform administrators" },
];

const describeHeader = (description: string, example: string) => ({ description, schema: { type: "string" as const }, example });
const HEADERS = {
  "X-Request-Id": describeHeader("The request's id, as in logs and the audit log", "0193a5b0-0000-7000-8000-000000000009"),
  "RateLimit-Policy": describeHeader("The caller's quota (draft-ietf-httpapi-ratelimit-headers)", '"person";q=100;w=60'),
  "Access-Control-Allow-Origin": describeHeader("The caller's origin, if CORS_ORIGINS contains it", "https://portal.example.org"),
  "Retry-After": describeHeader("Seconds to wait before the next attempt", "5"),
  "WWW-Authenticate": describeHeader("RFC 6750", 'Bearer realm="edgecare"'),
  Allow: describeHeader("Methods of the path", "GET, HEAD, OPTIONS"),
  Location: describeHeader("The same URL with https", "https://clinic.example.org/api/v1/patients"),
  ETag: describeHeader("Version and content, for If-Match and If-None-Match", '"1-9f86d081884c7d65"'),
  Deprecation: describeHeader("Deprecated since (RFC 9745)", "@1795305600"),
  Sunset: describeHeader("May be removed after this date (RFC 8594)", "Mon, 22 Nov 2027 00:00:00 GMT"),
  Link: describeHeader("The path to use instead (RFC 8288)", '</api/v1/patients>; rel="successor-version"'),
  "Set-Cookie": describeHeader("The refresh token, if the portal asked for it as a cookie, or its removal", "edgecare_refresh=…"),
  "Accept-Ranges": describeHeader("RFC 9110 §14.3", "bytes"),
  "Content-Range": describeHeader("RFC 9110 §14.4", "bytes 0-1023/48213"),
  "Content-Disposition": describeHeader("RFC 6266: an attachment with its file name", 'attachment; filename="ecg.pdf"'),
  "Repr-Digest": describeHeader("SHA-256 of the whole file (RFC 9530)", "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:"),
  Upgrade: describeHeader("The protocol to change to", "websocket"),
};
type HeaderName = keyof typeof HEADERS;

const COMMON_HEADERS: HeaderName[] = ["X-Request-Id", "RateLimit-Policy", "Access-Control-Allow-Origin"];
const DEPRECATION_HEADERS: HeaderName[] = ["Deprecation", "Sunset", "Link"];
const FILE_HEADERS: HeaderName[] = ["Accept-Ranges", "ETag", "Content-Disposition", "Repr-Digest"];
const HEADERS_BY_STATUS: Record<string, HeaderName[]> = {
  "206": ["Content-Range"],
  "304": ["ETag"],
  "308": ["Location"],
  "401": ["WWW-Authenticate"],
  "405": ["Allow"],
  "416": ["Content-Range"],
  "423": ["Retry-After"],
  "426": ["Upgrade"],
  "429": ["Retry-After"],
  "503": ["Retry-After"],
};

const IF_NONE_MATCH = {
  name: "if-none-match",
  in: "header" as const,
  description: "ETags that the caller has, or *",
  schema: { type: "string" as const, maxLength: 1000 },
  example: '"1-9f86d081884c7d65"',
};

const problem = (status: number): OpenApiResponse => ({
  description: PROBLEM_DESCRIPTIONS[status] ?? "Error",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

/** Every authenticated write may reach a ceiling of storage-quotas.ts; 429 is in every route. */
const QUOTA_PROBLEM: OpenApiResponse = {
  ...problem(409),
  description: "A storage ceiling is reached, or the import grant has ended",
};
const STORING_METHODS: readonly string[] = ["post", "put", "patch"];

/**
 * Responses that do not depend on the operation's handler: of the check of each request (http/check-request.ts), of
 * authentication, of the reader of bodies, and in production of requests without https.
 */
function addSharedResponses(method: string, path: string, operation: Operation, responses: Responses): void {
  const isProtected = (operation.security ?? []).length > 0;
  const statuses = [400, 405, 500, 503];
  if (isProtected) statuses.push(401, 403);
  if (path.includes("{") || hasHospitalFilter(operation)) statuses.push(404);
  if (["post", "put", "patch", "delete"].includes(method)) statuses.push(408, 413, 415);
  if (method === "get") responses["308"] = { description: "In production, a request without https is redirected" };
  else statuses.push(403);
  for (const status of statuses) responses[status] ??= problem(status);
  if (isProtected && STORING_METHODS.includes(method)) responses["409"] ??= QUOTA_PROBLEM;
}

/** A hospital that the caller may not see is not found, as in a path. */
const hasHospitalFilter = ({ parameters = [] }: Operation): boolean =>
  parameters.some((parameter) => "name" in parameter && parameter.name === "hospital_id" && parameter.in === "query");

/** Example: `get /api/v1/patients/{patient_id}/care-team` becomes `getPatientsByPatientIdCareTeam`. */
function buildOperationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v\d+\//, "/")
    .replaceAll("{", "by_")
    .split(/[^A-Za-z0-9]+/);
  return method + (words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("") || "Root");
}

function addHeaders(response: OpenApiResponse, names: HeaderName[]): void {
  const refs = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  response.headers = { ...Object.fromEntries(refs), ...response.headers };
}

/** Integers in JSON are exact up to 2^53, so int32 would be wrong. */
function addIntegerFormats(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  if ("type" in schema && (schema.type === "integer" || (Array.isArray(schema.type) && schema.type.includes("integer")))) {
    Object.assign(schema, { format: "int64" });
  }
  for (const inner of Object.values(schema)) addIntegerFormats(inner);
}

/** The parts of a schema that tell which members an object has. */
const SchemaNode = z.object({
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
});
type Schemas = Record<string, unknown>;

function listMembers(schema: unknown, schemas: Schemas): Schemas {
  const { $ref, properties, allOf = [] } = SchemaNode.parse(schema ?? {});
  const inherited = $ref === undefined ? allOf : [schemas[$ref.replace("#/components/schemas/", "")]];
  return Object.assign({}, ...inherited.map((part) => listMembers(part, schemas)), properties);
}

/** True if the response has an ETag: HAS_ETAG in http/router.ts, or formatEtag() in http/conditional-requests.ts. */
function hasEtag({ content, headers }: OpenApiResponse, schemas: Schemas): boolean {
  if (headers && "ETag" in headers) return true;
  const members = listMembers(listMembers(content?.["application/json"]?.schema, schemas)["data"], schemas);
  return "version" in members && !("download_url" in members);
}

function headersOf(method: string, status: string, response: OpenApiResponse, schemas: Schemas): HeaderName[] {
  const isFile = ["application/pdf", "application/octet-stream"].some((type) => response.content?.[type] !== undefined);
  return [
    ...COMMON_HEADERS,
    ...(HEADERS_BY_STATUS[status] ?? []),
    ...(isFile && method === "get" ? FILE_HEADERS : []),
    ...(hasEtag(response, schemas) ? (["ETag"] as const) : []),
  ];
}

function completeOperation(method: string, path: string, operation: Operation, schemas: Schemas): void {
  operation.operationId ??= buildOperationId(method, path);
  // An explicit empty list marks public operations.
  operation.security ??= [];
  const responses: Responses = Object.fromEntries(Object.entries({ ...operation.responses }));
  addSharedResponses(method, path, operation, responses);
  const success = responses["200"];
  if (method === "get" && success && hasEtag(success, schemas)) {
    responses["304"] = { description: "The caller has this version (If-None-Match)" };
    operation.parameters = [...(operation.parameters ?? []), IF_NONE_MATCH];
  }
  for (const [status, response] of Object.entries(responses)) {
    addHeaders(response, headersOf(method, status, response, schemas));
    if (operation.deprecated) addHeaders(response, DEPRECATION_HEADERS);
  }
  operation.responses = responses;
}

/** @param document generated from the routes; modified in place and returned */
export function completeDocument(document: OpenApiDocument): OpenApiDocument {
  const schemas = { ...document.components?.schemas };
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) completeOperation(method, path, operation, schemas);
    }
  }
  addIntegerFormats(document.components?.schemas);
  addIntegerFormats(document.paths);
  document.tags = TAGS;
  document.components = { ...document.components, headers: HEADERS };
  return document;
}
