// Additions to every operation of the OpenAPI document: operation ids, common headers, 500 responses, integer formats.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../http/router.ts";

type OpenApiDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;
type OpenApiResponse = { description: string; headers?: Record<string, unknown>; content?: unknown };

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** The tags that routes may use. */
export const TAGS = [
  { name: "Service", description: "Information about the deployment: health, public keys, metrics" },
  { name: "Authentication", description: "Login, logout, sessions and the first administrator" },
  { name: "Accounts", description: "User accounts and their roles" },
  { name: "API keys", description: "Scoped credentials of external programs" },
  { name: "Organization", description: "FHIR Organization: hospitals and their members" },
  { name: "Location", description: "FHIR Location: wards" },
  { name: "Practitioner", description: "FHIR Practitioner: profiles of doctors and nurses" },
  { name: "Patient", description: "FHIR Patient: patient records, care teams and linked accounts" },
  { name: "Device", description: "FHIR Device: devices, their credentials and assignments to patients" },
  { name: "Observation", description: "FHIR Observation: vital signs, latest values, charts, scores and corrections" },
  { name: "Analytics", description: "Aggregated observations per patient, wearable and hospital" },
  { name: "DiagnosticReport", description: "FHIR DiagnosticReport: reports, files and statistics" },
  { name: "Live", description: "Live patient data: tickets, WebSocket, server-sent events" },
  { name: "DetectedIssue", description: "FHIR DetectedIssue: alerts and their handling by staff" },
  { name: "Alert rules", description: "Alarm limits: catalogue defaults, per ward, per patient" },
  { name: "Upload log", description: "Upload attempts with their outcome, and files in quarantine" },
  { name: "AuditEvent", description: "FHIR AuditEvent: who accessed or changed whose data" },
  { name: "Admin", description: "Views for platform administrators" },
];

const describeHeader = (description: string, example: string) => ({ description, schema: { type: "string" as const }, example });
const HEADERS = {
  "X-Request-Id": describeHeader("The request's id, as in logs and the audit log", "0193a5b0-0000-7000-8000-000000000009"),
  "RateLimit-Policy": describeHeader("The caller's quota (draft-ietf-httpapi-ratelimit-headers)", '"person";q=100;w=60'),
  "Access-Control-Allow-Origin": describeHeader("The caller's origin, if CORS_ORIGINS contains it", "https://portal.example.org"),
  "Retry-After": describeHeader("Seconds to wait before the next attempt", "5"),
  "WWW-Authenticate": describeHeader("RFC 6750", 'Bearer realm="edgecare"'),
};
type HeaderName = keyof typeof HEADERS;

const COMMON_HEADERS: HeaderName[] = ["X-Request-Id", "RateLimit-Policy", "Access-Control-Allow-Origin"];
const HEADERS_BY_STATUS: Record<string, HeaderName[]> = {
  "401": ["WWW-Authenticate"],
  "429": ["Retry-After"],
  "503": ["Retry-After"],
};

const PROBLEM_500: OpenApiResponse = {
  description: "Internal error; its ids identify the log entry",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** Every authenticated write may reach a ceiling of storage-quotas.ts; 429 is in every route. */
const PROBLEM_409: OpenApiResponse = {
  description: "A storage ceiling is reached, or the import grant has ended",
  content: PROBLEM_500.content,
};
const STORING_METHODS: readonly string[] = ["post", "put", "patch"];

/** Example: `get /api/v1/patients/{patient_id}/care-team` becomes `getPatientsByPatientIdCareTeam`. */
function buildOperationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v\d+\//, "/")
    .replaceAll("{", "by_")
    .split(/[^A-Za-z0-9]+/);
  return method + (words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("") || "Root");
}

function addHeaders(status: string, response: OpenApiResponse): void {
  const names = [...COMMON_HEADERS, ...(HEADERS_BY_STATUS[status] ?? [])];
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

/** @param document generated from the routes; modified in place and returned */
export function completeDocument(document: OpenApiDocument): OpenApiDocument {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      operation.operationId ??= buildOperationId(method, path);
      // An explicit empty list marks public operations.
      operation.security ??= [];
      const responses: Record<string, OpenApiResponse> = Object.fromEntries(Object.entries({ ...operation.responses }));
      responses["500"] ??= { ...PROBLEM_500 };
      if (STORING_METHODS.includes(method) && operation.security.length > 0) responses["409"] ??= { ...PROBLEM_409 };
      for (const [status, response] of Object.entries(responses)) addHeaders(status, response);
      operation.responses = responses;
    }
  }
  addIntegerFormats(document.components?.schemas);
  addIntegerFormats(document.paths);
  document.tags = TAGS;
  document.components = { ...document.components, headers: HEADERS };
  return document;
}
