// Reading of a patient's vitals: samples, buckets for charts, hourly rollups, the latest values, NEWS2.
// Raw samples are in the patient's object; the audit event commits in D1 before the response.

import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { coverSpan, coverTime } from "../../access/covered-access.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { OWN_RECORD, type PatientRow, type PatientTarget } from "../../access/patient-row.ts";
import { buildOpenEndedPagination, buildPage, type PageStart, resolvePageStart } from "../../http/pagination.ts";
import { unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { patientEvent } from "../../patients/patients.ts";
import { DAY_MS, HOUR_MS, toIso } from "../../platform/time.ts";
import { callMonitor } from "../intake/ingest.ts";
import { limitSnapshot } from "../live/shared-vitals.ts";
import { type Facts, newFacts } from "../patient-object/context/facts.ts";
import { computeLimitsHistory, toLimitsNote } from "../patient-object/context/limits-history.ts";
import type { LimitsSince, LiveSample, PatientSnapshot } from "../patient-object/contract.ts";
import { newMonitorMemory } from "../patient-object/memory/monitor-memory.ts";
import type { Bucket } from "../patient-object/samples/buckets.ts";
import { parseObservationId, toObservationId } from "../patient-object/samples/ids.ts";
import type { HistoryOrder, SampleFilter } from "../patient-object/samples/read-samples.ts";
import { computeMean } from "../patient-object/samples/rollup.ts";
import { buildSnapshot, toPersonKey } from "../patient-object/snapshot.ts";
import { shownAt } from "../vitals/model.ts";
import { WEARABLE_METRICS } from "../vitals/wearables.ts";
import { bucketHourRollups, getOpenHours, mergeHours, openClosedHours, pageOfHours, selectClosedHours } from "./hour-rollups.ts";
import {
  describeCode,
  parseCodes,
  parseTimeRange,
  type RangeQuery,
  type SampleQuery,
  type TimeRange,
  toHourKey,
  toHourRange,
} from "./query.ts";

/** Up to this range buckets are made from samples, beyond it from hourly rollups. */
const MAX_RAW_RANGE_MS = DAY_MS;
export const MAX_RANGE_MS = 366 * DAY_MS;
/** More than a sample may be ahead of the server's clock (MAX_CLOCK_LEAD_MS in device-times.ts). */
const CLOCK_TOLERANCE_MS = 10 * 60_000;
const UNBOUNDED_RANGE = { defaultMs: Number.POSITIVE_INFINITY, maxMs: Number.POSITIVE_INFINITY };

const getMonitor = (env: Env, patientId: string) => env.PATIENT_MONITOR.getByName(patientId);

/** Appends the event of a read, before the response. */
export function auditRead(call: Call, access: Access, view: string, detail: object = {}): Promise<void> {
  return appendAuditEvent(call, { ...patientEvent(access, "observation.read", "R"), detail: { view, ...detail } });
}

/**
 * Access to a patient's samples, and the part of the span that it covers.
 * @param unitMs of data that cannot be divided further  @throws ApiError not_found, also where a consent covers nothing of the span
 */
export async function authorizeSpan(call: Call, target: PatientTarget, span: TimeRange, unitMs = 1) {
  const access = await authorizePatient(call, target, "observation:read", { byConsent: true });
  return coverSpan(call, access, "observation:read", { kind: "observations", ...span, unitMs });
}

export type HistoryQuery = RangeQuery & { code?: string | undefined; limit: number; cursor?: string | undefined };

/** Samples, filtered and sorted. @throws ApiError not_found, invalid_cursor, invalid_request */
export async function listObservations(env: Env, call: Call, ref: string, query: HistoryQuery & SampleQuery) {
  return listSamples(env, call, { patient: ref }, { ...query, codes: parseCodes(query.code) });
}

/** Samples of wearable metrics, by default of the caller's own record. */
export async function listWearableSamples(
  env: Env,
  call: Call,
  query: Pick<HistoryQuery, "limit" | "cursor"> & { patient_id?: string | undefined },
) {
  const target = query.patient_id === undefined ? OWN_RECORD : { patient: query.patient_id };
  return listSamples(env, call, target, { ...query, codes: WEARABLE_METRICS.map(([, code]) => code) });
}

async function listSamples(
  env: Env,
  call: Call,
  target: PatientTarget,
  query: Omit<HistoryQuery, "code"> & Partial<SampleQuery> & { codes: string[] | null },
) {
  const start = await resolvePageStart(call, `observations:${Object.values(target)}`, { ...query, offset: 0 });
  const newest = call.now + CLOCK_TOLERANCE_MS;
  const asked = parseTimeRange(query, newest, UNBOUNDED_RANGE);
  const { access, span } = await authorizeSpan(call, target, { from: asked.from, to: Math.min(asked.to, newest) });
  const { id } = access.patient;
  const historyQuery = {
    ...{ codes: query.codes, ...span, limit: start.limit, after: toPosition(start) },
    ...toSelection(query),
  };
  const { samples: items, next } = await callMonitor(env, async () => getMonitor(env, id).history(historyQuery));
  // The position of the last sample in the order of the list.
  const end = next && { value: next.at, id: toObservationId(id, next.block, next.index) };
  const pagination = await buildOpenEndedPagination(start, items.length, end);
  await auditRead(call, access, "history", { codes: query.codes, count: items.length });
  return { items, pagination };
}

const isAscending = (sort: string) => !sort.startsWith("-");

function toSelection(query: Partial<SampleQuery>): { filter: SampleFilter; order: HistoryOrder } {
  const { device_id, performer_id, source, status, value_min, value_max, sort = "-effective_at" } = query;
  const by = device_id ?? (performer_id === undefined ? undefined : toPersonKey(performer_id));
  // A sample has one sender.
  const isNobody = device_id !== undefined && performer_id !== undefined;
  const filter = { by: isNobody ? "" : by, source, statuses: status, min: value_min, max: value_max };
  const order = { by: sort.endsWith("received_at") ? "received_at" : "effective_at", ascending: isAscending(sort) } as const;
  return { filter, order };
}

function toPosition({ after }: PageStart) {
  const position = after && parseObservationId(after.id);
  return position && { at: after.value, block: position.block, index: position.index };
}

export type BucketQuery = RangeQuery & { code?: string | undefined; buckets: number };

/** Buckets for a chart: from samples up to 24 hours, beyond that from hourly rollups with edges at whole hours. */
export async function getBuckets(env: Env, call: Call, ref: string, query: BucketQuery) {
  const { now } = call;
  const asked = parseTimeRange(query, now, { defaultMs: DAY_MS, maxMs: MAX_RANGE_MS });
  const codes = parseCodes(query.code);
  const { buckets } = query;
  const resolution = asked.to - asked.from <= MAX_RAW_RANGE_MS ? ("raw" as const) : ("hour" as const);
  const { access, span } = await authorizeSpan(call, { patient: ref }, asked, resolution === "raw" ? 1 : HOUR_MS);
  const { patient } = access;
  const stored = auditRead(call, access, "buckets", { codes, from: span.from, to: span.to });
  // The limits of alarms are the holder's own: a consent covers samples.
  const loadLimits = async (known: LimitsSince[] | null, over: TimeRange) =>
    access.grants ? [] : (known ?? computeLimitsHistory([toLimitsNote(await defaultFacts(call, patient))], { ...over, codes }));
  if (resolution === "raw") {
    const found = await afterAudit(
      stored,
      callMonitor(env, async () => getMonitor(env, patient.id).buckets({ codes, ...span, buckets })),
    );
    const limits = await loadLimits(found.limits, span);
    const meta = { resolution, from: toIso(span.from), to: toIso(span.to), uncounted_hours: 0, limits };
    return { items: found.buckets.map(toBucket), meta };
  }
  const hours = toHourRange(span);
  const over = { from: hours.from * HOUR_MS, to: hours.to * HOUR_MS };
  const loaded = getOpenHours(env, patient.id, { ...over, codes });
  const { open, hoursToRecount, limits } = await afterAudit(stored, loaded);
  const closedRows = await selectClosedHours(call, patient, hours);
  const closedHours = await openClosedHours(env, call, patient, hours, closedRows);
  const found = bucketHourRollups(mergeHours(open, closedHours, hours, codes), hours, buckets);
  const uncounted_hours = hoursToRecount.filter((hour) => hour >= hours.from && hour < hours.to).length;
  const meta = {
    resolution,
    from: toIso(over.from),
    to: toIso(over.to),
    uncounted_hours,
    limits: await loadLimits(limits, over),
  };
  return { items: found.map(toBucket), meta };
}

const toBucket = ({ code, from, to, last_at, ...counts }: Bucket) => ({
  code,
  ...describeCode(code),
  from: toIso(from),
  to: toIso(to),
  ...counts,
  last_at: toIso(last_at),
});

const MAX_ROLLUP_RANGE_MS = 31 * DAY_MS;

/** Hourly rollups: closed hours from D1 or packed ones from R2, open ones from the object. Hours are UTC; the range includes every hour it touches. */
export async function listHourlyRollups(env: Env, call: Call, ref: string, query: HistoryQuery) {
  const start = await resolvePageStart(call, `rollups:${ref}`, { ...query, offset: 0 });
  const asked = parseTimeRange(query, call.now, { defaultMs: DAY_MS, maxMs: MAX_ROLLUP_RANGE_MS });
  const codes = parseCodes(query.code);
  const { access, span } = await authorizeSpan(call, { patient: ref }, asked, HOUR_MS);
  const hours = toHourRange(span);
  const rest = { from: Math.max(hours.from, start.after?.value ?? 0), to: hours.to };
  const stored = auditRead(call, access, "rollups", { codes, from: span.from, to: span.to });
  const { open: openHours } = await afterAudit(stored, getOpenHours(env, access.patient.id));
  const closedRows = await selectClosedHours(call, access.patient, rest, { codes, limit: start.limit + 2 });
  const closedHours = await openClosedHours(env, call, access.patient, rest, closedRows);
  const found = pageOfHours(start, openHours, closedHours, rest, codes);
  const total = { n: start.offset + found.length, exact: found.length <= start.limit };
  const { rows, pagination } = await buildPage(start, found, toHourKey, total);
  const items = rows.map(({ hour, code, open, ...rollup }) => ({
    hour: toIso(hour * HOUR_MS),
    code,
    ...describeCode(code),
    n: rollup.count,
    min: rollup.min,
    max: rollup.max,
    last: rollup.last,
    open,
    mean: computeMean(rollup),
    last_at: toIso(rollup.last_at),
  }));
  return { items, pagination };
}

/**
 * The latest sample of each vital, the devices and the score. A newer invalid value is listed beside the last valid one. By a consent
 * for vitals of this time: the samples alone.  @throws ApiError not_found, also where no consent covers the present
 */
export async function getLatestObservations(env: Env, call: Call, ref: string) {
  const found = await authorizePatient(call, { patient: ref }, "observation:read", { byConsent: true });
  const access = await coverTime(call, found, "observation:read", { kind: "observations", at: call.now });
  const snapshot = await getSnapshot(env, call, access.patient);
  const [grant] = access.grants ?? [];
  const { latest, as_of } = grant ? limitSnapshot(snapshot, grant) : snapshot;
  await auditRead(call, access, "latest", { count: latest.length });
  const ageSeconds = ({ effective_at, received_at }: LiveSample) => {
    const at = shownAt({ at: Date.parse(effective_at), received: Date.parse(received_at) });
    return Math.max(0, Math.round((Date.parse(as_of) - at) / 1000));
  };
  const samples = latest.map((sample) => ({ ...sample, age_s: ageSeconds(sample) }));
  const vitals = { patient_id: access.patient.id, latest: samples, as_of };
  if (grant) return vitals;
  const { monitoring, devices, news2, observations, trend_mark, limits } = snapshot;
  return { ...vitals, monitoring, devices, news2, observations, trend_mark, limits };
}

/** The current NEWS2 (RCP 2017): complete with a number, or incomplete with the missing and stale parameters. */
export async function getNews2(env: Env, call: Call, ref: string) {
  const access = await authorizePatient(call, { patient: ref }, "observation:read");
  const { news2 } = await afterAudit(auditRead(call, access, "news2"), getSnapshot(env, call, access.patient));
  return { patient_id: access.patient.id, ...news2 };
}

/** The current snapshot of a patient's object. */
export async function getSnapshot(env: Env, call: Call, patient: PatientRow): Promise<PatientSnapshot> {
  const known = await callMonitor(env, async () => getMonitor(env, patient.id).snapshot());
  return known ?? emptySnapshot(call, patient);
}

async function emptySnapshot(call: Call, patient: PatientRow): Promise<PatientSnapshot> {
  return buildSnapshot(await defaultFacts(call, patient), newMonitorMemory(call.now), [], call.now);
}

/** Facts of a patient whose object has none: no device, setting or sample, since a change would have been delivered (0007_facts_follow). */
async function defaultFacts({ keys, now }: Call, patient: PatientRow): Promise<Facts> {
  const { date_of_birth: dateOfBirth } = await unsealIdentity(keys, patient);
  return newFacts(patient, dateOfBirth, patient.active === 1, now);
}
