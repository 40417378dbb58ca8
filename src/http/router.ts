// The typed router with the shared validation hook, and the request and response shapes that routes use.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, TypedResponse } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { JSONParsed } from "hono/utils/types";
import { getPathNoStrict } from "hono/utils/url";
import type { Call } from "../access/actor.ts";
import { ApiError } from "../platform/errors.ts";
import { FIRST_TIME, LAST_TIME } from "../platform/time.ts";
import { checkRequest, toUnknownFieldErrors } from "./check-request.ts";
import { formatEtag } from "./conditional-requests.ts";

/** `policies` and `countPerson` are written by rate-limit.ts. */
type Variables = { requestId: string; call: Call; policies?: readonly string[]; countPerson?: () => Promise<void> };
export type AppEnv = { Bindings: Env; Variables: Variables };

/**
 * A router that checks each request against the contract of its operation, and turns a validation failure into one
 * `invalid_request` problem, which names fields but never values.
 */
export function createRouter(getPath: (request: Request) => string = getPathNoStrict) {
  const router = new OpenAPIHono<AppEnv>({
    getPath,
    defaultHook: (result) => {
      if (!result.success) throw validationError(result.error);
    },
  });
  const { openapi } = router;
  router.openapi = (route, handler, hook) => {
    router.on(route.method, toRoutePattern(route.path), checkRequest(route));
    return openapi(route, handler, hook);
  };
  return router;
}

/** Example: `/patients/{patient_id}` becomes `/patients/:patient_id`. */
const toRoutePattern = (path: string) => path.replaceAll(/\/{(.+?)}/g, "/:$1");

export function validationError(error: z.core.$ZodError): ApiError {
  const errors = error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? toUnknownFieldErrors(issue.keys, issue.path)
      : [{ path: issue.path.join("."), message: issue.message, code: issue.code }],
  );
  return new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors: errors.slice(0, 20) });
}

const EXAMPLE_NAMES = [
  "patient",
  "report",
  "user",
  "hospital",
  "device",
  "credential",
  "session",
  "upload",
  "request",
  "invitation",
  "ward",
  "practitioner",
  "webhook",
  "delivery",
  "subscription",
  "document",
  "review",
  "consent",
  "offer",
  "documentRequest",
  "consent",
  "erasure",
  "hold",
  "emergencyAccess",
  "guardianship",
  "location",
  "schedule",
  "scheduleException",
  "appointment",
  "series",
  "waiting",
  "feed",
  "encounter",
  "reportVersion",
  "export",
  "intakeLink",
  "submission",
  "merge",
  "payment",
] as const;
type ExampleName = (typeof EXAMPLE_NAMES)[number];

/** A UUID per name, numbered in the order of the list. */
const EXAMPLE_IDS = Object.fromEntries(
  EXAMPLE_NAMES.map((name, i) => [name, `0193a5b0-0000-7000-8000-${(i + 1).toString(16).padStart(12, "0")}`]),
) as Record<ExampleName, string>;

/** Example ids for the API documentation. */
export const EXAMPLES = { ...EXAMPLE_IDS, time: "2026-11-21T09:30:00.000Z" } as const;

/** Ids are stored in lower case; requests may have them in any case. */
export const Uuid = z.uuid().toLowerCase();
export const Id = Uuid.openapi({ example: EXAMPLES.patient });
/** How a request names a patient. */
export const PatientRef = z
  .string()
  .min(1)
  .max(64)
  .toLowerCase()
  .openapi({ description: "Patient id or patient number", example: EXAMPLES.patient });
export const Timestamp = z.iso.datetime().openapi({ example: EXAMPLES.time });

/** A time in a request, in any zone: a zone may move it to a year that has no four digits in UTC. */
export const TimeInput = z.iso
  .datetime({ offset: true })
  .refine((time) => Date.parse(time) >= FIRST_TIME && Date.parse(time) <= LAST_TIME, "Must be in the years 1 to 9999 (UTC)");

/** Headers of create and update requests, validated by readIdempotencyKey() and changeIfMatch(). */
export const idempotencyHeaders = z.object({
  "idempotency-key": z
    .string()
    .optional()
    .openapi({ description: "Printable ASCII; one effect per key within 24 hours", minLength: 8, maxLength: 128 }),
});
export const ifMatchHeaders = z.object({
  "if-match": z.string().optional().openapi({
    description: "The ETag of the version being changed, a list of them, or *; required, else 428",
    maxLength: 1000,
    example: '"1"',
  }),
});

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    error_id: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string(), code: z.string() })),
  })
  .openapi("Problem");

export const Pagination = z
  .object({
    limit: z.number().int(),
    offset: z.number().int(),
    total: z.number().int(),
    total_is_exact: z.boolean(),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  })
  .openapi("Pagination");
export type Pagination = z.infer<typeof Pagination>;

const examplePagination: Pagination = {
  limit: 20,
  offset: 0,
  total: 1,
  total_is_exact: true,
  has_more: false,
  next_cursor: null,
};

/** A 2xx response `{data, meta, request_id}`. */
export function jsonResponse<T extends z.ZodType>(schema: T, description: string, example: z.input<T>) {
  return {
    description,
    content: {
      "application/json": {
        schema: z.object({ data: schema, meta: z.object({}), request_id: z.string() }),
        example: { data: example, meta: {}, request_id: EXAMPLES.request },
      },
    },
  };
}

/** A 200 response whose `data` is a page. */
export function pageResponse<T extends z.ZodType>(schema: T, description: string, example: z.input<T>) {
  return {
    description,
    content: {
      "application/json": {
        schema: z.object({
          data: z.array(schema),
          meta: z.object({ pagination: Pagination }),
          request_id: z.string(),
        }),
        example: { data: [example], meta: { pagination: examplePagination }, request_id: EXAMPLES.request },
      },
    },
  };
}

/** For a list or statistic whose response may have an ETag (access/cached-read.ts). */
export const HAS_ETAG = { headers: { ETag: { $ref: "#/components/headers/ETag" } } };

/** For a response that may set or remove the refresh cookie. */
export const SETS_COOKIE = { headers: { "Set-Cookie": { $ref: "#/components/headers/Set-Cookie" } } };

export function jsonRequestBody<T extends z.ZodType>(schema: T, example: z.input<T>) {
  return { required: true, content: { "application/json": { schema, example } } };
}

export const PROBLEM_DESCRIPTIONS: Record<number, string> = {
  400: "Invalid request",
  401: "Missing or invalid access token",
  403: "Insufficient permissions",
  404: "Not found, or not visible to the caller",
  405: "The path does not have this method; Allow lists those that it has",
  408: "Request body timed out",
  409: "Conflict with the current state",
  410: "Link has expired",
  411: "Content-Length is required",
  412: "If-Match does not match the current version",
  413: "Request body is too large",
  415: "Unsupported media type",
  416: "Range is outside the file",
  423: "Locked after too many failed attempts",
  426: "WebSocket upgrade is required",
  428: "If-Match header is required",
  429: "Too many requests",
  500: "Internal error; its ids identify the log entry",
  501: "Not configured in this deployment",
  503: "Service is temporarily unavailable or misconfigured",
};

/**
 * The problem+json responses of a route; always includes 400, 429 and 503. Those of every operation, or of every one with a body,
 * path parameters or a token, are added to the document (service/openapi-document.ts).
 */
export function problemResponses<const S extends number>(...statuses: S[]) {
  const content = { "application/problem+json": { schema: Problem } };
  const allStatuses = [...new Set<number>([400, ...statuses, 429, 503])];
  return Object.fromEntries(
    allStatuses.map((status) => [status, { description: PROBLEM_DESCRIPTIONS[status] ?? "Error", content }]),
  ) as Record<S | 400 | 429 | 503, { description: string; content: typeof content }>;
}

export const BEARER_AUTH = [{ bearer: [] }];
/** An access token, or a signed link without a token. */
export const BEARER_OR_LINK_AUTH: Record<string, string[]>[] = [{ bearer: [] }, {}];

// Explicit, because the inferred type cannot be written into the routes' declaration files.
type TypedJsonResponse<Body, S extends StatusCode> = Response & TypedResponse<JSONParsed<Body>, S, "json">;

/** A versioned resource gets its ETag. */
export function ok<T, const S extends 200 | 201 | 202 = 200>(
  c: Context<AppEnv>,
  data: T,
  status?: S,
  // biome-ignore lint/complexity/noBannedTypes: the type of an empty object in JSON
): TypedJsonResponse<{ data: T; meta: {}; request_id: string }, S> {
  const etag = formatEtag(data);
  if (etag !== null) c.header("ETag", etag);
  return c.json({ data, meta: {}, request_id: c.get("requestId") }, (status ?? 200) as S) as never;
}

/** @param result with an ETag if the list has one (access/cached-read.ts) */
export function okPage<T>(
  c: Context<AppEnv>,
  result: { items: T[]; pagination: Pagination; etag?: string | null },
): TypedJsonResponse<{ data: T[]; meta: { pagination: Pagination }; request_id: string }, 200> {
  const { items, pagination, etag } = result;
  if (etag) c.header("ETag", etag);
  return c.json({ data: items, meta: { pagination }, request_id: c.get("requestId") }, 200) as never;
}
