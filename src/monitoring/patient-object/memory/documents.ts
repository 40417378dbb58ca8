// Schemas of the JSON documents in a patient's object, with the migrations from earlier versions.
import { z } from "zod";
import { mapValues, renameKeys, type StoredDocument, storedDocument } from "../../../platform/stored-document.ts";
import { DEFAULT_REMINDERS } from "../../alarm-rules/escalation.ts";
import { NEWS2_PROFILES } from "../../alarm-rules/sustained-profile.ts";
import { OBSERVATION_MODES } from "../../vitals/freshness.ts";
import { AGE_BANDS, type Limits } from "../../vitals/model.ts";
import { DEFAULT_WATCH, type Facts, type LimitsNote } from "../context/facts.ts";
import type { AlertChange, ClockUpdate, HeldItems, HourUpdate, ReceivedCounts } from "../delivery/payloads.ts";
import type { CorrectionBody } from "../samples/correction.ts";
import type { Rollup } from "../samples/rollup.ts";
import { AlertSchema, RemindersSchema, TransitionSchema } from "./alert-schema.ts";
import { DayCountsSchema } from "./day-counts-schema.ts";
import { alertFrom1, CAME_1, hoursFrom1, memoryFrom1, memoryFrom2 } from "./memory-from-1.ts";
import { memoryFrom3 } from "./memory-from-3.ts";
import { memoryFrom4 } from "./memory-from-4.ts";
import type { MonitorMemory } from "./monitor-memory.ts";
import { News2Schema } from "./news2-schema.ts";
import { RoundsSchema } from "./rounds-schema.ts";

const time = z.number();
const timeOrNull = time.nullable();
const text = z.string();
const textOrNull = text.nullable();
const side = z.enum(["low", "high"]);

const RaiseCountSchema = z.object({ hour: z.int(), count: z.int() });

const VitalSchema = z.object({
  lastValue: z.number(),
  measuredAt: time,
  receivedAt: time,
  side: side.optional(),
  onsetAt: time.optional(),
  lastBeyondAt: time.optional(),
  insideSince: time.optional(),
  resolved: z.literal(true).optional(),
  isPartial: z.literal(true).optional(),
  criticalSince: time.optional(),
  told: z.object({ side, from: time, until: time }).optional(),
  isExercise: z.literal(true).optional(),
  inAlarm: z.object({ side, bound: z.number(), critical: z.boolean() }).optional(),
  ratePoints: z.array(z.tuple([z.number(), z.number()])).optional(),
  baseline: z
    .object({
      slowMean: z.number(),
      variance: z.number(),
      fastMean: z.number(),
      valueCount: z.int(),
      startedAt: time,
      updatedAt: time,
      driftSince: time.optional(),
      driftSide: side.optional(),
    })
    .optional(),
  raised: RaiseCountSchema.optional(),
});

const ChannelSchema = z.object({ value: z.number(), measuredAt: time });
const ZeroSchema = z.object({
  measuredAt: time,
  device: textOrNull,
  isStanding: z.boolean(),
  usableSince: time.optional(),
  resolved: z.literal(true).optional(),
  raised: RaiseCountSchema.optional(),
});

const IntervalSchema = z.object({ meanMs: z.number(), learntMs: z.number() });

const DeviceSchema = z.object({
  lastHeardAt: time,
  leadsOff: z.object({ since: time, measured: z.array(text) }).optional(),
  returnedAt: time.optional(),
  vitalsHeardAt: z.record(text, time),
  interval: IntervalSchema.optional(),
  vitalIntervals: z.record(text, z.number()).optional(),
  resolvedConditions: z.array(text).optional(),
  otherConditions: z.array(text).optional(),
  raised: RaiseCountSchema.optional(),
});

const RollupSchema = z.object({
  count: z.int(),
  min: z.number(),
  max: z.number(),
  sum: z.number(),
  last: z.number(),
  last_at: time,
}) satisfies z.ZodType<Rollup>;

/** A schema per part of the memory, so that damage to one part loses only that part. */
export const MEMORY_PARTS = {
  version: z.int(),
  alert: AlertSchema,
  vital: VitalSchema,
  device: DeviceSchema,
  channel: ChannelSchema,
  zero: ZeroSchema,
  rounds: RoundsSchema,
  alarm: z.object({
    lastAlertNumber: z.int(),
    now: time,
    ward: timeOrNull,
    vitals: z.record(text, VitalSchema),
    devices: z.record(text, DeviceSchema),
    channels: z.record(text, ChannelSchema).optional(),
    zeros: z.record(text, ZeroSchema).optional(),
    news2: News2Schema,
    rounds: RoundsSchema.optional(),
    alerts: z.array(AlertSchema),
  }),
  latest: z.object({
    value: z.number(),
    unit: text,
    at: time,
    received: time,
    by: text,
    status: z.enum(["final", "invalid"]),
    amended: z.boolean().optional(),
    block: z.number(),
    index: z.int(),
  }),
  deviceStatuses: z.object({
    received: time,
    skew: z.number().nullable(),
    corrected: z.number(),
    corrections: z.array(z.number()).optional(),
    unconfirmed: z.object({ sentAt: time, received: time }).optional(),
    conditionsAt: time.optional(),
    seqRestartedAt: time.optional(),
    conditions: z.array(text),
  }),
  seenSequences: z.array(z.tuple([z.number(), z.number()])),
  newestSampleAt: time,
  hours: z.record(text, RollupSchema),
  lastClosedHour: z.number(),
  hoursToRecount: z.array(z.number()),
  quarantinedCounts: z.object({ day: z.int(), count: z.int() }),
  storedCounts: z.object({ day: z.int(), count: z.int() }),
  hourCounts: z.object({ from: z.int(), counts: z.array(z.int()) }),
  lateBlocks: z.int(),
  receivedCounts: DayCountsSchema,
} as const;

const MemorySchema: z.ZodType<MonitorMemory> = z.object({
  version: MEMORY_PARTS.version,
  alarm: MEMORY_PARTS.alarm,
  latest: z.record(text, MEMORY_PARTS.latest),
  latestInvalid: z.record(text, MEMORY_PARTS.latest),
  deviceStatuses: z.record(text, MEMORY_PARTS.deviceStatuses),
  seenSequences: z.record(text, MEMORY_PARTS.seenSequences),
  newestSampleAt: z.record(text, z.record(text, MEMORY_PARTS.newestSampleAt)),
  hours: z.record(text, MEMORY_PARTS.hours),
  lastClosedHour: MEMORY_PARTS.lastClosedHour,
  hoursToRecount: MEMORY_PARTS.hoursToRecount,
  quarantinedCounts: z.record(text, MEMORY_PARTS.quarantinedCounts),
  // Objects written before these fields existed lack them.
  receivedCounts: z.record(text, z.record(text, MEMORY_PARTS.receivedCounts)).default({}),
  storedCounts: z.record(text, MEMORY_PARTS.storedCounts).default({}),
  hourCounts: MEMORY_PARTS.hourCounts.default(() => ({ from: 0, counts: [] })),
  lateBlocks: z.record(text, MEMORY_PARTS.lateBlocks).default({}),
});

export const memoryDocument = storedDocument<MonitorMemory>("memory", MemorySchema, [
  memoryFrom1,
  memoryFrom2,
  memoryFrom3,
  memoryFrom4,
]);

const LimitsSchema: z.ZodType<Partial<Limits>> = z.object({
  critical_low: z.number().nullable().optional(),
  low: z.number().nullable().optional(),
  high: z.number().nullable().optional(),
  critical_high: z.number().nullable().optional(),
  duration_s: z.number().optional(),
  hysteresis: z.number().optional(),
  rate_per_minute: z.number().nullable().optional(),
  trend: z.boolean().optional(),
  silence_s: z.number().nullable().optional(),
});
const limitsBy = z.record(text, LimitsSchema);
const monitoring = z.enum(["off", "home", "ward"]);
const basis = {
  age: z.object({ band: z.enum(AGE_BANDS), until: timeOrNull }).nullable(),
  overrides: z.object({ ward: limitsBy, patient: limitsBy }),
};

export const factsDocument = storedDocument<Facts>(
  "facts",
  z.object({
    as_of: time,
    patient: text,
    hospital: text,
    ward: textOrNull,
    open: z.boolean(),
    monitoring,
    pregnant: z.boolean(),
    scale: z.union([z.literal(1), z.literal(2)]),
    // Facts written before this field existed lack it.
    watch: z.object({ mode: z.enum(OBSERVATION_MODES), graceMinutes: z.int() }).default(DEFAULT_WATCH),
    news2Profile: z.enum(NEWS2_PROFILES).default("rcp"),
    overdueAlarm: z.boolean().default(false),
    trendMark: z.boolean().default(false),
    reminders: RemindersSchema.default(DEFAULT_REMINDERS),
    ...basis,
    bindings: z.array(
      z.object({ device: text, kind: text, from: time, until: timeOrNull, credentials: z.record(text, timeOrNull) }),
    ),
  }),
);
export const limitsDocument = storedDocument<LimitsNote[]>(
  "limits",
  z.array(z.object({ at: time, ...basis, monitoring: monitoring.optional() })),
);
export const watchedDocument = storedDocument<number>("watched", time);

export const correctionDocument = storedDocument<CorrectionBody>(
  "correction",
  z.object({
    status: z.enum(["amended", "entered-in-error"]),
    value: z.number(),
    unit: text.optional(),
    by: text,
    reason: text,
    at: time,
    before: z.array(z.object({ value: z.number(), unit: text.optional(), by: text, at: time, reason: textOrNull })),
  }),
);

/** Bodies of the outbox, by kind. */
export type OutboxBodies = {
  alert: AlertChange;
  hour: HourUpdate;
  received: ReceivedCounts;
  clock: ClockUpdate;
  held: HeldItems;
};
export const OUTBOX_DOCUMENTS: { [K in keyof OutboxBodies]: StoredDocument<OutboxBodies[K]> } = {
  alert: storedDocument<AlertChange>(
    "outbox alert",
    z.object({
      version: z.int(),
      ward: textOrNull,
      transition: TransitionSchema,
    }),
    [
      (body) =>
        mapValues(body, (part, key) =>
          key === "transition" ? mapValues(part, (item, name) => (name === "alert" ? alertFrom1(item) : item)) : part,
        ),
    ],
  ),
  hour: storedDocument<HourUpdate>(
    "outbox hour",
    z.object({ hour: z.int(), version: z.int(), stats: z.record(text, RollupSchema) }),
    [(body) => mapValues(body, (part, key) => (key === "stats" ? hoursFrom1(part) : part))],
  ),
  received: storedDocument<ReceivedCounts>(
    "outbox received",
    z.object({ by: text, version: z.int(), queuedAt: time, ...MEMORY_PARTS.receivedCounts.shape }),
    [(body) => renameKeys(body, CAME_1), (body) => renameKeys(body, { told: "queuedAt" })],
  ),
  clock: storedDocument<ClockUpdate>("outbox clock", z.object({ device: text, skew: z.number().nullable() })),
  held: storedDocument<HeldItems>(
    "outbox held",
    z.object({ device: text, items: z.array(z.object({ item: z.unknown(), reason: text })), received: time }),
  ),
};
