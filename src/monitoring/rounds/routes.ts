// Routes of sets of observations (FHIR Observation) and of pauses.
import { createRoute } from "@hono/zod-openapi";
import { readIdempotencyKey } from "../../http/idempotency.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
} from "../../http/router.ts";
import { patientParam } from "../../patients/schemas.ts";
import { exampleDueObservations } from "./due-schemas.ts";
import { endPause, pauseObservations, recordObservationSet } from "./observation-sets.ts";
import {
  EndedPause,
  examplePause,
  exampleRecordedSet,
  NewObservationSet,
  NewPause,
  Pause,
  RecordedSet,
  SetProblem,
} from "./schemas.ts";

const tags = ["Observation"];
const exampleSet = {
  effective_at: EXAMPLES.time,
  samples: [
    { code: "9279-1", value: 16, unit: "/min" },
    { code: "2708-6", value: 95, unit: "%" },
    { code: "3151-8", value: 0, unit: "L/min" },
    { code: "8480-6", value: 120, unit: "mm[Hg]" },
    { code: "8462-4", value: 78, unit: "mm[Hg]" },
    { code: "8867-4", value: 72, unit: "/min" },
    { code: "67775-7", value: "A", unit: "1" },
    { code: "8310-5", value: 36.8, unit: "Cel" },
  ],
  spo2_scale: 1 as const,
  confirmed_score: 1,
};

export const roundRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/observation-sets",
      tags,
      summary: "Record a set of observations",
      description:
        "All of the set or nothing. A complete set needs the score that its author confirmed; a partial one has a reason, changes no " +
        "score and makes the next set due from its own time.",
      security: BEARER_AUTH,
      request: { params: patientParam, headers: idempotencyHeaders, body: jsonRequestBody(NewObservationSet, exampleSet) },
      responses: {
        201: jsonResponse(RecordedSet, "The stored values, the score and when the next set is due", exampleRecordedSet),
        ...problemResponses(401, 403, 404, 413, 415),
        409: {
          description: "The score or the SpO2 scale differs, or the record is closed: nothing was stored",
          content: { "application/problem+json": { schema: SetProblem } },
        },
      },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      const key = await readIdempotencyKey(c, `observation_set.create ${patient_id}`);
      return ok(c, await recordObservationSet(c.env, c.get("call"), patient_id, c.req.valid("json"), key), 201);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/patients/{patient_id}/observation-pause",
      tags,
      summary: "Pause observations",
      description: "Pauses what is due until the expected return, or replaces the pause. Alerts of values go on.",
      security: BEARER_AUTH,
      request: {
        params: patientParam,
        body: jsonRequestBody(NewPause, { reason: "procedure", expected_return_at: EXAMPLES.time }),
      },
      responses: {
        200: jsonResponse(Pause, "When observations are due, and what is open", examplePause),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await pauseObservations(c.env, c.get("call"), c.req.valid("param").patient_id, c.req.valid("json"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/observation-pause",
      tags,
      summary: "End the pause of observations",
      description: "A set is due at once.",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(EndedPause, "When observations are due", {
          patient_id: EXAMPLES.patient,
          observations: exampleDueObservations,
        }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await endPause(c.env, c.get("call"), c.req.valid("param").patient_id)),
  );
