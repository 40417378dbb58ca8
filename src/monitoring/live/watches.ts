// Which patients tell a feed what happens, until when and since when without a break.
import type { PatientSnapshot } from "../patient-object/contract.ts";

export const LEASE_MS = 10 * 60_000;
/** Leases shorter than this are renewed. */
const RENEW_MS = 5 * 60_000;
/** Who has nobody left watching is heard for so long: a client that comes back misses nothing. */
const WATCH_LINGER_MS = 60_000;
const FETCH_CONCURRENCY = 10;
/** One object that hangs must not keep a ward waiting. */
const FETCH_DEADLINE_MS = 3_000;

/** `until`: as the patient's object was told. `since`: the feed's number when its frames began to come without a break. */
export type Watch = { until: number; since: number; unwatchedSince: number | null };
export type Watches = Map<string, Watch>;

/** `lapsed`: frames before this look are not known. */
export type SnapshotResult = { patientId: string; snapshot: PatientSnapshot | null; lapsed: boolean };

/**
 * Asks patients' objects for snapshots, which also makes them tell what happens from now on.
 * @param seq the feed's number now  @returns without the patients whose objects did not answer
 */
export async function fetchSnapshots(
  monitors: Env["PATIENT_MONITOR"],
  watches: Watches,
  patientIds: Iterable<string>,
  seq: () => number,
): Promise<Map<string, SnapshotResult>> {
  const waiting = [...new Set(patientIds)];
  const snapshots = new Map<string, SnapshotResult>();
  const end = Date.now() + FETCH_DEADLINE_MS;
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined && Date.now() < end; id = waiting.pop()) {
      const result = await fetchSnapshot(monitors, watches, id, seq()).catch(() => null);
      if (result) snapshots.set(id, result);
    }
  };
  await Promise.all(Array.from({ length: FETCH_CONCURRENCY }, work));
  return snapshots;
}

async function fetchSnapshot(
  monitors: Env["PATIENT_MONITOR"],
  watches: Watches,
  patientId: string,
  seq: number,
): Promise<SnapshotResult> {
  const now = Date.now();
  const watch = watches.get(patientId) ?? { until: 0, since: seq, unwatchedSince: null };
  const lapsed = watch.until <= now;
  if (lapsed && watch.until > 0) watch.since = seq;
  // Before the answer: the first frames may be here sooner.
  watches.set(patientId, watch);
  const snapshot = await withDeadline(monitors.getByName(patientId).watch(now + LEASE_MS));
  // An object that has heard nothing of its patient tells nothing either; it is asked again.
  if (!snapshot) return { patientId, snapshot, lapsed };
  if (lapsed) watch.since = seq;
  watch.until = Math.max(watch.until, now + LEASE_MS);
  return { patientId, snapshot, lapsed };
}

function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("a patient's object did not answer")), FETCH_DEADLINE_MS);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

export function needsSnapshot(watch: Watch | undefined, now: number): boolean {
  return !watch || watch.until < now + RENEW_MS;
}

/** A frame came. @returns until when more are wanted, 0 for no longer */
export function updateWatch(watch: Watch, isWatched: boolean, now: number): number {
  if (isWatched) {
    // The lease grows by `watch` alone, which the patient's object keeps: one that only grew here would not outlive it.
    watch.unwatchedSince = null;
    return watch.until > now ? watch.until : 0;
  }
  watch.unwatchedSince ??= now;
  watch.until = Math.min(watch.until, watch.unwatchedSince + WATCH_LINGER_MS);
  return watch.until > now ? watch.until : 0;
}
