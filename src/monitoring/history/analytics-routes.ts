// Routes of analytics: summary of a patient, summary of a wearable, hourly statistics of a hospital.
import { createRoute, z } from "@hono/zod-openapi";
import { integerParam } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonResponse,
  ok,
  okPage,
  Pagination,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { patientParam } from "../../patients/schemas.ts";
import { ALERT_STATES, PRIORITIES } from "../alarm-rules/model.ts";
import { getHourlyStats, getPatientSummary, getWearableSummary } from "./analytics.ts";
import { listWearableSamples } from "./history.ts";
import { codeQuery, cursorQuery, rangeQuery } from "./query.ts";
import {
  exampleHourStats,
  exampleObservation,
  exampleScore,
  exampleVitalSummary,
  HourStats,
  Observation,
  Score,
  VitalSummary,
} from "./schemas.ts";

const tags = ["Analytics"];
const rangeFields = { from: Timestamp, to: Timestamp };
const exampleRange = { from: "2026-11-20T10:00:00.000Z", to: "2026-11-21T10:00:00.000Z" };
const optionalPatientId = PatientRef.optional().openapi({
  description: "Default: the caller's own record",
  example: EXAMPLES.patient,
});

const PatientSummary = z
  .object({
    patient_id: Id,
    ...rangeFields,
    vitals: z.array(VitalSummary),
    alerts: z
      .array(z.object({ priority: z.enum(PRIORITIES), state: z.enum(ALERT_STATES), n: z.int() }))
      .nullable()
      .openapi({ description: "Alerts raised in the range; null for an app without alert:read" }),
    news2: Score,
    missing_scopes: z
      .array(z.enum(["alert:read"]))
      .openapi({ description: "Scopes whose data is left out because the app does not have them" }),
  })
  .openapi("PatientAnalytics");

const WearableSummary = z
  .object({
    patient_id: Id,
    ...rangeFields,
    vitals: z.array(VitalSummary),
    today: z.array(VitalSummary.extend({ sum: z.number() })).openapi({
      description:
        "Steps, sleep and energy since midnight UTC. sum: of the readings, and for totals of the day (steps_day, energy_day) the greatest, " +
        "since totals do not add up",
    }),
  })
  .openapi("WearableSummary");
const exampleSteps = {
  code: "55423-8",
  name: "steps",
  display: "Steps",
  unit: "{steps}",
  n: 2,
  min: 900,
  max: 3100,
  mean: 2000,
  latest: { value: 3100, effective_at: EXAMPLES.time },
  sum: 4000,
};

const statsResponse = {
  description:
    "By hour, then by code; only closed hours. Days before the last 60 days (UTC) have one value per day and code, with `resolution` day, " +
    "and count whole: from and to of such a range are extended to whole days. At most 7 days, and 5,000 patients where days count whole",
  content: {
    "application/json": {
      schema: z.object({
        data: z.array(HourStats),
        meta: z.object({
          pagination: Pagination,
          as_of: Timestamp.openapi({ description: "Hours before this time are complete, except for late samples" }),
          ...rangeFields,
        }),
        request_id: z.string(),
      }),
      example: {
        data: [exampleHourStats],
        meta: {
          pagination: { limit: 100, offset: 0, total: 1, total_is_exact: true, has_more: false, next_cursor: null },
          as_of: "2026-11-21T10:00:00.000Z",
          ...exampleRange,
        },
        request_id: EXAMPLES.request,
      },
    },
  },
};

export const analyticsRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/analytics/patients/{patient_id}/summary",
      tags,
      summary: "Get a summary of a patient",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(rangeQuery) },
      responses: {
        200: jsonResponse(
          PatientSummary,
          "Vitals over whole hours, alerts raised in them, and the current NEWS2; at most 366 days, by default the last 24 hours",
          {
            patient_id: EXAMPLES.patient,
            ...exampleRange,
            vitals: [exampleVitalSummary],
            alerts: [{ priority: "medium", state: "cleared", n: 2 }],
            news2: exampleScore,
            missing_scopes: [],
          },
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getPatientSummary(c.env, c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/analytics/hourly-stats",
      tags,
      summary: "Get hourly statistics of all visible patients",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          code: codeQuery,
          ...rangeQuery,
          ...cursorQuery,
          hospital_id: Id.optional().openapi({
            description: "For callers with access to several hospitals",
            example: EXAMPLES.hospital,
          }),
        }),
      },
      responses: { 200: statsResponse, ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const { items, meta } = await getHourlyStats(c.get("call"), c.req.valid("query"));
      return c.json({ data: items, meta, request_id: c.get("requestId") }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wearables/metrics/recent",
      tags,
      summary: "List recent wearable samples",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ patient_id: optionalPatientId, ...cursorQuery }) },
      responses: { 200: pageResponse(Observation, "Newest first", exampleObservation), ...problemResponses(401, 403, 404, 409) },
    }),
    async (c) => okPage(c, await listWearableSamples(c.env, c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wearables/summary",
      tags,
      summary: "Get a wearable summary",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          patient_id: optionalPatientId,
          days: integerParam(1, 90).default(7).openapi({ example: 7, default: 7 }),
        }),
      },
      responses: {
        200: jsonResponse(WearableSummary, "Today and the days before it, UTC", {
          patient_id: EXAMPLES.patient,
          ...exampleRange,
          vitals: [exampleVitalSummary],
          today: [exampleSteps],
        }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await getWearableSummary(c.env, c.get("call"), c.req.valid("query"))),
  );
