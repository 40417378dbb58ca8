// The ring buffer for resuming a live connection: what it replays, and how it reports a gap.
import { describe, expect, it } from "vitest";
import {
  addSeq,
  appendFrame,
  type FrameBuffer,
  listFramesAfter,
  newFrameBuffer,
  toFrameBody,
} from "../../src/monitoring/live/frame-buffer.ts";

const FLOOR = 1_000;

function ringOf(count: number, body = toFrameBody({ n: 1 })): FrameBuffer {
  const ring = newFrameBuffer(FLOOR);
  for (let i = 1; i <= count; i++) appendFrame(ring, { seq: FLOOR + i, patientId: i % 2 ? "odd" : "even", body });
  return ring;
}
const numbers = (ring: FrameBuffer, since: number, ...patients: string[]) =>
  listFramesAfter(ring, since, new Set(patients))?.map(({ seq }) => seq);

describe("the ring", () => {
  it("returns all frames of the view after a number, in order", () => {
    const ring = ringOf(10);
    expect(numbers(ring, FLOOR, "odd")).toEqual([1, 3, 5, 7, 9].map((n) => FLOOR + n));
    expect(numbers(ring, FLOOR + 4, "odd", "even")).toEqual([5, 6, 7, 8, 9, 10].map((n) => FLOOR + n));
    expect(numbers(ring, FLOOR + 10, "odd", "even")).toEqual([]);
    expect(numbers(ring, FLOOR + 99, "odd")).toEqual([]);
    expect(numbers(ring, FLOOR)).toEqual([]);
  });

  it("returns nothing when frames may be missing", () => {
    expect(numbers(ringOf(10), FLOOR - 1, "odd")).toBeUndefined();
    const full = ringOf(5_010);
    expect(full.frames).toHaveLength(5_000);
    expect(full.floor).toBe(FLOOR + 10);
    expect(numbers(full, FLOOR + 9, "odd")).toBeUndefined();
    expect(numbers(full, FLOOR + 10, "odd", "even")).toHaveLength(5_000);
  });

  it("holds at most 8 Mi characters, and knows how many it holds", () => {
    const ring = ringOf(100, toFrameBody({ text: "x".repeat(100_000) }));
    expect(ring.size).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(ring.size).toBe(ring.frames.reduce((sum, { body }) => sum + body.length, 0));
    expect(ring.frames.length).toBeLessThan(100);
    expect(ring.floor).toBe((ring.frames[0]?.seq ?? 0) - 1);
  });

  it("loses and repeats no frame for a reader who continues from the last number, unlike one who counts frames", () => {
    const ring = ringOf(400);
    const all = numbers(ring, FLOOR, "odd");
    const readWith = (next: (last: number, read: number) => number) => {
      const seen: number[] = [];
      let since = FLOOR;
      for (let step = 0; step < 60; step++) {
        const some = (numbers(ring, since, "odd") ?? []).slice(0, (step % 7) + 1);
        seen.push(...some);
        since = next(some.at(-1) ?? since, since + some.length);
      }
      return seen;
    };
    expect(readWith((last) => last)).toEqual(all);
    // Sequence numbers belong to the feed, not to the view: a client that increments its own is wrong.
    expect(readWith((_, counted) => counted)).not.toEqual(all);
  });

  it("numbers a frame without writing it again", () => {
    const frame = { type: "samples", text: '"}{', nested: { a: [1] } };
    expect(JSON.parse(addSeq(7, toFrameBody(frame)))).toEqual({ seq: 7, ...frame });
  });
});
