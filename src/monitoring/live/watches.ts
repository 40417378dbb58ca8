// Watches: leases under which patients' objects publish frames to a feed.
import { withDeadline } from "../../platform/deadline.ts";
import type { PatientSnapshot } from "../patient-object/contract.ts";

export const LEASE_MS = 10 * 60_000;
/** Leases shorter than this are renewed. */
const RENEW_MS = 5 * 60_000;
/** How long frames of an unwatched patient are still received, so that a returning client misses nothing. */
const WATCH_LINGER_MS = 60_000;
const FETCH_CONCURRENCY = 10;
/** A hanging object must not delay a whole ward. */
const FETCH_DEADLINE_MS = 3_000;

/** `until`: end of the lease at the patient's object. `since`: the feed's `seq` since which frames arrive without a gap. */
export type Watch = { until: number; since: number; unwatchedSince: number | null };
export type Watches = Map<string, Watch>;

/** `lapsed`: frames before this snapshot may have been missed. */
export type SnapshotResult = { patientId: string; snapshot: PatientSnapshot | null; lapsed: boolean };

/**
 * Fetches snapshots from patients' objects, which also renews their leases.
 * @param seq the feed's current `seq`  @param report called once with the first failure and the number of failures
 * @returns without patients whose objects did not respond
 */
export async function fetchSnapshots(
  monitors: Env["PATIENT_MONITOR"],
  watches: Watches,
  patientIds: Iterable<string>,
  seq: () => number,
  report: (error: unknown, count: number) => void,
): Promise<Map<string, SnapshotResult>> {
  const waiting = [...new Set(patientIds)];
  const snapshots = new Map<string, SnapshotResult>();
  const failures: unknown[] = [];
  const end = Date.now() + FETCH_DEADLINE_MS;
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined && Date.now() < end; id = waiting.pop()) {
      try {
        snapshots.set(id, await fetchSnapshot(monitors, watches, id, seq()));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: FETCH_CONCURRENCY }, work));
  if (failures.length > 0) report(failures[0], failures.length);
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
  // Before the call returns, since the first frames may arrive earlier.
  watches.set(patientId, watch);
  const snapshot = await withDeadline(
    monitors.getByName(patientId).watch(now + LEASE_MS),
    FETCH_DEADLINE_MS,
    "a patient's object",
  );
  // An object without facts publishes nothing, so it is asked again later.
  if (!snapshot) return { patientId, snapshot, lapsed };
  if (lapsed) watch.since = seq;
  watch.until = Math.max(watch.until, now + LEASE_MS);
  return { patientId, snapshot, lapsed };
}

export function needsSnapshot(watch: Watch | undefined, now: number): boolean {
  return !watch || watch.until < now + RENEW_MS;
}

/** Updates a watch on a frame. @returns when the lease ends, epoch milliseconds; 0 when frames are no longer needed */
export function updateWatch(watch: Watch, isWatched: boolean, now: number): number {
  if (isWatched) {
    // Only PatientMonitor.watch extends the lease, since the patient's object stores it.
    watch.unwatchedSince = null;
    return watch.until > now ? watch.until : 0;
  }
  watch.unwatchedSince ??= now;
  watch.until = Math.min(watch.until, watch.unwatchedSince + WATCH_LINGER_MS);
  return watch.until > now ? watch.until : 0;
}
