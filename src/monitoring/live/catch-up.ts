// Catching up of connections whose frames were withheld: snapshots of what changed, as fast as the client acknowledges.
import { CLOSE_REASONS, hasCredit, hasCreditToCatchUp } from "./clients.ts";
import type { FeedState } from "./feed-state.ts";
import { addSeq, toFrameBody } from "./frame-buffer.ts";

/** Patients per round: their snapshots are fetched together. */
const MAX_PATIENTS_PER_ROUND = 50;
/** A client who owes too much and acknowledges nothing for so long is closed. */
export const MAX_STALL_MS = 60_000;

/**
 * Sends a lagging connection snapshots of the patients that it is owed, then the view, after which it gets frames again. Stops
 * when the credit is used up; the next acknowledgement continues.
 */
export async function catchUp(state: FeedState, socket: WebSocket): Promise<void> {
  const connection = state.sockets.get(socket);
  const owed = connection?.owed;
  if (!connection || !owed || owed.isSending) return;
  const { client } = connection;
  owed.isSending = true;
  try {
    while (hasCreditToCatchUp(client) && state.sockets.get(socket) === connection) {
      const ids = [...owed.patients].filter((id) => state.isInView(client.view, id));
      if (ids.length === 0) {
        connection.owed = null;
        const viewFrame = state.viewFrameOf(client.view);
        if (viewFrame) state.sockets.transmit(socket, viewFrame);
        return;
      }
      if (!(await sendSnapshots(state, socket, owed.patients, ids.slice(0, MAX_PATIENTS_PER_ROUND)))) return;
    }
  } finally {
    owed.isSending = false;
    state.sockets.saveState(socket);
  }
}

/** @returns whether the client is owed less than before: false when no object responds, or without credit */
async function sendSnapshots(state: FeedState, socket: WebSocket, owed: Set<string>, ids: readonly string[]): Promise<boolean> {
  const before = state.seq;
  const snapshots = await state.fetchSnapshots(ids);
  const client = state.sockets.get(socket)?.client;
  if (!client) return false;
  const found = ids.flatMap((id) => (state.isInView(client.view, id) ? (snapshots.get(id) ?? []) : []));
  if (found.length === 0) return false;
  // A patient whose object has no data yet is in the view without a snapshot.
  for (const { patientId, snapshot } of found) if (!snapshot) owed.delete(patientId);
  let hasProgress = found.some(({ snapshot }) => !snapshot);
  const gap = { seq: state.nextSeq(), body: toFrameBody({ type: "gap", from: client.sent, to: before }), patients: [] };
  for (const frame of [gap, ...state.toSnapshotFrames(found), ...state.framesAfter(before, ids)]) {
    const hasRoom = hasCredit(client, addSeq(frame.seq, frame.body).length);
    if (hasRoom && !state.sockets.transmit(socket, frame)) return false;
    hasProgress ||= hasRoom && frame.patients.length > 0;
    for (const id of frame.patients) hasRoom ? owed.delete(id) : owed.add(id);
  }
  // Patients that are still owed have no frame with a lower number, so a client who reconnects must not continue from here.
  state.markChanged(client.view);
  return hasProgress;
}

/** Closes connections that owe too much and have acknowledged nothing for MAX_STALL_MS; tries the others again. */
export async function checkLagging(state: FeedState, now: number): Promise<void> {
  for (const [socket, { owed }] of state.sockets.entries()) {
    if (!owed) continue;
    if (now - owed.waitingSince >= MAX_STALL_MS) state.sockets.close(socket, CLOSE_REASONS.behind);
    else await catchUp(state, socket);
  }
}
