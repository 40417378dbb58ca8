// Route of the ward board.
import { createRoute, z } from "@hono/zod-openapi";
import { BEARER_AUTH, createRouter, EXAMPLES, Id, jsonResponse, ok, problemResponses, Timestamp } from "../../http/router.ts";
import { Alert, exampleAlert } from "../../monitoring/alerts/schemas.ts";
import {
  exampleLimits,
  exampleObservation,
  exampleScore,
  LimitsInForce,
  Observation,
  Score,
} from "../../monitoring/history/schemas.ts";
import { exampleTrendMark, TrendMark } from "../../monitoring/history/trend-schema.ts";
import { DueObservations, exampleDueObservations } from "../../monitoring/rounds/due-schemas.ts";
import { CODES } from "../../monitoring/vitals/codes.ts";
import { getWardBoard, MAX_BOARD_PATIENTS } from "./board.ts";
import { getObservationsDue } from "./observations-due.ts";
import { getWardTrends, TREND_POINTS } from "./trends.ts";
import { MAX_COUNTED_PATIENTS } from "./wards.ts";

const BoardEntry = z
  .object({
    patient_id: Id,
    patient_number: z.number().int(),
    first_name: z.string(),
    last_name: z.string().nullable(),
    monitoring: z.enum(["home", "ward"]),
    is_known: z.boolean().openapi({ description: "False if the patient's monitor has no data yet or does not respond" }),
    news2: Score.nullable(),
    observations: DueObservations.nullable(),
    trend_mark: TrendMark.nullable().openapi({ description: "Null where the ward does not use it" }),
    limits: z.array(LimitsInForce),
    latest: z.array(Observation.extend({ age_s: z.number().int().openapi({ description: "Seconds since the measurement" }) })),
    alerts: z.array(Alert).openapi({ description: "Open alerts" }),
    open_alerts: z.object({ high: z.number().int(), medium: z.number().int(), low: z.number().int() }),
    last_seen_at: Timestamp.nullable().openapi({ description: "Time of the last receipt, by the server's clock" }),
    last_seen_s: z.number().int().nullable(),
  })
  .openapi("BoardEntry");
const WardBoard = z
  .object({
    ward_id: Id,
    ward_name: z.string(),
    as_of: Timestamp,
    watched: z
      .number()
      .int()
      .openapi({
        description: `Number of monitored patients that the caller may see, at most ${MAX_COUNTED_PATIENTS}; the board shows at most ${MAX_BOARD_PATIENTS}`,
      }),
    patients: z.array(BoardEntry).openapi({
      description:
        "Ordered by risk: open high alert; NEWS2, highest first, with an incomplete, inapplicable or unknown score, and an overdue one below 5, between 5 and 4; " +
        "open medium alert; open low alert; patient_number",
    }),
    staff: z
      .array(z.object({ user_id: Id, full_name: z.string() }))
      .openapi({ description: "Who acknowledged the alerts, and to whom they are assigned" }),
  })
  .openapi("WardBoard");

const WardTrends = z
  .object({
    ward_id: Id,
    code: z.string().openapi({ description: "LOINC" }),
    from: Timestamp,
    to: Timestamp,
    patients: z.array(
      z.object({
        patient_id: Id,
        means: z
          .array(z.number().nullable())
          .nullable()
          .openapi({
            description: `${TREND_POINTS} means of equal parts of the time, oldest first, each null when nothing was measured; null if the patient's monitor does not respond`,
          }),
      }),
    ),
  })
  .openapi("WardTrends");

const DueList = z
  .object({
    ward_id: Id,
    ward_name: z.string(),
    as_of: Timestamp,
    watched: WardBoard.shape.watched,
    patients: z
      .array(
        BoardEntry.pick({
          patient_id: true,
          patient_number: true,
          first_name: true,
          last_name: true,
          is_known: true,
          news2: true,
          observations: true,
        }),
      )
      .openapi({
        description:
          "Patients of the board who are watched by sets: overdue, never charted, unknown, due, not due, paused; each by due time or " +
          "expected return",
      }),
  })
  .openapi("ObservationsDue");

const wardParam = z.object({ ward_id: Id.openapi({ example: EXAMPLES.ward }) });

export const boardRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}/board",
      tags: ["Location"],
      summary: "Get the ward board",
      description: `The monitored patients of a ward by risk, at most ${MAX_BOARD_PATIENTS}.`,
      security: BEARER_AUTH,
      request: { params: wardParam },
      responses: {
        200: jsonResponse(WardBoard, "The board", {
          ward_id: EXAMPLES.ward,
          ward_name: "Cardiology 2",
          as_of: EXAMPLES.time,
          watched: 1,
          patients: [
            {
              patient_id: EXAMPLES.patient,
              patient_number: 1042,
              first_name: "Asha",
              last_name: "Verma",
              monitoring: "ward",
              is_known: true,
              news2: exampleScore,
              observations: exampleDueObservations,
              trend_mark: exampleTrendMark,
              limits: [exampleLimits],
              latest: [{ ...exampleObservation, age_s: 4 }],
              alerts: [exampleAlert],
              open_alerts: { high: 1, medium: 0, low: 0 },
              last_seen_at: EXAMPLES.time,
              last_seen_s: 2,
            },
          ],
          staff: [{ user_id: EXAMPLES.user, full_name: "Anita Nair" }],
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getWardBoard(c.env, c.get("call"), c.req.valid("param").ward_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}/trends",
      tags: ["Location"],
      summary: "Get the trends of a ward",
      description: `The last six hours of one vital sign of the patients on the ward's board, at most ${MAX_BOARD_PATIENTS}, in parts of five minutes.`,
      security: BEARER_AUTH,
      request: {
        params: wardParam,
        query: z.strictObject({
          code: z.string().min(1).max(64).openapi({ description: "LOINC code or short name", example: "heart_rate" }),
        }),
      },
      responses: {
        200: jsonResponse(WardTrends, "The trends", {
          ward_id: EXAMPLES.ward,
          code: CODES.heart_rate,
          from: EXAMPLES.time,
          to: EXAMPLES.time,
          patients: [{ patient_id: EXAMPLES.patient, means: [72.5, null, 74] }],
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getWardTrends(c.env, c.get("call"), c.req.valid("param").ward_id, c.req.valid("query").code)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}/observations-due",
      tags: ["Location"],
      summary: "List observations due on a ward",
      description: `The work list of the ward's patients who are watched by sets of observations, of the at most ${MAX_BOARD_PATIENTS} on its board.`,
      security: BEARER_AUTH,
      request: { params: wardParam },
      responses: {
        200: jsonResponse(DueList, "The work list", {
          ward_id: EXAMPLES.ward,
          ward_name: "Cardiology 2",
          as_of: EXAMPLES.time,
          watched: 1,
          patients: [
            {
              patient_id: EXAMPLES.patient,
              patient_number: 1042,
              first_name: "Asha",
              last_name: "Verma",
              is_known: true,
              news2: exampleScore,
              observations: exampleDueObservations,
            },
          ],
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getObservationsDue(c.env, c.get("call"), c.req.valid("param").ward_id)),
  );
