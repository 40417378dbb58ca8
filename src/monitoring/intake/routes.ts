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
import { toWearableItems, WEARABLE_METRICS, type WearableItem } from "../vitals/wearables.ts";
import { callMonitor, type IngestResult, ingestSamples } from "./ingest.ts";
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
  reading: z.int().optional().openapi({ description: "Of wearables/sync: the index in metrics" }),
  metric: z.string().optional().openapi({ description: "Of wearables/sync: the name of the metric" }),
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

type Property = {
  type: "string" | ("number" | "null")[];
  description?: string;
  enum?: string[];
  example?: string;
  maxLength?: number;
};
/** Readings are judged metric by metric (vitals/wearables.ts), so that an invalid one rejects no others. */
const metricValue: Property = { type: ["number", "null"] };
const described = (description: string): Property => ({ ...metricValue, description });
const READING_PROPERTIES: Record<string, Property> = {
  timestamp: {
    type: "string",
    maxLength: 40,
    description:
      "RFC 3339 with zone; of totals of a day, resting_heart_rate and sleep_minutes also the date of a day that is over",
    example: EXAMPLES.time,
  },
  activity: {
    ...{ type: "string", enum: [...ACTIVITIES] },
    description: "During what heart_rate and respiratory_rate were measured, in the words of IEEE 1752.1",
  },
  body_site: {
    ...{ type: "string", enum: BODY_SITES },
    description: "Where temperature was measured; at a site of the skin it is stored as skin_temperature",
  },
  ...Object.fromEntries(WEARABLE_METRICS.map(([name]) => [name, metricValue])),
  glucose: described(
    "In mg/dL; below 40 the unit is doubtful, and staff are alarmed. Send glucose_mg_dl or glucose_mmol_l instead",
  ),
  steps: described("Steps since the last reading; a total of the day is steps_day"),
  calories: described("kcal since the last reading; a total of the day is calories_day"),
  distance_m: described("Metres since the last reading; a total of the day is distance_day_m"),
  hrv_sdnn_ms: described("Standard deviation of the intervals between beats (SDNN); RMSSD is another measure"),
};
const WearableSync = z.strictObject({
  device_id: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: "The device that measured: assigned to the patient, and for a device's own request itself" }),
  patient_id: PatientRef.optional(),
  metrics: z
    .array(z.unknown().openapi("WearableReading", { type: "object", properties: READING_PROPERTIES }))
    .min(1)
    .max(200),
  sent_at: SentAt.optional(),
});

function toResponse({ results, ...rest }: IngestResult) {
  const count = (...statuses: ItemResult["status"][]) => results.filter(({ status }) => statuses.includes(status)).length;
  const counts = {
    stored: count("stored"),
    duplicate: count("duplicate"),
    refused: count("quarantined", "rejected", "elsewhere"),
  };
  return { ...rest, ...counts, results };
}

async function handleIngest(c: Context<AppEnv>, named: NamedOrigin, batch: IncomingBatch) {
  return ok(c, toResponse(await ingestSamples(c.env, c.get("call"), named, batch)));
}

async function handleSync(c: Context<AppEnv>, named: NamedOrigin, items: readonly WearableItem[], sentAt: number | null) {
  const batch = { items: items.map(({ input }) => input), sent_at: sentAt, conditions: null };
  const ingested = await ingestSamples(c.env, c.get("call"), named, batch);
  const results = ingested.results.map((result) => {
    const { reading, metric, refusal } = items[result.index] ?? {};
    return { ...result, ...refusal, ...(reading !== undefined && { reading }), ...(metric && { metric }) };
  });
  return ok(c, toResponse({ ...ingested, results }));
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
      const items = toWearableItems(metrics);
      if (items.length > 1000) throw new ApiError("invalid_request", "At most 1,000 values per request.");
      return handleSync(c, { patient: patient_id, device: device_id }, items, parseOptionalTime(sent_at));
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
