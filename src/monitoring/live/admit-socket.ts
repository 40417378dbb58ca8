// Opening of a socket at its feed: a client who reconnects gets the frames that it missed, any other a snapshot.
import type { Admission } from "./admissions.ts";
import { type Handshake, newClientState } from "./clients.ts";
import type { FeedState } from "./feed-state.ts";
import { type FeedView, findMissedFrames, toVisiblePatients } from "./feed-view.ts";
import { toFrameBody } from "./frame-buffer.ts";
import type { NumberedFrame } from "./sockets.ts";
import type { SnapshotResult } from "./watches.ts";

/** Opens a socket: sends the missed frames if all are buffered, else a snapshot. @param before the feed's `seq` before the snapshots */
export function admitSocket(
  state: FeedState,
  handshake: Handshake,
  snapshots: ReadonlyMap<string, SnapshotResult>,
  before: number,
): Admission {
  const { subscription, requested, since } = handshake;
  const { sockets } = state;
  const view = state.getView(subscription.view);
  if (!view || (requested && view.wanted.size === 0)) return { refused: 404 };
  if (!sockets.hasRoomFor(subscription)) return { refused: 429 };
  const now = Date.now();
  const open = new Set(sockets.entries().map(([, { client }]) => client.screen));
  const client = newClientState(handshake, state.shown.findScreen(subscription, open, now), now);
  if (!state.shown.record(client, toVisiblePatients(view, view.patients), now)) return { refused: 503 };
  const canContinue = since !== null && since <= state.seq;
  const missed = canContinue ? findMissedFrames(view, since, state.buffer, state.watches) : null;
  const opening = missed ? [] : openingFrames(state, view, since, snapshots, before);
  const later = missed ?? state.framesAfter(before, view.patients);
  const pair = new WebSocketPair();
  sockets.accept(pair[1], client);
  Object.assign(view, { leftAt: null, isOpen: true });
  state.saveView(subscription.view, view);
  sockets.send(pair[1], [...opening, ...(later ?? []), state.toViewFrame(view)]);
  if (!later) sockets.withhold(pair[1], view.patients);
  // A client who reconnects before it has caught up must not continue from what it got.
  if (sockets.get(pair[1])?.pending) state.markChanged(subscription.view);
  return { socket: pair[0] };
}

/** With new numbers: several snapshots are newer than frames published meanwhile, which follow them. */
function openingFrames(
  state: FeedState,
  view: FeedView,
  since: number | null,
  snapshots: ReadonlyMap<string, SnapshotResult>,
  before: number,
): NumberedFrame[] {
  const gap = { type: "gap", from: Math.min(since ?? 0, before), to: before };
  return [
    ...(since === null ? [] : [{ seq: state.nextSeq(), body: toFrameBody(gap), patients: [] }]),
    ...state.toSnapshotFrames([...view.patients].flatMap((id) => snapshots.get(id) ?? [])),
  ];
}
