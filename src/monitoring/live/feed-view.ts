// A view of a feed: the patients that its sockets show, and their snapshots in frames of bounded size.
import type { PatientSnapshot } from "../patient-object/contract.ts";
import { MAX_UNACKED_BYTES, MAX_UNACKED_FRAMES } from "./clients.ts";
import type { ViewGrants } from "./feed-storage.ts";
import { type FrameBuffer, listFramesAfter, toFrameBody } from "./frame-buffer.ts";
import { grantEndsAt, isSameGrant } from "./live-grant.ts";
import { type NumberedFrame, toNumberedFrame } from "./sockets.ts";
import { isViewByGrant, type RequestedPatients, type VisiblePatient } from "./visibility.ts";
import { LEASE_MS, type SnapshotResult, type Watches } from "./watches.ts";

/** How long a view without sockets is kept, so that a returning client continues where it was. */
export const VIEW_LINGER_MS = 60_000;
/** A frame has as many snapshots as fit, and at least one. */
const MAX_SNAPSHOT_SIZE = 64 * 1024;

export type FeedView = {
  requested: RequestedPatients;
  /** `wanted`: the visible patients according to D1. `patients`: those whose snapshots were sent. */
  wanted: ReadonlySet<string>;
  patients: Set<string>;
  /** The consents or the emergency access by which `wanted` are visible; null for a view by role. */
  grants: ViewGrants;
  /** The `seq` at which a patient last joined: a client with a lower one lacks that patient. */
  changed: number;
  /** The number of the D1 query that `wanted` results from. */
  queryNumber: number;
  opening: number;
  /** Whether a socket has ever opened it. */
  isOpen: boolean;
  leftAt: number | null;
};

export function newView(key: string, requested: RequestedPatients, changed: number): FeedView {
  const empty = { wanted: new Set<string>(), patients: new Set<string>(), grants: isViewByGrant(key) ? new Map() : null };
  return { ...empty, requested, changed, queryNumber: 0, opening: 0, isOpen: false, leftAt: null };
}

export function toVisiblePatients({ grants }: FeedView, patientIds: Iterable<string>): VisiblePatient[] {
  return [...patientIds].map((id) => ({ id, grant: grants?.get(id) ?? null }));
}

/**
 * Replaces the visible patients of a view. One who is shown by another grant from now on leaves and joins again.
 * @returns whether a shown patient left
 */
export function replaceVisible(view: FeedView, visible: readonly VisiblePatient[]): boolean {
  const before = view.grants;
  const grants = new Map(visible.flatMap(({ id, grant }) => (grant ? [[id, grant] as const] : [])));
  const wanted = new Set(visible.map(({ id }) => id));
  const shown = new Set([...view.patients].filter((id) => wanted.has(id) && isSameGrant(before?.get(id), grants.get(id))));
  const hasLeft = shown.size < view.patients.size;
  Object.assign(view, { wanted, patients: shown, grants: before && grants });
  return hasLeft;
}

/** When the first grant of a view with sockets ends, Unix ms; Infinity without one. */
export function firstGrantEnd(views: Iterable<FeedView>): number {
  const open = [...views].filter(({ leftAt }) => leftAt === null);
  const ends = open.flatMap(({ grants }) => [...(grants?.values() ?? [])].map(grantEndsAt));
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

/** Frames of snapshots without numbers; one empty frame for a view without data. */
export function splitSnapshots(results: readonly SnapshotResult[]): Omit<NumberedFrame, "seq">[] {
  const parts: PatientSnapshot[][] = [[]];
  let size = 0;
  for (const snapshot of results.flatMap(({ snapshot }) => snapshot ?? [])) {
    const added = JSON.stringify(snapshot).length;
    if (size > 0 && size + added > MAX_SNAPSHOT_SIZE) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(snapshot);
    size += added;
  }
  return parts.map((patients) => ({
    body: toFrameBody({ type: "snapshot", patients }),
    patients: patients.map(({ patient_id }) => patient_id),
  }));
}

/** Frames of the view after `since`; null when some may be missing or they exceed half the client's limits. */
export function findMissedFrames(view: FeedView, since: number, buffer: FrameBuffer, watches: Watches): NumberedFrame[] | null {
  if (since < view.changed) return null;
  for (const id of view.patients) if ((watches.get(id)?.since ?? Number.POSITIVE_INFINITY) > since) return null;
  const frames = listFramesAfter(buffer, since, view.patients);
  const size = frames?.reduce((sum, { body }) => sum + body.length, 0) ?? 0;
  return frames && frames.length <= MAX_UNACKED_FRAMES / 2 && size <= MAX_UNACKED_BYTES / 2 ? frames.map(toNumberedFrame) : null;
}

/** Until when all patients of the view publish frames, epoch milliseconds. */
export function leaseOf(view: FeedView, watches: Watches): number {
  return Math.min(Date.now() + LEASE_MS, ...[...view.wanted].map((id) => watches.get(id)?.until ?? 0));
}
