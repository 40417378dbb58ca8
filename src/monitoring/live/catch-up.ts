// Catching up of connections whose frames were withheld: snapshots of what changed, as fast as the client acknowledges.
import { CLOSE_REASONS, hasCredit, hasCreditToCatchUp } from "./clients.ts";
import type { FeedState } from "./feed-state.ts";
import { addSeq, toFrameBody } from "./frame-buffer.ts";

/** Patients per round: their snapshots are fetched together. */
const MAX_PATIENTS_PER_ROUND = 50;
/** A client with too many unacknowledged frames who acknowledges nothing for so long is closed, as is one who returns no beat. */
export const MAX_STALL_MS = 60_000;
/** Of a beat's catch-ups: their objects may hang, and other sockets' beats and rights must not wait for them. */
const CATCH_UP_CONCURRENCY = 5;
const CATCH_UP_DEADLINE_MS = 5_000;

/**
 * Sends a lagging connection snapshots of its pending patients, then the view, after which it gets frames again. Stops when the
 * credit is used up; the next acknowledgement continues.
 */
export async function catchUp(state: FeedState, socket: WebSocket, until = Number.POSITIVE_INFINITY): Promise<void> {
  const connection = state.sockets.get(socket);
  const pending = connection?.pending;
  if (!connection || !pending || pending.isSending) return;
  const { client } = connection;
  Object.assign(pending, { isSending: true, triedAt: Date.now() });
  try {
    while (hasCreditToCatchUp(client) && state.sockets.get(socket) === connection && Date.now() < until) {
      const ids = [...pending.patients].filter((id) => state.isInView(client.view, id));
      if (ids.length === 0) {
        connection.pending = null;
        const view = state.getView(client.view);
        if (view) state.sockets.transmit(socket, state.toViewFrame(view));
        return;
      }
      if (!(await sendSnapshots(state, socket, pending.patients, ids.slice(0, MAX_PATIENTS_PER_ROUND)))) return;
    }
  } finally {
    pending.isSending = false;
    state.sockets.beatIfDue(socket);
    state.sockets.saveState(socket);
  }
}

/** @returns whether fewer patients are pending than before: false when no object responds, or without credit */
async function sendSnapshots(
  state: FeedState,
  socket: WebSocket,
  pending: Set<string>,
  ids: readonly string[],
): Promise<boolean> {
  const before = state.seq;
  const snapshots = await state.fetchSnapshots(ids);
  const client = state.sockets.get(socket)?.client;
  if (!client) return false;
  const found = ids.flatMap((id) => (state.isInView(client.view, id) ? (snapshots.get(id) ?? []) : []));
  if (found.length === 0) return false;
  // A patient whose object has no data yet is in the view without a snapshot.
  for (const { patientId, snapshot } of found) if (!snapshot) pending.delete(patientId);
  let hasProgress = found.some(({ snapshot }) => !snapshot);
  const gap = { seq: state.nextSeq(), body: toFrameBody({ type: "gap", from: client.sent, to: before }), patients: [] };
  const snapshotFrames = state.toSnapshotFrames(found);
  const later = state.framesAfter(before, ids);
  for (const frame of [gap, ...snapshotFrames, ...(later ?? [])]) {
    const hasRoom = hasCredit(client, addSeq(frame.seq, frame.body).length);
    if (hasRoom && !state.sockets.transmit(socket, frame)) return false;
    hasProgress ||= hasRoom && frame.patients.length > 0;
    for (const id of frame.patients) hasRoom ? pending.delete(id) : pending.add(id);
  }
  // The buffer dropped frames that are newer than the snapshots.
  if (!later) for (const id of ids) pending.add(id);
  // Pending patients have no frame with a lower number, so a client who reconnects must not continue from here.
  state.markChanged(client.view);
  return hasProgress;
}

/** Closes connections that have returned no beat, or acknowledged nothing while frames were withheld, for MAX_STALL_MS. */
export function closeStalled(state: FeedState, now: number): void {
  for (const [socket, { client, pending }] of state.sockets.entries()) {
    const waitingSince = Math.min(client.unread.beat === null ? now : client.unread.beatAt, pending?.waitingSince ?? now);
    if (now - waitingSince >= MAX_STALL_MS) state.sockets.close(socket, CLOSE_REASONS.behind);
  }
}

/** Tries lagging connections again, those that have waited longest first, within CATCH_UP_DEADLINE_MS and the time of one round. */
export async function catchUpLagging(state: FeedState): Promise<void> {
  const triedAt = ([, { pending }]: ReturnType<FeedState["sockets"]["entries"]>[number]) => pending?.triedAt ?? 0;
  const waiting = state.sockets
    .entries()
    .filter(([, { pending }]) => pending !== null)
    .sort((a, b) => triedAt(b) - triedAt(a));
  const until = Date.now() + CATCH_UP_DEADLINE_MS;
  const work = async () => {
    for (let next = waiting.pop(); next && Date.now() < until; next = waiting.pop()) await catchUp(state, next[0], until);
  };
  await Promise.all(Array.from({ length: CATCH_UP_CONCURRENCY }, work));
}
