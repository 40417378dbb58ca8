// The newest frames of a feed, so that who comes back gets what they missed. In memory: a restart leaves an honest gap.

/** A frame as it goes over the wire, without its number. `body` is what `bodyOf` makes. */
export type BufferedFrame = { seq: number; patientId: string; body: string };

/** Nothing with a number up to `floor` is kept. */
export type FrameBuffer = { frames: BufferedFrame[]; size: number; floor: number };

const MAX_FRAMES = 5_000;
/** UTF-16 units; frames are nearly all ASCII. */
const MAX_SIZE = 8 * 1024 * 1024;

export function newFrameBuffer(floor: number): FrameBuffer {
  return { frames: [], size: 0, floor };
}

/** A frame as JSON, open at its front: `numbered` puts a number there without writing the rest again. */
export function toFrameBody(frame: object): string {
  return JSON.stringify(frame).slice(1);
}

export function addSeq(seq: number, body: string): string {
  return `{"seq":${seq},${body}`;
}

/** Adds a frame at the end and lets go of the oldest beyond 5,000 frames or 8 Mi characters. */
export function appendFrame(buffer: FrameBuffer, frame: BufferedFrame): void {
  buffer.frames.push(frame);
  buffer.size += frame.body.length;
  while (buffer.frames.length > MAX_FRAMES || buffer.size > MAX_SIZE) {
    const oldest = buffer.frames.shift();
    if (!oldest) return;
    buffer.size -= oldest.body.length;
    buffer.floor = oldest.seq;
  }
}

/** Everything about these patients after `since`, oldest first; null when some of it may be gone. */
export function listFramesAfter(buffer: FrameBuffer, since: number, patients: ReadonlySet<string>): BufferedFrame[] | null {
  if (since < buffer.floor) return null;
  const first = buffer.frames.findLastIndex(({ seq }) => seq <= since) + 1;
  return buffer.frames.slice(first).filter(({ patientId }) => patients.has(patientId));
}
