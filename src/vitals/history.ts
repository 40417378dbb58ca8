// Reading one patient's vitals: samples, buckets of them for charts, hours, the latest of each, the early-warning score.
// Raw samples lie in the patient's object; what leaves it has its trace in D1 before the answer does.
import { type Access, requirePatient } from "../access.ts";
import type { Call } from "../actor.ts";
import { audit } from "../audit.ts";
import { DAY_MS } from "../counters.ts";
import { batch, type Statement } from "../db/client.ts";
import type { Bucket } from "../monitor/buckets.ts";
import type { LimitsSince, LiveSample, PatientSnapshot } from "../monitor/contract.ts";
import type { Facts } from "../monitor/facts.ts";
import { readObservationId } from "../monitor/ids.ts";
import { limitsOver, noteOf } from "../monitor/limits-over.ts";
import { HOUR_MS, newMemory } from "../monitor/memory.ts";
import { meanOf } from "../monitor/rollup.ts";
import { snapshotOf } from "../monitor/view.ts";
import { type Start, startOf, toPage } from "../pagination.ts";
import { OWN, type PatientRow, type Target } from "../patient-row.ts";
import { openIdentity } from "../patients/identity.ts";
import { patientEvent } from "../patients/patients.ts";
import { ageBandOf } from "./catalogue.ts";
import { bucketHours, mergeHours, openHoursOf, toldHours } from "./hours.ts";
import { atObject } from "./ingest.ts";
import { codesOf, hoursOf, nameAndUnit, type RangeQuery, type Span, spanOf } from "./query.ts";
import { METRICS } from "./wearables.ts";

/** Samples of up to a day are few enough to count one by one; longer charts are made of hours. */
const RAW_MS = DAY_MS;
export const LONGEST_MS = 366 * DAY_MS;
/** How far ahead of our clock a sample may be (incoming.ts), and some more. */
const AHEAD_MS = 10 * 60_000;
const ALL_TIME = { usual: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };

const iso = (time: number) => new Date(time).toISOString();
const monitorOf = (env: Env, patientId: string) => env.PATIENT_MONITOR.getByName(patientId);

/** The trace of what is read, for the batch that comes before the answer. */
export function readTrace({ db, actor, now }: Call, access: Access, view: string, detail: object = {}): Statement[] {
  return audit(db, actor, now, { ...patientEvent(access, "observation.read", "R"), detail: { view, ...detail } });
}

export type HistoryQuery = RangeQuery & { code?: string | undefined; limit: number; cursor?: string | undefined };

/** Samples, newest first. @throws ApiError not_found, invalid_cursor, invalid_request */
export async function listObservations(env: Env, call: Call, ref: string, query: HistoryQuery) {
  return samplesOf(env, call, { patient: ref }, { ...query, codes: codesOf(query.code) });
}

/** What wearables measure, of the caller's own record unless a patient is named. */
export async function recentMetrics(
  env: Env,
  call: Call,
  query: Pick<HistoryQuery, "limit" | "cursor"> & { patient_id?: string | undefined },
) {
  const target = query.patient_id === undefined ? OWN : { patient: query.patient_id };
  return samplesOf(env, call, target, { ...query, codes: METRICS.map(([, code]) => code) });
}

async function samplesOf(env: Env, call: Call, target: Target, query: Omit<HistoryQuery, "code"> & { codes: string[] | null }) {
  const start = await startOf(call, `observations:${Object.values(target)}`, { ...query, offset: 0 });
  const { from, to } = spanOf(query, call.now + AHEAD_MS, ALL_TIME);
  const access = await requirePatient(call, target, "observation:read");
  const asked = { codes: query.codes, from, to, limit: start.limit + 1, after: positionOf(start) };
  const { samples } = await atObject(env, async () => monitorOf(env, access.patient.id).history(asked));
  const key = (sample: LiveSample) => ({ value: Date.parse(sample.effective_at), id: sample.observation_id });
  const soFar = { n: start.offset + samples.length, exact: samples.length <= start.limit };
  const { rows: items, pagination } = await toPage(start, samples, key, soFar);
  await batch(call.db, readTrace(call, access, "history", { codes: query.codes, count: items.length }));
  return { items, pagination };
}

function positionOf({ after }: Start) {
  const place = after && readObservationId(after.id);
  return place && { at: after.value, block: place.block, index: place.index };
}

export type BucketQuery = RangeQuery & { code?: string | undefined; buckets: number };

/** Points for a chart; up to 24 hours from samples, beyond that from hours, whose edges are then the buckets'. */
export async function bucketObservations(env: Env, call: Call, ref: string, query: BucketQuery) {
  const { db, now } = call;
  const span = spanOf(query, now, { usual: DAY_MS, most: LONGEST_MS });
  const codes = codesOf(query.code);
  const { buckets } = query;
  const access = await requirePatient(call, { patient: ref }, "observation:read");
  const { patient } = access;
  const resolution = span.to - span.from <= RAW_MS ? ("raw" as const) : ("hour" as const);
  const trace = readTrace(call, access, "buckets", { codes, from: span.from, to: span.to });
  const limitsOf = async (known: LimitsSince[] | null, over: Span) =>
    known ?? limitsOver([noteOf(await untoldFacts(call, patient))], { ...over, codes });
  if (resolution === "raw") {
    const found = await atObject(env, async () => monitorOf(env, patient.id).buckets({ codes, ...span, buckets }));
    const limits = await limitsOf(found.limits, span);
    await batch(db, trace);
    const meta = { resolution, from: iso(span.from), to: iso(span.to), uncounted_hours: 0, limits };
    return { items: found.buckets.map(toBucket), meta };
  }
  const hours = hoursOf(span);
  const over = { from: hours.from * HOUR_MS, to: hours.to * HOUR_MS };
  const { open, again, limits } = await openHoursOf(env, patient.id, { ...over, codes });
  const [told] = await batch(db, [toldHours(call, patient, hours), ...trace]);
  const found = bucketHours(mergeHours(open, told, hours, codes), hours, buckets);
  const uncounted_hours = again.filter((hour) => hour >= hours.from && hour < hours.to).length;
  const meta = { resolution, from: iso(over.from), to: iso(over.to), uncounted_hours, limits: await limitsOf(limits, over) };
  return { items: found.map(toBucket), meta };
}

const toBucket = ({ code, from, to, ...counts }: Bucket) => ({
  code,
  ...nameAndUnit(code),
  from: iso(from),
  to: iso(to),
  ...counts,
});

const ROLLUPS_MS = 31 * DAY_MS;

/** Hour by hour: what D1 was told, and open hours from the object. Hours are UTC; a range takes in every hour it touches. */
export async function hourlyRollups(env: Env, call: Call, ref: string, query: RangeQuery & { code?: string | undefined }) {
  const span = spanOf(query, call.now, { usual: DAY_MS, most: ROLLUPS_MS });
  const codes = codesOf(query.code);
  const access = await requirePatient(call, { patient: ref }, "observation:read");
  const hours = hoursOf(span);
  const { open: untold } = await openHoursOf(env, access.patient.id);
  const trace = readTrace(call, access, "rollups", { codes, from: span.from, to: span.to });
  const [told] = await batch(call.db, [toldHours(call, access.patient, hours), ...trace]);
  return mergeHours(untold, told, hours, codes).map(({ hour, code, open, ...rollup }) => ({
    hour: iso(hour * HOUR_MS),
    code,
    ...nameAndUnit(code),
    n: rollup.count,
    min: rollup.min,
    max: rollup.max,
    last: rollup.last,
    open,
    mean: meanOf(rollup),
    last_at: iso(rollup.last_at),
  }));
}

/** The latest sample of each vital, the devices and the score. An impossible value stands beside the last possible one. */
export async function latestObservations(env: Env, call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "observation:read");
  const { latest, devices, news2, limits, monitoring, as_of } = await snapshot(env, call, access.patient);
  await batch(call.db, readTrace(call, access, "latest", { count: latest.length }));
  const age = ({ effective_at }: LiveSample) => Math.max(0, Math.round((Date.parse(as_of) - Date.parse(effective_at)) / 1000));
  return {
    patient_id: access.patient.id,
    monitoring,
    latest: latest.map((sample) => ({ ...sample, age_s: age(sample) })),
    devices,
    news2,
    limits,
    as_of,
  };
}

/** NEWS2 of now (RCP 2017): complete with a number, or incomplete with the names of what is missing or too old. */
export async function news2Now(env: Env, call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "observation:read");
  const { news2 } = await snapshot(env, call, access.patient);
  await batch(call.db, readTrace(call, access, "news2"));
  return { patient_id: access.patient.id, ...news2 };
}

/** What the object knows of the patient now. */
export async function snapshot(env: Env, call: Call, patient: PatientRow): Promise<PatientSnapshot> {
  const known = await atObject(env, async () => monitorOf(env, patient.id).snapshot());
  return known ?? emptySnapshot(call, patient);
}

async function emptySnapshot(call: Call, patient: PatientRow): Promise<PatientSnapshot> {
  return snapshotOf(await untoldFacts(call, patient), newMemory(call.now), [], call.now);
}

/** Of a patient whose object was never told of one: without device, setting and sample, or it would have been (0004_changes). */
async function untoldFacts({ keys, now }: Call, patient: PatientRow): Promise<Facts> {
  const { date_of_birth: born } = await openIdentity(keys, patient);
  return {
    as_of: now,
    patient: patient.id,
    hospital: patient.hospital_id,
    ward: patient.ward_id,
    open: patient.active === 1,
    monitoring: patient.monitoring,
    age: born === null ? null : ageBandOf(born, now),
    pregnant: false,
    scale: 1,
    overrides: { ward: {}, patient: {} },
    bindings: [],
  };
}
