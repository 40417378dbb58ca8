// Random entries of audit logs, logs in segments with open entries as their object would select them, and a bucket that counts.
import { mulberry32 } from "../../cli/random.ts";
import {
  type AuditLogEvent,
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  type LogSelection,
  MAX_LISTED_SEGMENTS,
  matchesFilter,
  NO_HOSPITAL_LOG,
} from "../../src/audit-log/contract.ts";
import type { LogSource } from "../../src/audit-log/read-logs.ts";
import type { SegmentLevel } from "../../src/audit-log/segments/file-format.ts";
import { isInTimeRange } from "../../src/audit-log/segments/read-segment.ts";
import { termMatcher } from "../../src/audit-log/segments/terms.ts";
import { type WrittenSegment, writeSegment } from "../../src/audit-log/segments/write-segment.ts";
import type { KeyRing } from "../../src/platform/crypto.ts";
import { env } from "../world.ts";

export const START = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const HOUR = 3_600 * SECOND;
type Random = () => number;

const pick = <T>(random: Random, items: readonly T[]): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
};

/** A UUIDv7 of this time from seeded numbers. */
export function seededId(random: Random, time: number): string {
  const hex = (length: number) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
  const at = time.toString(16).padStart(12, "0");
  return `${at.slice(0, 8)}-${at.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(12)}`;
}

export const seededIds = (seed: number, count: number): string[] => {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => seededId(random, START));
};

export type EventOptions = {
  hospitalId: string;
  patients: readonly string[];
  actors: readonly string[];
  /** Hospitals of actors from elsewhere. */
  otherHospitals?: readonly string[];
  from: number;
  to: number;
  detail?: (random: Random) => Record<string, unknown> | null;
};

/** Events in the order in which a log stores them: 3 % are handed over up to ten hours late. Whole seconds, so that times repeat. */
export function randomEvents(random: Random, count: number, options: EventOptions): { logged: number; event: AuditLogEvent }[] {
  const { hospitalId, patients, actors, otherHospitals = [], from, to, detail } = options;
  return Array.from({ length: count }, (_, i) => {
    const logged = Math.floor(from + ((to - from) * i) / count);
    const late = random() < 0.03 ? Math.floor(random() * 10 * HOUR) : Math.floor(random() * 2 * SECOND);
    const recorded = Math.floor((logged - late) / SECOND) * SECOND;
    const subjects = random() < 0.2 ? [] : Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, patients));
    return {
      logged,
      event: {
        id: seededId(random, recorded),
        recorded,
        event: pick(random, ["patient.read", "patient.list", "report.create", "login"]),
        action: "R",
        outcome: pick(random, ["success", "success", "success", "denied", "failed"]),
        reason: null,
        actor:
          random() < 0.1 ? { kind: "system", id: null, role: null } : { kind: "user", id: pick(random, actors), role: "nurse" },
        hospital_id: hospitalId,
        actor_hospital_id: otherHospitals.length > 0 && random() < 0.2 ? pick(random, otherHospitals) : null,
        basis: "care_team",
        purpose: "treatment",
        entity: null,
        request_id: `request-${i}`,
        ip: "10.0.0.1",
        detail: detail ? detail(random) : random() < 0.5 ? { count: i, text: "zwölf 🩺\n" } : null,
        subjects: [...new Set(subjects)],
      },
    };
  });
}

export function toEntries(random: Random, events: { logged: number; event: AuditLogEvent }[], first = 0): LogEntry[] {
  const seed = () => Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString("base64url");
  return events.map(({ logged, event }, i) => ({ ...event, seq: first + i, logged, seed: seed() }));
}

export type TestLog = { logId: string; open: LogEntry[]; segments: WrittenSegment[] };

/** Cuts entries at these sequence numbers into segments; what remains is open. */
export async function segmentLog(
  ring: KeyRing,
  logId: string,
  entries: LogEntry[],
  cuts: number[],
  level: SegmentLevel = "hour",
) {
  const log: TestLog = { logId, open: entries, segments: [] };
  const first = entries[0]?.seq ?? 0;
  for (const [i, cut] of cuts.entries()) {
    const part = entries.slice((cuts[i - 1] ?? first) - first, cut - first);
    log.segments.push(await writeSegment(env.FILES, ring, logId, level, part));
    log.open = entries.slice(cut - first);
  }
  return log;
}

/** What the object of a log answers (contract.ts). */
export function selectFrom(log: TestLog, filter: LogFilter, before: LogPosition | null, limit: number): LogSelection {
  const hasTerms = termMatcher(filter);
  const segments = log.segments
    .filter(({ ref, terms }) => isInTimeRange(ref, filter, before) && hasTerms(terms))
    .map(({ ref }) => ref)
    .sort((a, b) => b.recordedTo - a.recordedTo);
  const isComplete = segments.length <= MAX_LISTED_SEGMENTS;
  return {
    entries: naiveList(log.open, filter, before).slice(0, limit),
    segments: segments.slice(0, MAX_LISTED_SEGMENTS),
    isComplete,
  };
}

/** What a list must give, by a scan of everything. */
export const naiveList = (entries: LogEntry[], filter: LogFilter, before: LogPosition | null = null): LogEntry[] =>
  entries
    .filter((entry) => matchesFilter(entry, filter) && (!before || compareNewestFirst(before, entry) < 0))
    .sort(compareNewestFirst);

export const ownLogOf = (event: AuditLogEvent): string => event.hospital_id ?? NO_HOSPITAL_LOG;

export type CountingBucket = { bucket: R2Bucket; reads: () => number };

/** The real bucket; counts `get`. */
export function countReads(bucket: R2Bucket): CountingBucket {
  let reads = 0;
  const get = (target: R2Bucket, name: string | symbol) => {
    const value: unknown = Reflect.get(target, name);
    if (typeof value !== "function") return value;
    return (...given: unknown[]) => {
      if (name === "get") reads++;
      return value.apply(target, given);
    };
  };
  return { bucket: new Proxy(bucket, { get }), reads: () => reads };
}

export function sourceOf(ring: KeyRing, bucket: R2Bucket, logs: TestLog[]): LogSource {
  const select: LogSource["select"] = async (logId, ...asked) => {
    const log = logs.find((one) => one.logId === logId);
    return log ? selectFrom(log, ...asked) : { entries: [], segments: [], isComplete: true };
  };
  return { select, bucket, keys: { audit: ring } };
}
