// Routes that record observations (FHIR Observation) from devices, wearables and people.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  jsonRequestBody,
  jsonResponse,
  ok,
  PatientRef,
  problemResponses,
  TimeInput,
} from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import type { IncomingBatch, ItemResult } from "../patient-object/contract.ts";
import { ACTIVITIES, BODY_SITES } from "../vitals/measurement-context.ts";
import { toSampleInputs } from "../vitals/wearables.ts";
import { callMonitor, ingestSamples } from "./ingest.ts";
import type { NamedOrigin } from "./named-origin.ts";
import { resolveSocketPatient } from "./socket-patient.ts";

const tags = ["Observation"];
const SentAt = TimeInput.openapi({ description: "The sender's clock at sending, from which its clock error is corrected" });
const Conditions = z
  .array(
    z
      .string()
      .max(40)
      .regex(/^[a-z0-9_]+$/),
  )
  .max(20)
  .openapi({ description: "All conditions that the device currently reports, such as leads_off or low_battery", example: [] });
/** Items are validated one by one (vitals/sample-validation.ts), so that an invalid one rejects no others. */
const SampleItems = z
  .array(
    z.unknown().openapi({
      type: "object",
      description: "code (LOINC), value, unit (UCUM), effective_at (RFC 3339 with zone), seq, body_site, activity",
    }),
  )
  .min(1)
  .max(1000);

const ItemResultSchema = z.object({
  index: z.int(),
  status: z.enum(["stored", "duplicate", "quarantined", "rejected", "elsewhere"]),
  observation_id: z.string().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  note: z.string().optional(),
});
const IngestResponse = z
  .object({
    patient_id: z.string().nullable(),
    stored: z.int(),
    duplicate: z.int(),
    refused: z.int(),
    results: z.array(ItemResultSchema),
    clock: z
      .object({
        skew_ms: z.int().nullable().openapi({ description: "The device's clock minus the server's" }),
        corrected_ms: z.int().openapi({ description: "Milliseconds subtracted from the device's times" }),
        confirmed: z.boolean().openapi({
          description: "False while only one request shows a clock error this large: its samples are stored as history",
        }),
      })
      .nullable(),
  })
  .openapi("Ingested");

const exampleIngest = {
  patient_id: EXAMPLES.patient,
  stored: 1,
  duplicate: 0,
  refused: 0,
  results: [{ index: 0, status: "stored" as const, observation_id: "agj2lmaaabyabaaaaaaaaaaaae-1hn4k9q0o-0" }],
  clock: null,
};

const sampleFields = {
  code: z.unknown(),
  value: z.unknown(),
  unit: z.unknown(),
  effective_at: z.unknown(),
  seq: z.unknown().optional(),
  body_site: z.unknown().optional(),
  activity: z.unknown().optional(),
};
const NewObservations = z.union([
  z.strictObject({
    patient_id: PatientRef.optional(),
    samples: SampleItems,
    sent_at: SentAt.optional(),
    conditions: Conditions.optional(),
  }),
  z.strictObject({ patient_id: PatientRef.optional(), ...sampleFields }),
]);

const metricValue = z.number().nullable().optional();
const WearableSync = z.strictObject({
  device_id: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: "The device that measured: assigned to the patient, and for a device's own request itself" }),
  patient_id: PatientRef.optional(),
  metrics: z
    .array(
      z.strictObject({
        timestamp: z.string().max(40).openapi({ example: EXAMPLES.time }),
        activity: z
          .enum(ACTIVITIES)
          .optional()
          .openapi({ description: "During what heart_rate and respiratory_rate were measured, in the words of IEEE 1752.1" }),
        body_site: z
          .enum(BODY_SITES)
          .optional()
          .openapi({ description: "Where temperature was measured; at a site of the skin it is stored as skin_temperature" }),
        heart_rate: metricValue,
        spo2: metricValue,
        systolic: metricValue,
        diastolic: metricValue,
        respiratory_rate: metricValue,
        temperature: metricValue,
        skin_temperature: metricValue,
        glucose_mg_dl: metricValue,
        glucose_mmol_l: metricValue,
        glucose: metricValue.openapi({
          description:
            "In mg/dL; below 40 the unit is doubtful, and staff are alarmed. Send glucose_mg_dl or glucose_mmol_l instead",
        }),
        steps: metricValue.openapi({ description: "Steps since the last reading; a total of the day is steps_day" }),
        sleep_minutes: metricValue,
        calories: metricValue.openapi({ description: "kcal since the last reading; a total of the day is calories_day" }),
        steps_day: metricValue,
        calories_day: metricValue,
      }),
    )
    .min(1)
    .max(200),
  sent_at: SentAt.optional(),
});

async function handleIngest(c: Context<AppEnv>, named: NamedOrigin, batch: IncomingBatch) {
  const { results, ...rest } = await ingestSamples(c.env, c.get("call"), named, batch);
  const count = (...statuses: ItemResult["status"][]) => results.filter(({ status }) => statuses.includes(status)).length;
  const counts = {
    stored: count("stored"),
    duplicate: count("duplicate"),
    refused: count("quarantined", "rejected", "elsewhere"),
  };
  return ok(c, { ...rest, ...counts, results });
}

/** A context without a value that it says something about is refused. */
function assertContextUsed(metrics: z.infer<typeof WearableSync>["metrics"]): void {
  const isMissing = (value: number | null | undefined) => value === undefined || value === null;
  const errors = metrics.flatMap(({ activity, body_site, heart_rate, respiratory_rate, temperature }, index) => [
    ...(activity && isMissing(heart_rate) && isMissing(respiratory_rate) ? [`metrics.${index}.activity`] : []),
    ...(body_site && isMissing(temperature) ? [`metrics.${index}.body_site`] : []),
  ]);
  if (errors.length === 0) return;
  throw new ApiError("invalid_request", "activity needs heart_rate or respiratory_rate, and body_site needs temperature.", {
    errors: errors.map((path) => ({ path, message: "Nothing in this reading has this context", code: "unused" })),
  });
}

const parseOptionalTime = (time: string | undefined) => (time === undefined ? null : Date.parse(time));

export const vitalRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/observations",
      tags,
      summary: "Record observations",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(NewObservations, {
          patient_id: EXAMPLES.patient,
          samples: [{ code: "8867-4", value: 72, unit: "/min", effective_at: EXAMPLES.time }],
        }),
      },
      responses: {
        200: jsonResponse(IngestResponse, "The result of each item", exampleIngest),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      if ("samples" in input) {
        const { patient_id, samples, sent_at, conditions } = input;
        return handleIngest(
          c,
          { patient: patient_id },
          {
            items: samples,
            sent_at: parseOptionalTime(sent_at),
            conditions: conditions ?? null,
          },
        );
      }
      const { patient_id, ...item } = input;
      return handleIngest(c, { patient: patient_id }, { items: [item], sent_at: null, conditions: null });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/wearables/sync",
      tags,
      summary: "Record metrics of a wearable",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(WearableSync, {
          patient_id: EXAMPLES.patient,
          metrics: [{ timestamp: EXAMPLES.time, heart_rate: 72 }],
        }),
      },
      responses: {
        200: jsonResponse(
          IngestResponse,
          "The result of each metric, by reading and then in the order of the schema",
          exampleIngest,
        ),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { patient_id, device_id, metrics, sent_at } = c.req.valid("json");
      assertContextUsed(metrics);
      const items = toSampleInputs(metrics);
      if (items.length === 0) throw new ApiError("invalid_request", "At least one metric must have a value.");
      if (items.length > 1000) throw new ApiError("invalid_request", "At most 1,000 values per request.");
      const named = { patient: patient_id, device: device_id };
      return handleIngest(c, named, { items, sent_at: parseOptionalTime(sent_at), conditions: null });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/observations/stream",
      tags,
      summary: "Open a device WebSocket",
      security: BEARER_AUTH,
      responses: {
        101: { description: "WebSocket: receives frames of samples, sends acknowledgements of stored ones" },
        ...problemResponses(401, 403, 409, 426),
      },
    }),
    async (c) => {
      const { credentialId, patientId } = await resolveSocketPatient(c.env, c.get("call"));
      if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
        throw new ApiError("upgrade_required", undefined, { headers: { Upgrade: "websocket" } });
      }
      const headers = { Upgrade: "websocket", "X-Credential": credentialId };
      const monitor = c.env.PATIENT_MONITOR.getByName(patientId);
      const { webSocket } = await callMonitor(c.env, async () => monitor.fetch("https://monitor/stream", { headers }));
      if (!webSocket) throw new ApiError("conflict", "The patient record does not accept samples.");
      // A new response: the headers of a response from an object are immutable.
      return new Response(null, { status: 101, webSocket });
    },
  );
