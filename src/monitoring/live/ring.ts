// The newest frames of a feed, so that who comes back gets what they missed. In memory: a restart leaves an honest gap.

/** A frame as it goes over the wire, without its number. `body` is what `bodyOf` makes. */
export type Kept = { seq: number; patientId: string; body: string };

/** Nothing with a number up to `floor` is kept. */
export type Ring = { frames: Kept[]; size: number; floor: number };

const MOST_FRAMES = 5_000;
/** UTF-16 units; frames are nearly all ASCII. */
const MOST_SIZE = 8 * 1024 * 1024;

export function newRing(floor: number): Ring {
  return { frames: [], size: 0, floor };
}

/** A frame as JSON, open at its front: `numbered` puts a number there without writing the rest again. */
export function bodyOf(frame: object): string {
  return JSON.stringify(frame).slice(1);
}

export function numbered(seq: number, body: string): string {
  return `{"seq":${seq},${body}`;
}

/** Adds a frame at the end and lets go of the oldest beyond 5,000 frames or 8 Mi characters. */
export function keep(ring: Ring, frame: Kept): void {
  ring.frames.push(frame);
  ring.size += frame.body.length;
  while (ring.frames.length > MOST_FRAMES || ring.size > MOST_SIZE) {
    const oldest = ring.frames.shift();
    if (!oldest) return;
    ring.size -= oldest.body.length;
    ring.floor = oldest.seq;
  }
}

/** Everything about these patients after `since`, oldest first; null when some of it may be gone. */
export function after(ring: Ring, since: number, patients: ReadonlySet<string>): Kept[] | null {
  if (since < ring.floor) return null;
  const first = ring.frames.findLastIndex(({ seq }) => seq <= since) + 1;
  return ring.frames.slice(first).filter(({ patientId }) => patients.has(patientId));
}
