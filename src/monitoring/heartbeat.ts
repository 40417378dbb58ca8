// Heartbeats of sockets. The platform does not tell how much of a socket is buffered: a beat has a random number, so that only a peer
// that reads can return it, and then everything sent before it was read.
import { z } from "zod";

export const BEAT_MS = 20_000;

/**
 * `bytes`: sent since the newest beat that the peer returned. `beat`: the number of the beat that it has not returned yet, `beatAt`:
 * when the newest beat was first sent, `bytesAtBeat`: what was sent before it. Kept in the socket's attachment.
 */
export const Unread = z.object({
  bytes: z.int(),
  beat: z.int().nullable(),
  beatAt: z.number(),
  bytesAtBeat: z.int(),
});
export type Unread = z.infer<typeof Unread>;

export function newUnread(now: number): Unread {
  return { bytes: 0, beat: null, beatAt: now, bytesAtBeat: 0 };
}

/** The number of the beat to send: that of the beat that was not returned, else a new one, unpredictable and exact in JSON. */
export function nextBeat(unread: Unread, now: number): number {
  if (unread.beat !== null) return unread.beat;
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  const beat = (high % 2 ** 21) * 2 ** 32 + low;
  Object.assign(unread, { beat, beatAt: now, bytesAtBeat: unread.bytes });
  return beat;
}

/** @returns whether the peer returned the beat that was sent; other numbers are ignored */
export function acceptBeat(unread: Unread, beat: number): boolean {
  if (unread.beat !== beat) return false;
  Object.assign(unread, { beat: null, bytes: unread.bytes - unread.bytesAtBeat, bytesAtBeat: 0 });
  return true;
}
