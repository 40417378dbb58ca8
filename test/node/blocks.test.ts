// Packed blocks and interval sets: lossless, small, and damage is detected.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import {
  appendBatch,
  countSamples,
  decodeBlock,
  type StoredBatch,
  type StoredSample,
} from "../../src/monitoring/patient-object/samples/blocks.ts";
import {
  addSeen,
  hasSeen,
  MAX_INTERVALS,
  NOTHING_SEEN,
  type SeenSequence,
} from "../../src/monitoring/patient-object/samples/seen-sequence.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";
import { ApiError } from "../../src/platform/errors.ts";
import { absent } from "../shared-data.ts";

const BEDSIDE = join(import.meta.dirname, "../../../shared/data/vitals/bedside/s25047-2704-05-04-10-44n.csv");
const START = Date.parse("2026-11-22T04:30:00.000Z");
const DEVICE = "0198c0de-0000-7000-8000-000000000001";

function sample(given: Partial<Sample> = {}): Sample {
  return { code: "8867-4", value: 72, unit: "/min", at: START, seq: null, status: "final", ...given };
}

function blockOf(batches: readonly StoredBatch[]): Uint8Array<ArrayBuffer> {
  return batches.reduce<Uint8Array<ArrayBuffer> | null>(appendBatch, null) ?? new Uint8Array();
}

/** Expected result of decoding: the batches concatenated. */
function laidOut(batches: readonly StoredBatch[]): StoredSample[] {
  return batches
    .flatMap(({ received, device, samples }) => samples.map((one) => ({ ...one, received, device })))
    .map((one, index) => ({ ...one, value: one.value === 0 ? 0 : one.value, index }));
}

/** toEqual compares numbers with Object.is but ignores undefined members; this also compares the keys. */
function expectSame(decoded: readonly StoredSample[], expected: readonly StoredSample[]): void {
  expect(decoded).toStrictEqual(expected);
  expect(decoded.every(({ value }, i) => Object.is(value, expected[i]?.value))).toBe(true);
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof ApiError && error.code === "integrity_error" && error.message.startsWith("A block of samples is damaged")
  );
}

function reasonOf(block: Uint8Array): string {
  try {
    decodeBlock(block);
  } catch (error) {
    if (isDamage(error) && error instanceof Error) return error.message;
    throw error;
  }
  return "it was read";
}

/** A forged block: the checksum is right, the bytes are not. */
function withChecksum(block: Uint8Array): Uint8Array {
  const forged = block.slice();
  new DataView(forged.buffer).setUint32(1, crc32(forged.subarray(5)), true);
  return forged;
}

const SIX = [
  { code: "8867-4", unit: "/min", decimals: 0, middle: 78, swing: 6 },
  { code: "2708-6", unit: "%", decimals: 1, middle: 96.5, swing: 1.5 },
  { code: "9279-1", unit: "/min", decimals: 0, middle: 16, swing: 3 },
  { code: "8480-6", unit: "mm[Hg]", decimals: 0, middle: 122, swing: 8 },
  { code: "8462-4", unit: "mm[Hg]", decimals: 0, middle: 78, swing: 6 },
  { code: "8310-5", unit: "Cel", decimals: 2, middle: 36.85, swing: 0.2 },
];

/** Six vitals per second, all of a second with the same time; each batch has `each` seconds. */
function fiveMinutes(each: number): StoredBatch[] {
  const random = mulberry32(49);
  const rows = Array.from({ length: 300 }, (_, second) =>
    SIX.map(({ code, unit, decimals, middle, swing }, place) => {
      const value = Number((middle + (random() - 0.5) * 2 * swing).toFixed(decimals));
      return sample({ code, unit, value, at: START + second * 1000, seq: second * SIX.length + place });
    }),
  );
  return Array.from({ length: 300 / each }, (_, batch) => {
    const received = START + (batch + 1) * each * 1000 + Math.floor(random() * 300);
    return { received, device: DEVICE, samples: rows.slice(batch * each, (batch + 1) * each).flat() };
  });
}

const text = fc.oneof(
  fc.constantFrom("8867-4", "2708-6", "8310-5", "/min", "Cel", "", "a", "ab", "\ud83d", "\udc00\ud800", "हृदय गति", "\0"),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const time = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: START, max: START + 5000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }) },
);
const value = fc.oneof(
  fc.integer({ min: -5000, max: 50_000 }).map((scaled) => scaled / 100),
  fc.integer({ min: -300, max: 300 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 0.1 + 0.2, 1e-6, 1e-7, 5e-324, Number.MAX_VALUE, Number.NaN, Infinity, -Infinity, 2 ** 50, 2 ** 50 + 1),
);
const seq = fc.oneof(fc.constant(null), fc.nat({ max: 6 }), fc.constantFrom(2 ** 53 - 2, 2 ** 53 - 1), fc.maxSafeNat());
const batch: fc.Arbitrary<StoredBatch> = fc.record({
  received: time,
  device: fc.option(text, { nil: null }),
  samples: fc.array(
    fc.record({ code: text, value, unit: text, at: time, seq, status: fc.constantFrom("final" as const, "invalid" as const) }),
    { maxLength: 12 },
  ),
});

describe("a block", () => {
  it("returns what was appended, in the order of arrival", () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 10 }), (batches) => {
        const block = blockOf([{ received: START, device: null, samples: [] }, ...batches]);
        expectSame(decodeBlock(block), laidOut(batches));
        expect(countSamples(block)).toBe(laidOut(batches).length);
      }),
      { numRuns: 1000, seed: 49 },
    );
  });

  it("would not pass with values in single precision", () => {
    const rounded = laidOut([{ received: START, device: null, samples: [sample({ value: 36.85 })] }]).map((one) => ({
      ...one,
      value: Math.fround(one.value),
    }));
    const block = blockOf([{ received: START, device: null, samples: [sample({ value: 36.85 })] }]);
    expect(() => expectSame(decodeBlock(block), rounded)).toThrow();
  });

  it("keeps every bit of a double, and returns -0 as 0", () => {
    const random = mulberry32(7);
    const bits = new DataView(new ArrayBuffer(8));
    const doubles = Array.from({ length: 20_000 }, () => {
      bits.setUint32(0, random() * 2 ** 32);
      bits.setUint32(4, random() * 2 ** 32);
      return bits.getFloat64(0);
    });
    const values = [...doubles, -0, 0];
    const decoded = decodeBlock(
      blockOf([{ received: START, device: null, samples: values.map((one) => sample({ value: one })) }]),
    );
    const different = values.filter((one, i) => !Object.is(decoded[i]?.value, one));
    expect(different).toStrictEqual([-0]);
    expect(Object.is(decoded.at(-2)?.value, 0)).toBe(true);
  });

  it("keeps every value of two decimals, up and down a series", () => {
    const values = Array.from({ length: 20_001 }, (_, i) => ((i * 7919) % 20_001) / 100 - 100);
    const exact = values.map((one) => Number(one.toFixed(2)));
    const block = blockOf([{ received: START, device: null, samples: exact.map((one) => sample({ value: one })) }]);
    expect(decodeBlock(block).map((one) => one.value)).toStrictEqual(exact);
    expect(block.length / exact.length).toBeLessThan(5);
  });

  it("keeps sequence numbers of several devices apart", () => {
    const batches: StoredBatch[] = [
      {
        received: START,
        device: "a",
        samples: [sample({ seq: 5 }), sample({ seq: 6 }), sample({ seq: null }), sample({ seq: 7 })],
      },
      { received: START, device: "b", samples: [sample({ seq: 2 ** 53 - 2 }), sample({ seq: 2 ** 53 - 1 }), sample({ seq: 0 })] },
      { received: START, device: null, samples: [sample({ seq: 8 }), sample({ seq: 8 })] },
      { received: START, device: "a", samples: [sample({ seq: 8 }), sample({ seq: 3 })] },
    ];
    expectSame(decodeBlock(blockOf(batches)), laidOut(batches));
  });

  it("rounds times to the millisecond", () => {
    const block = blockOf([{ received: START + 0.6, device: null, samples: [sample({ at: START + 0.4 })] }]);
    expect(decodeBlock(block)[0]).toMatchObject({ received: START + 1, at: START });
  });

  it("rejects invalid times and sequence numbers", () => {
    const wrong = [
      { at: Number.NaN },
      { at: Infinity },
      { at: 2 ** 52 },
      { seq: -1 },
      { seq: 0.5 },
      { seq: 2 ** 53 },
      { seq: Number.NaN },
    ];
    for (const given of wrong) {
      expect(() => appendBatch(null, { received: START, device: null, samples: [sample(given)] }), JSON.stringify(given)).toThrow(
        RangeError,
      );
    }
    expect(() => appendBatch(null, { received: Number.NaN, device: null, samples: [sample()] })).toThrow(RangeError);
  });

  it("leaves the block that was given as it is", () => {
    const first = blockOf(fiveMinutes(10).slice(0, 1));
    const copy = first.slice();
    const more = appendBatch(first, { received: START, device: "other", samples: [sample({ code: "new" })] });
    expect(first).toStrictEqual(copy);
    expect(appendBatch(more, { received: START, device: "none", samples: [] })).toStrictEqual(more);
  });

  it("is read from within a larger buffer", () => {
    const block = blockOf(fiveMinutes(60));
    const larger = new Uint8Array(block.length + 9);
    larger.set(block, 5);
    expectSame(decodeBlock(larger.subarray(5, 5 + block.length)), decodeBlock(block));
  });

  it("needs at most four bytes per sample for six vitals at 1 Hz over five minutes", () => {
    for (const each of [1, 10, 60]) {
      const batches = fiveMinutes(each);
      const block = blockOf(batches);
      expectSame(decodeBlock(block), laidOut(batches));
      console.log(`1,800 samples, ${each} s a batch: ${(block.length / 1800).toFixed(2)} bytes a sample`);
      expect(block.length).toBeLessThanOrEqual(4 * 1800);
    }
  });

  it("reports its speed", () => {
    const batches = fiveMinutes(1);
    const rounds = 20;
    const begin = performance.now();
    for (let i = 0; i < rounds; i++) blockOf(batches);
    const appended = performance.now();
    const block = blockOf(batches);
    const again = performance.now();
    for (let i = 0; i < rounds * 10; i++) decodeBlock(block);
    const decoded = performance.now() - again;
    console.log(
      `append of 6 samples to a block that grows to 1,800: ${(((appended - begin) / rounds / batches.length) * 1000).toFixed(1)} µs; ` +
        `decode of 1,800: ${(decoded / rounds / 10).toFixed(3)} ms`,
    );
    expect(countSamples(block)).toBe(1800);
  });

  it("keeps a bedside monitor's recording", ({ skip }) => {
    skip(!existsSync(BEDSIDE), absent("vitals/bedside"));
    const [header = "", ...lines] = readFileSync(BEDSIDE, "utf8").trim().split("\n");
    const names = header.split(",");
    const batches = lines.map((line, minute) => {
      const cells = line.split(",").map((cell, column) => ({ cell, code: names[column] ?? "" }));
      const samples = cells
        .filter(({ cell, code }) => cell !== "" && code !== "minute")
        .map(({ cell, code }) => sample({ code, unit: "1", value: Number(cell), at: START + minute * 60_000 }));
      return { received: START + minute * 60_000 + 120, device: DEVICE, samples };
    });
    expect(batches.length).toBeGreaterThan(60);
    const block = blockOf(batches);
    expectSame(decodeBlock(block), laidOut(batches));
    console.log(`bedside recording: ${(block.length / countSamples(block)).toFixed(2)} bytes a sample of ${countSamples(block)}`);
  });
});

describe("a damaged block", () => {
  const block = blockOf(fiveMinutes(10).slice(0, 3));

  it("is rejected for any single flipped bit", () => {
    expect(reasonOf(block)).toBe("it was read");
    for (let at = 0; at < block.length; at++) {
      const flipped = block.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      expect(reasonOf(flipped)).toMatch(/version|checksum/);
    }
  });

  it("is refused wherever it is cut, and by the count and by appending too", () => {
    for (let length = 0; length < block.length; length++) {
      const cut = block.subarray(0, length);
      expect(reasonOf(cut)).not.toBe("it was read");
      expect(() => countSamples(cut)).toThrow(ApiError);
      expect(() => appendBatch(cut, { received: START, device: null, samples: [sample()] })).toThrow(ApiError);
    }
  });

  it("is refused with the reason when the checksum is forged", () => {
    const headEnd = 9 + new DataView(block.buffer).getUint32(5, true);
    const changed = (at: number, byte: number) => {
      const copy = block.slice();
      copy[at] = byte;
      return reasonOf(withChecksum(copy));
    };
    expect(changed(8, 255)).toMatch(/longer than the block/);
    expect(changed(9, 0)).toMatch(/head is unreadable/);
    const batchAt = headEnd + 6;
    expect(block[batchAt]).toBe(0);
    expect(changed(batchAt, 9)).toMatch(/has no device/);
    // The sample count is the largest that can be encoded: the bytes end long before.
    const endless = new Uint8Array([...block.subarray(0, batchAt + 1), 255, 255, 255, 255, 255, 255, 255, 127]);
    expect(reasonOf(withChecksum(endless))).toMatch(/ends within|has no device|has no series/);
    const unended = new Uint8Array([...block.subarray(0, batchAt), ...new Uint8Array(20).fill(255)]);
    expect(reasonOf(withChecksum(unended))).toMatch(/does not end/);
    expect(reasonOf(withChecksum(block.subarray(0, headEnd)))).toMatch(/number of samples does not match/);
    expect(reasonOf(new Uint8Array([2, ...block.subarray(1)]))).toMatch(/version 2 is unknown/);
  });

  it("never yields more samples than it has bytes or fails in another way, with any forged content", () => {
    const headEnd = 9 + new DataView(block.buffer).getUint32(5, true);
    let refused = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isAfterHead) => {
        const kept = block.subarray(0, isAfterHead ? headEnd : 9);
        const forged = withChecksum(new Uint8Array([...kept, ...bytes]));
        try {
          expect(decodeBlock(forged).length).toBeLessThanOrEqual(forged.length);
        } catch (error) {
          if (!isDamage(error)) throw error;
          refused++;
        }
      }),
      { numRuns: 3000, seed: 51 },
    );
    expect(refused).toBeGreaterThan(2900);
  });
});

/** All intervals of a set. */
function intervalsOf(numbers: ReadonlySet<number>): [number, number][] {
  const intervals: [number, number][] = [];
  for (const one of [...numbers].sort((a, b) => a - b)) {
    const last = intervals.at(-1);
    if (last && last[1] === one - 1) last[1] = one;
    else intervals.push([one, one]);
  }
  return intervals;
}

/** A known-bad twin that merges across gaps of one, and so counts a number that was never received. */
function addCarelessly(seen: SeenSequence, seq: number): SeenSequence {
  const bridged: [number, number][] = [];
  for (const [first, last] of addSeen(seen, seq)) {
    const before = bridged.at(-1);
    if (before && first - before[1] === 2) before[1] = last;
    else bridged.push([first, last]);
  }
  return bridged;
}

describe("sequence numbers seen", () => {
  const numbers = fc.array(
    fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 400 }), fc.integer({ min: 2 ** 53 - 20, max: 2 ** 53 - 1 })),
    { maxLength: 300 },
  );

  function agreesWithSet(addOne: (seen: SeenSequence, seq: number) => SeenSequence) {
    return fc.property(numbers, (arrived) => {
      const all = new Set<number>();
      let seen: SeenSequence = NOTHING_SEEN;
      let forgetsBelow = 0;
      for (const one of arrived) {
        const before = JSON.stringify(seen);
        const next = addOne(seen, one);
        expect(JSON.stringify(seen)).toBe(before);
        all.add(one);
        seen = JSON.parse(JSON.stringify(next));
        expect(seen.length).toBeLessThanOrEqual(MAX_INTERVALS);
        if (seen.length === MAX_INTERVALS) forgetsBelow = Math.max(forgetsBelow, seen[0]?.[0] ?? 0);
      }
      for (const one of [...all].flatMap((near) => [near - 1, near, near + 1])) {
        if (hasSeen(seen, one)) expect(all.has(one)).toBe(true);
        else if (one >= forgetsBelow) expect(all.has(one)).toBe(false);
      }
      if (forgetsBelow === 0) expect(seen).toStrictEqual(intervalsOf(all));
    });
  }

  it("are those of a set, but for the lowest that are forgotten", () => {
    fc.assert(agreesWithSet(addSeen), { numRuns: 2000, seed: 52 });
  });

  it("would not be with a gap bridged", () => {
    expect(fc.check(agreesWithSet(addCarelessly), { numRuns: 2000, seed: 52 }).failed).toBe(true);
  });

  it("are one interval of a device that sends in order, and one again when a gap is filled", () => {
    const inOrder = Array.from({ length: 10_000 }, (_, i) => i).reduce(addSeen, NOTHING_SEEN);
    expect(inOrder).toStrictEqual([[0, 9999]]);
    const gap = [1, 2, 4, 5].reduce(addSeen, NOTHING_SEEN);
    expect(gap).toStrictEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(hasSeen(gap, 3)).toBe(false);
    expect(addSeen(gap, 3)).toStrictEqual([[1, 5]]);
    expect(addSeen(gap, 4)).toBe(gap);
  });

  it("forget the lowest interval when there are too many, and a number below them all at once", () => {
    const even = Array.from({ length: MAX_INTERVALS }, (_, i) => 100 + i * 2);
    const full = even.reduce(addSeen, NOTHING_SEEN);
    expect(full.length).toBe(MAX_INTERVALS);
    const more = addSeen(full, 1000);
    expect([hasSeen(more, 100), hasSeen(more, 102), hasSeen(more, 1000)]).toStrictEqual([false, true, true]);
    expect(addSeen(full, 5)).toStrictEqual(full);
  });
});
