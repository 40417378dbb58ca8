// What many samples come to: a patient's summary, a wearable's days, the hospital's hours.
import { createRoute, z } from "@hono/zod-openapi";
import { digits } from "../../http/pagination.ts";
import { answer, EXAMPLE, Id, newRouter, ok, page, pageAnswer, problems, SECURED, Timestamp } from "../../http/router.ts";
import { patientParam } from "../../patients/shapes.ts";
import { ALERT_STATES, PRIORITIES } from "../alarm-rules/model.ts";
import { hourlyStats, patientSummary, wearableSummary } from "./analytics.ts";
import { recentMetrics } from "./history.ts";
import { cursorQuery } from "./history-routes.ts";
import { codeQuery, rangeQuery } from "./query.ts";
import {
  exampleHourStats,
  exampleObservation,
  exampleScore,
  exampleVital,
  HourStats,
  Observation,
  Score,
  VitalSummary,
} from "./shapes.ts";

const tags = ["Analytics"];
const range = { from: Timestamp, to: Timestamp };
const exampleRange = { from: "2026-11-20T10:00:00.000Z", to: "2026-11-21T10:00:00.000Z" };
const whose = z
  .string()
  .min(1)
  .max(64)
  .optional()
  .openapi({ description: "The caller's own record where absent", example: EXAMPLE.patient });

const Summary = z
  .object({
    patient_id: Id,
    ...range,
    vitals: z.array(VitalSummary),
    alerts: z
      .array(z.object({ priority: z.enum(PRIORITIES), state: z.enum(ALERT_STATES), n: z.int() }))
      .nullable()
      .openapi({ description: "Raised in the range; null for an app without alert:read" }),
    news2: Score,
  })
  .openapi("PatientAnalytics");

const Wearable = z
  .object({
    patient_id: Id,
    ...range,
    vitals: z.array(VitalSummary),
    today: z.array(VitalSummary.extend({ sum: z.number() })).openapi({
      description: "Steps, sleep and energy since midnight UTC: sum, of a device that sends parts; max, of one that sends totals",
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
  latest: { value: 3100, effective_at: EXAMPLE.time },
  sum: 4000,
};

const statsAnswer = {
  description: "Hour by hour, then by code; closed hours alone",
  content: {
    "application/json": {
      schema: z.object({
        data: z.array(HourStats),
        meta: z.object({
          as_of: Timestamp.openapi({ description: "Hours before it are complete, but for what comes late" }),
          ...range,
        }),
        request_id: z.string(),
      }),
      example: {
        data: [exampleHourStats],
        meta: { as_of: "2026-11-21T10:00:00.000Z", ...exampleRange },
        request_id: EXAMPLE.request,
      },
    },
  },
};

export const analyticsRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/analytics/patients/{patient_id}/summary",
      tags,
      summary: "A patient's vitals over whole hours, the alerts raised in them, the score of now",
      security: SECURED,
      request: { params: patientParam, query: z.strictObject(rangeQuery) },
      responses: {
        200: answer(Summary, "At most 366 days; without from, the last 24 hours", {
          patient_id: EXAMPLE.patient,
          ...exampleRange,
          vitals: [exampleVital],
          alerts: [{ priority: "medium", state: "cleared", n: 2 }],
          news2: exampleScore,
        }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await patientSummary(c.env, c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/analytics/hourly-stats",
      tags,
      summary: "Vitals of all patients that I may see, by the hour (UTC)",
      security: SECURED,
      request: {
        query: z.strictObject({
          code: codeQuery,
          ...rangeQuery,
          hospital_id: Id.optional().openapi({ description: "For those who see several", example: EXAMPLE.hospital }),
        }),
      },
      responses: { 200: statsAnswer, ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { items, meta } = await hourlyStats(c.get("call"), c.req.valid("query"));
      return c.json({ data: items, meta, request_id: c.get("requestId") }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wearables/metrics/recent",
      tags,
      summary: "The latest samples of what wearables measure",
      security: SECURED,
      request: { query: z.strictObject({ patient_id: whose, ...cursorQuery }) },
      responses: { 200: pageAnswer(Observation, "Newest first", exampleObservation), ...problems(401, 403, 404, 409) },
    }),
    async (c) => page(c, await recentMetrics(c.env, c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wearables/summary",
      tags,
      summary: "The last days of a wearable, and what has added up today",
      security: SECURED,
      request: { query: z.strictObject({ patient_id: whose, days: digits(1, 90).default(7).openapi({ example: 7 }) }) },
      responses: {
        200: answer(Wearable, "Today and the days before it, UTC", {
          patient_id: EXAMPLE.patient,
          ...exampleRange,
          vitals: [exampleVital],
          today: [exampleSteps],
        }),
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await wearableSummary(c.env, c.get("call"), c.req.valid("query"))),
  );
