// Conversion of counted traffic to one month of the reference traffic, in billed units.
import { addCounts, type Counts, scaleCounts, ZERO_COUNTS } from "../../bench/cost/counts.ts";
import {
  type Counted,
  type PlatformOverhead,
  TRAFFIC_KINDS,
  type TrafficCost,
  type TrafficKind,
} from "../../bench/cost/traffic.ts";
import type { Usage } from "./prices.ts";

const DAYS_PER_MONTH = 30;
export const PATIENTS = 5_000;
const STAFF = 400;
const READS_PER_DAY = 300;
export const UPLOADS_PER_DAY = 1_000;
const MONITORS = 50;
const SYNCS_PER_DAY = 96;
const SAMPLES_PER_SYNC = 75;
const SAMPLES_PER_SECOND = 6;
const SECONDS_PER_DAY = 86_400;
const MINUTES_PER_DAY = 1_440;
/** One log per hospital, and that of no hospital. */
const LOGS = 21;

/** Size of one ECG upload in bytes. */
const ECG_BYTES = 400_000;
/** A full block of 6 KB occupies two pages of 4 KB. */
const PAGE_OVERHEAD = 8_192 / 6_144;
/** An object is billed for 128 MB while it is awake. */
const OBJECT_MEMORY_GB = 0.128;
/** Minimum durations of a call or frame and of an alarm, which waits for D1: upper estimates for the real network. */
const MIN_EVENT_MS = 10;
const MIN_ALARM_MS = 100;
/** So many socket messages are billed as one request. */
const MESSAGES_PER_REQUEST = 20;

export type Logging = { enabled: boolean; invocations: boolean; sampled: number };

/** Occurrences of each kind per month. @param monitors number of bedside monitors */
export function unitsPerMonth(monitors: number): Record<TrafficKind, number> {
  return {
    // KV caches a lookup for a day: the first sync after it expires reads D1.
    "first sync": PATIENTS * DAYS_PER_MONTH,
    sync: PATIENTS * (SYNCS_PER_DAY - 1) * DAYS_PER_MONTH,
    // The hours of a bedside monitor are reported like those of a wearable.
    "patient-hour": (PATIENTS + monitors) * 24 * DAYS_PER_MONTH,
    upload: UPLOADS_PER_DAY * DAYS_PER_MONTH,
    read: STAFF * READS_PER_DAY * DAYS_PER_MONTH,
    "monitor-second": monitors * SECONDS_PER_DAY * DAYS_PER_MONTH,
    "minute clock": MINUTES_PER_DAY * DAYS_PER_MONTH,
    "quarter clock": (MINUTES_PER_DAY / 15) * DAYS_PER_MONTH,
    "log-hour": LOGS * 24 * DAYS_PER_MONTH,
    "packed day": (PATIENTS + monitors) * DAYS_PER_MONTH,
  };
}

export const SCENARIOS = { without: unitsPerMonth(0), with: unitsPerMonth(MONITORS) } as const;

function billedAwakeMs({ objectAwakeMs, objectCalls, socketMessages, alarms }: Counts): number {
  return Math.max(objectAwakeMs, (objectCalls + socketMessages) * MIN_EVENT_MS + alarms * MIN_ALARM_MS);
}

function logEvents({ requests, logLines, objectCalls, alarms, socketMessages }: Counts, logging: Logging): number {
  if (!logging.enabled) return 0;
  const invocations = logging.invocations ? requests + objectCalls + alarms + socketMessages : 0;
  return logging.sampled * (logLines + invocations);
}

/**
 * Worker CPU: excludes the local emulators of the platform, and the work of objects on syncs, which is billed by duration.
 * Any other CPU time of objects is included.
 */
export function workerCpuMs(kind: TrafficKind, { units, counts, cpuMs }: TrafficCost, floors: PlatformOverhead): number {
  if (counts.requests === 0) return 0;
  const { request, kv, d1, cache, limit, object, record } = floors;
  const stores = counts.kvRead * kv + counts.d1Trips * d1 + counts.cacheCalls * cache + counts.limitCalls * limit;
  const objects = counts.objectCalls * object + (kind === "sync" || kind === "first sync" ? units * record : 0);
  return Math.max(0, cpuMs - counts.requests * request - stores - objects);
}

/** A read is an event; an upload also; a device's uploads are one event per patient and day. */
const auditEvents = ({ read, upload, "first sync": deviceDays }: Record<TrafficKind, number>) => read + upload + deviceDays;

/** At the end of the first month, when nothing has been archived or deleted yet. */
export function computeUsage(counted: Counted, month: Record<TrafficKind, number>, logging: Logging): Usage {
  let counts = ZERO_COUNTS;
  let cpuMs = 0;
  let awake = 0;
  for (const kind of TRAFFIC_KINDS) {
    const stretch = counted.stretches[kind];
    const factor = month[kind] / stretch.units;
    counts = addCounts(counts, scaleCounts(stretch.counts, factor));
    cpuMs += workerCpuMs(kind, stretch, counted.floors) * factor;
    awake += billedAwakeMs(stretch.counts) * factor;
  }
  const samples = (month["first sync"] + month.sync) * SAMPLES_PER_SYNC + month["monitor-second"] * SAMPLES_PER_SECOND;
  const { requests, d1Read, d1Written, objectRead, objectWritten, kvRead, kvWritten, kvDeleted, kvListed, r2A, r2B } = counts;
  return {
    requests,
    cpuMs,
    d1Read,
    d1Written,
    d1Gb: counts.d1Bytes / 1e9,
    objectRequests: counts.objectCalls + counts.alarms + counts.socketMessages / MESSAGES_PER_REQUEST,
    objectGbS: (awake / 1_000) * OBJECT_MEMORY_GB,
    objectRead,
    objectWritten,
    objectGb: (PATIENTS * counted.objectBytes + samples * counted.sampleBytes * PAGE_OVERHEAD) / 1e9,
    kvRead,
    kvWritten,
    kvDeleted,
    kvListed,
    r2A,
    r2B,
    r2Gb: (month.upload * ECG_BYTES + auditEvents(month) * counted.logBytes) / 1e9,
    logEvents: logEvents(counts, logging),
  };
}
