// What is true of every operation, added to the description once: ids, the common headers, 500, formats of integers.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../http/router.ts";

type OpenApiDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;
type OpenApiResponse = { description: string; headers?: Record<string, unknown>; content?: unknown };

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** One line for each word that a routes.ts may give as its tag. */
export const TAGS = [
  { name: "Service", description: "The deployment itself: what it is, whether it works, its public keys, its gauges" },
  { name: "Authentication", description: "Logging in and out, sessions, the first administrator" },
  { name: "Accounts", description: "Logins of people and what they may do" },
  { name: "API keys", description: "Credentials of programs, with scopes" },
  { name: "Organization", description: "FHIR Organization: hospitals and who works there" },
  { name: "Location", description: "FHIR Location: wards" },
  { name: "Practitioner", description: "FHIR Practitioner: profiles of doctors and nurses" },
  { name: "Patient", description: "FHIR Patient: records, their care teams and their accounts" },
  { name: "Device", description: "FHIR Device: machines, their credentials and the patients they are bound to" },
  { name: "Observation", description: "FHIR Observation: vital signs, their latest values, charts, scores and corrections" },
  { name: "Analytics", description: "What many observations come to: of a patient, of a wearable, of a hospital" },
  { name: "DiagnosticReport", description: "FHIR DiagnosticReport: reports, their files and their statistics" },
  { name: "Live", description: "Live views of patients: tickets, the WebSocket, server-sent events" },
  { name: "DetectedIssue", description: "FHIR DetectedIssue: alerts, and what staff do to them" },
  { name: "Alert rules", description: "Alarm limits: the catalogue's, a ward's, a patient's" },
  { name: "Upload log", description: "Every attempt to upload, with what became of it" },
  { name: "AuditEvent", description: "FHIR AuditEvent: who did what to whose data" },
  { name: "Admin", description: "What the administrator of the platform sees" },
];

const describeHeader = (description: string, example: string) => ({ description, schema: { type: "string" as const }, example });
const HEADERS = {
  "X-Request-Id": describeHeader(
    "The request's id, as it stands in logs and in the audit trail",
    "0193a5b0-0000-7000-8000-000000000009",
  ),
  "RateLimit-Policy": describeHeader("The caller's allowance (draft-ietf-httpapi-ratelimit-headers)", '"person";q=100;w=60'),
  "Access-Control-Allow-Origin": describeHeader("The caller's origin, where CORS_ORIGINS names it", "https://portal.example.org"),
  "Retry-After": describeHeader("Seconds to wait before the next try", "5"),
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
  description: "Internal server error; error_id and request_id identify the log line",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** `get /api/v1/patients/{patient_id}/care-team` is `getPatientsByPatientIdCareTeam`. */
function buildOperationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v\d+\//, "/")
    .replaceAll("{", "by_")
    .split(/[^A-Za-z0-9]+/);
  return method + (words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("") || "Root");
}

function addHeaders(status: string, answer: OpenApiResponse): void {
  const names = [...COMMON_HEADERS, ...(HEADERS_BY_STATUS[status] ?? [])];
  const refs = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
  answer.headers = { ...Object.fromEntries(refs), ...answer.headers };
}

/** Whole numbers in JSON are exact to 2^53. */
function addIntegerFormats(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  if ("type" in schema && (schema.type === "integer" || (Array.isArray(schema.type) && schema.type.includes("integer")))) {
    Object.assign(schema, { format: "int64" });
  }
  for (const inner of Object.values(schema)) addIntegerFormats(inner);
}

/** @param document as the routes describe themselves; it is changed in place and returned */
export function completeDocument(document: OpenApiDocument): OpenApiDocument {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      operation.operationId ??= buildOperationId(method, path);
      // None needed, said in so many words.
      operation.security ??= [];
      const answers: Record<string, OpenApiResponse> = Object.fromEntries(Object.entries({ ...operation.responses }));
      answers["500"] ??= { ...PROBLEM_500 };
      for (const [status, answer] of Object.entries(answers)) addHeaders(status, answer);
      operation.responses = answers;
    }
  }
  addIntegerFormats(document.components?.schemas);
  addIntegerFormats(document.paths);
  document.tags = TAGS;
  document.components = { ...document.components, headers: HEADERS };
  return document;
}
