// Routes that read and amend observations (FHIR Observation), scores and quarantined samples.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { integerParam, pageQuery } from "../../http/pagination.ts";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  Pagination,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { patientParam } from "../../patients/schemas.ts";
import { HELD_STATES } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import { MAX_ACVPU_LENGTH } from "../vitals/codes.ts";
import { amendObservation } from "./amendment.ts";
import { BucketColumns, bucketColumns, SampleColumns, sampleColumns } from "./columns.ts";
import { getHeldObservations, listHeldObservations } from "./held-observations.ts";
import { getBuckets, getLatestObservations, getNews2, listHourlyRollups, listObservations } from "./history.ts";
import { codeQuery, cursorQuery, rangeQuery, type SampleQuery, sampleQuery } from "./query.ts";
import {
  Bucket,
  exampleHeldObservations,
  exampleLatest,
  exampleObservation,
  exampleRollup,
  exampleScore,
  HeldObservations,
  HistoryEntry,
  Latest,
  LimitsSince,
  Observation,
  observationParam,
  PatientScore,
  Rollup,
  SharedLatest,
} from "./schemas.ts";

const tags = ["Observation"];
const HistoryQuery = z.strictObject({
  code: codeQuery,
  ...rangeQuery,
  ...cursorQuery,
  ...sampleQuery,
  buckets: integerParam(1, 1000)
    .optional()
    .openapi({ description: "Number of equal parts of the range to return instead of samples; by default of the last 24 hours" }),
  format: z
    .enum(["list", "columns"])
    .default("list")
    .openapi({ description: "columns: one array of times and one of values per vital, a tenth of the size" }),
});

/** A page of samples, or buckets with their resolution. */
const historyResponse = {
  description: "Newest first unless sort says otherwise; buckets by code and time",
  content: {
    "application/json": {
      schema: z.object({
        data: z.union([z.array(z.union([Observation, Bucket])), SampleColumns, BucketColumns]),
        meta: z.object({
          pagination: Pagination.optional(),
          resolution: z
            .enum(["raw", "hour"])
            .optional()
            .openapi({ description: "Buckets of ranges beyond 24 hours are made from hourly rollups" }),
          from: Timestamp.optional(),
          to: Timestamp.optional(),
          uncounted_hours: z
            .int()
            .optional()
            .openapi({ description: "Hours of the range that wait for a recount after late samples; retry for final values" }),
          limits: z
            .array(LimitsSince)
            .optional()
            .openapi({ description: "Only with buckets: the alarm limits at the start of the range, and each change within it" }),
        }),
        request_id: z.string(),
      }),
      example: {
        data: [exampleObservation],
        meta: { pagination: { limit: 100, offset: 0, total: 1, total_is_exact: true, has_more: false, next_cursor: null } },
        request_id: EXAMPLES.request,
      },
    },
  },
};

const historyRoute = <P extends string>(path: P) =>
  createRoute({
    method: "get",
    path,
    tags,
    summary: "List observations of a patient",
    security: BEARER_AUTH,
    request: { params: patientParam, query: HistoryQuery },
    responses: { 200: historyResponse, ...problemResponses(401, 403, 404) },
  });

/** Rollups have no senders and statuses. */
function assertUnfiltered({ sort, device_id, performer_id, source, status, value_min, value_max }: SampleQuery): void {
  const filters = { device_id, performer_id, source, status, value_min, value_max };
  const given = Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (sort !== "-effective_at") given.push("sort");
  if (given.length === 0) return;
  throw new ApiError("invalid_request", "Buckets are made from all final samples: filters and sort are for lists.", {
    errors: given.map((path) => ({ path, message: "Not with buckets", code: "unused" })),
  });
}

async function handleHistory(c: Context<AppEnv>, ref: string, query: z.output<typeof HistoryQuery>) {
  const { buckets, format, ...rest } = query;
  const call = c.get("call");
  const request_id = c.get("requestId");
  if (buckets === undefined) {
    const found = await listObservations(c.env, call, ref, rest);
    if (format === "list") return okPage(c, found);
    return c.json({ data: sampleColumns(found.items), meta: { pagination: found.pagination }, request_id }, 200);
  }
  assertUnfiltered(rest);
  const { items, meta } = await getBuckets(c.env, call, ref, { ...rest, buckets });
  if (format === "list") return c.json({ data: items, meta, request_id }, 200);
  return c.json({ data: bucketColumns(items), meta, request_id }, 200);
}

const AmendmentReason = z.string().trim().min(1).max(500);
const AmendmentBody = z.discriminatedUnion("status", [
  z.strictObject({
    status: z.literal("amended"),
    value: z
      .union([z.number(), z.string().max(MAX_ACVPU_LENGTH)])
      .openapi({ description: "A number, or for consciousness A, C, V, P, U or its word" }),
    unit: z.string().min(1).max(32).optional().openapi({ description: "UCUM; default: the unit of the sample" }),
    reason: AmendmentReason,
  }),
  z.strictObject({ status: z.literal("entered-in-error"), reason: AmendmentReason }),
]);

export const historyRoutes = createRouter()
  .openapi(historyRoute("/patients/{patient_id}/observations"), async (c) =>
    handleHistory(c, c.req.valid("param").patient_id, c.req.valid("query")),
  )
  .openapi(historyRoute("/patients/{patient_id}/history"), async (c) =>
    handleHistory(c, c.req.valid("param").patient_id, c.req.valid("query")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/observations/latest",
      tags,
      summary: "Get the latest observations of a patient",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(
          z.union([Latest, SharedLatest]),
          "The latest sample of each vital, the devices, the score and the limits; by a consent the samples alone",
          exampleLatest,
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getLatestObservations(c.env, c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/observations/rollups",
      tags,
      summary: "List hourly rollups of a patient",
      security: BEARER_AUTH,
      request: {
        params: patientParam,
        query: z.strictObject({ interval: z.enum(["hour"]).default("hour"), code: codeQuery, ...rangeQuery, ...cursorQuery }),
      },
      responses: {
        200: pageResponse(Rollup, "Oldest first, of any age, at most 31 days; by default the last 24 hours", exampleRollup),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listHourlyRollups(c.env, c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/scores/news2",
      tags,
      summary: "Get the NEWS2 score of a patient",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(PatientScore, "The score, or the reason why there is none", {
          patient_id: EXAMPLES.patient,
          ...exampleScore,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getNews2(c.env, c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/observations/{observation_id}",
      tags,
      summary: "Amend an observation",
      security: BEARER_AUTH,
      request: {
        params: observationParam,
        body: jsonRequestBody(AmendmentBody, { status: "amended", value: 74, unit: "/min", reason: "Read off the wrong line" }),
      },
      responses: {
        200: jsonResponse(Observation.extend({ history: z.array(HistoryEntry) }), "The amended sample with all earlier values", {
          ...exampleObservation,
          value: 74,
          status: "amended",
          history: [{ value: 72, unit: "/min", at: EXAMPLES.time, device_id: EXAMPLES.device, performer_id: null }],
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await amendObservation(c.env, c.get("call"), c.req.valid("param").observation_id, c.req.valid("json"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/observations/quarantine",
      tags,
      summary: "List quarantined observations",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({ ...pageQuery, state: z.enum(HELD_STATES).optional(), device_id: Id.optional() }),
      },
      responses: { 200: pageResponse(HeldObservations, "Newest first", exampleHeldObservations), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listHeldObservations(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/observations/quarantine/{held_id}",
      tags,
      summary: "Get quarantined observations",
      security: BEARER_AUTH,
      request: { params: z.object({ held_id: z.string().min(1).max(100).toLowerCase().openapi({ example: EXAMPLES.request }) }) },
      responses: {
        200: jsonResponse(
          HeldObservations.extend({ note: z.string().nullable(), items: z.array(z.unknown()) }),
          "The samples as received",
          {
            ...exampleHeldObservations,
            note: null,
            items: [{ code: "8867-4", value: 72, unit: "/min", effective_at: EXAMPLES.time }],
          },
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getHeldObservations(c.get("call"), c.req.valid("param").held_id)),
  );
