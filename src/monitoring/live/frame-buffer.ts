// Buffer of the newest frames of a feed for reconnecting clients. In memory only: after a restart they get a gap and a snapshot.

/** A serialized frame of one patient; `body` is made by `toFrameBody`. */
export type BufferedFrame = { seq: number; patientId: string; body: string };

/** Frames with `seq` ≤ `floor` are not kept. */
export type FrameBuffer = { frames: BufferedFrame[]; size: number; floor: number };

const MAX_FRAMES = 5_000;
/** UTF-16 units; frames are nearly all ASCII. */
const MAX_SIZE = 8 * 1024 * 1024;

export function newFrameBuffer(floor: number): FrameBuffer {
  return { frames: [], size: 0, floor };
}

/** JSON of a frame without the opening brace: `addSeq` prepends the number without serializing again. */
export function toFrameBody(frame: object): string {
  return JSON.stringify(frame).slice(1);
}

export function addSeq(seq: number, body: string): string {
  return `{"seq":${seq},${body}`;
}

/** Appends a frame and drops the oldest beyond MAX_FRAMES or MAX_SIZE. */
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

/** Frames of these patients after `since`, oldest first; null when some may have been dropped. */
export function listFramesAfter(buffer: FrameBuffer, since: number, patients: ReadonlySet<string>): BufferedFrame[] | null {
  if (since < buffer.floor) return null;
  const first = buffer.frames.findLastIndex(({ seq }) => seq <= since) + 1;
  return buffer.frames.slice(first).filter(({ patientId }) => patients.has(patientId));
}
