// Encoding of samples as packed blocks: one row of the object's storage holds minutes of samples at a few bytes each.
import { crc32 } from "node:zlib";
import { z } from "zod";
import { ACTIVITIES } from "../../vitals/measurement-context.ts";
import type { Sample } from "../../vitals/model.ts";
import {
  damaged,
  pushDifference,
  pushDouble,
  pushUnsigned,
  type Reader,
  readByte,
  readDouble,
  readSigned,
  readUnsigned,
} from "./block-numbers.ts";

/**
 * How a batch's times were corrected: `corrected` milliseconds were subtracted from those that the device stated. `unconfirmed`: by a
 * clock error that no second request had confirmed, so the samples are history.
 */
export type BatchClock = { corrected: number; unconfirmed?: true | undefined };

/**
 * `received`: the server's clock, epoch milliseconds; `index`: its place in the block, from 0; `clock`: absent in batches that were
 * written before it existed.
 */
export type StoredSample = Sample & { received: number; device: string | null; index: number; clock?: BatchClock };

/** Samples that one device sent in one request or frame. */
export type StoredBatch = { received: number; device: string | null; samples: readonly Sample[]; clock?: BatchClock | undefined };

// Version 1: version (1 byte), CRC-32 of the rest (4, little-endian), length of the head (4), head (JSON), batches in order of arrival.
// The head holds device and series names, and the state after the last batch, so that appending does not decode the batches.
//   batch:  received minus that of the previous batch (signed) · index of the device · number of samples · samples
//   sample: index of the series × 16 + flags · [exception byte] · [time minus that of the previous sample (signed)] · [seq] · value
//   value:  integer scaled by the series' decimals, minus the previous one (signed); or a double (8 bytes)
const VERSION = 1;
const HEAD_OFFSET = 9;

const FLAG_NEW_TIME = 1;
const FLAG_EXCEPTION = 2;
/** Two bits, times 4: how the sequence number follows from the device's previous one. */
const SEQ_MODE = { none: 0, same: 1, next: 2, given: 3 } as const;
/** Flags of the exception byte, whose upper bits are the series' decimals from this sample on. */
const FLAG_INVALID = 1;
const FLAG_DOUBLE = 2;

const POWERS_OF_TEN = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const;
/** Differences of numbers up to this, doubled for the sign, are exact in a double. */
const MAX_EXACT_INTEGER = 2 ** 50;

const Activity = z.enum(ACTIVITIES).optional();
const Head = z.object({
  count: z.int().min(0),
  received: z.int(),
  at: z.int(),
  // One entry per device and correction of its clock.
  devices: z.array(
    z.object({
      id: z.string().nullable(),
      seq: z.int().nullable(),
      clock: z.object({ corrected: z.int(), unconfirmed: z.literal(true).optional() }).optional(),
    }),
  ),
  // One entry per code, unit and activity, which blocks of earlier code do not have.
  series: z.array(
    z.object({ code: z.string(), unit: z.string(), activity: Activity, decimals: z.int().min(0).max(6), last: z.int() }),
  ),
});
type Head = z.infer<typeof Head>;
type Device = Head["devices"][number];
type Series = Head["series"][number];

/**
 * Appends a batch to a block (null starts a new one) without decoding it. Times are rounded to whole milliseconds and -0 to 0; all
 * other values are kept exactly.
 * @throws RangeError for an invalid time or a sequence number outside 0 to 2^53-1; ApiError integrity_error for a damaged block
 */
export function appendBatch(block: Uint8Array | null, batch: StoredBatch): Uint8Array<ArrayBuffer> {
  const { head, body } = block ? openToAppend(block) : { head: emptyHead(), body: new Uint8Array() };
  const appended = batch.samples.length === 0 ? [] : writeBatch(head, batch);
  return encodeBlock(head, body, appended);
}

/** A block of these batches. @throws as appendBatch */
export function encodeBatches(batches: readonly StoredBatch[]): Uint8Array<ArrayBuffer> {
  const head = emptyHead();
  const body = batches.flatMap((batch) => writeBatch(head, batch));
  return encodeBlock(head, new Uint8Array(), body);
}

/** All samples in order of arrival. @throws ApiError integrity_error for a damaged block */
export function decodeBlock(block: Uint8Array): StoredSample[] {
  return [...readSamples(block)];
}

/** The number of samples, without decoding them. @throws ApiError integrity_error for a damaged block */
export function countSamples(block: Uint8Array): number {
  return (headCache.get(block) ?? openBlock(block)).head.count;
}

function copyHead(head: Head): Head {
  return {
    ...head,
    devices: head.devices.map((device) => ({ ...device })),
    series: head.series.map((series) => ({ ...series })),
  };
}

function emptyHead(): Head {
  return { count: 0, received: 0, at: 0, devices: [], series: [] };
}

/** Cache of parsed heads of blocks encoded here: the open block grows with every batch. */
const headCache = new WeakMap<Uint8Array, { head: Head; bodyAt: number }>();

function openToAppend(block: Uint8Array): { head: Head; body: Uint8Array } {
  const made = headCache.get(block);
  return made ? { head: copyHead(made.head), body: block.subarray(made.bodyAt) } : openBlock(block);
}

function openBlock(block: Uint8Array): { head: Head; body: Uint8Array } {
  if (block.length < HEAD_OFFSET) throw damaged("it is too short");
  if (block[0] !== VERSION) throw damaged(`version ${block[0]} is unknown`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (crc32(block.subarray(5)) !== view.getUint32(1, true)) throw damaged("the checksum does not match");
  const bodyAt = HEAD_OFFSET + view.getUint32(5, true);
  if (bodyAt > block.length) throw damaged("its head is longer than the block");
  const head = Head.safeParse(parseJson(block.subarray(HEAD_OFFSET, bodyAt)));
  if (!head.success) throw damaged("its head is unreadable");
  return { head: head.data, body: block.subarray(bodyAt) };
}

/** Undefined when it is not JSON. */
function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}

function encodeBlock(head: Head, body: Uint8Array, appended: readonly number[]): Uint8Array<ArrayBuffer> {
  // JSON escapes lone surrogates, which UTF-8 cannot encode, so names are kept exactly.
  const headBytes = new TextEncoder().encode(JSON.stringify(head));
  const bodyAt = HEAD_OFFSET + headBytes.length;
  const block = new Uint8Array(bodyAt + body.length + appended.length);
  const view = new DataView(block.buffer);
  view.setUint8(0, VERSION);
  view.setUint32(5, headBytes.length, true);
  block.set(headBytes, HEAD_OFFSET);
  block.set(body, bodyAt);
  block.set(appended, bodyAt + body.length);
  view.setUint32(1, crc32(block.subarray(5)), true);
  headCache.set(block, { head, bodyAt });
  return block;
}

// Writing: each step adds bytes to `out` and updates the head to the state after them.

function writeBatch(head: Head, batch: StoredBatch): number[] {
  const out: number[] = [];
  head.received = pushDifference(out, toWholeMilliseconds(batch.received), head.received);
  const device = findOrAddDevice(head, batch);
  pushUnsigned(out, head.devices.indexOf(device));
  pushUnsigned(out, batch.samples.length);
  const places = new Map(head.series.map((series, place) => [toSeriesKey(series), { series, place }]));
  for (const sample of batch.samples) {
    const seriesKey = toSeriesKey(sample);
    const found = places.get(seriesKey) ?? addSeries(head, sample);
    places.set(seriesKey, found);
    writeSample(out, head, device, found, sample);
  }
  head.count += batch.samples.length;
  return out;
}

function writeSample(out: number[], head: Head, device: Device, to: { series: Series; place: number }, sample: Sample): void {
  const at = toWholeMilliseconds(sample.at);
  const seq = chooseSeqMode(device, sample.seq);
  const decimals = chooseDecimals(to.series, sample.value);
  const isInvalid = sample.status === "invalid";
  const isException = isInvalid || decimals !== to.series.decimals;
  pushUnsigned(out, to.place * 16 + seq * 4 + (isException ? FLAG_EXCEPTION : 0) + (at === head.at ? 0 : FLAG_NEW_TIME));
  to.series.decimals = decimals ?? to.series.decimals;
  if (isException) out.push(to.series.decimals * 4 + (decimals === null ? FLAG_DOUBLE : 0) + (isInvalid ? FLAG_INVALID : 0));
  if (at !== head.at) head.at = pushDifference(out, at, head.at);
  if (seq === SEQ_MODE.given) pushUnsigned(out, sample.seq ?? 0);
  device.seq = sample.seq ?? device.seq;
  if (decimals === null) pushDouble(out, sample.value);
  else to.series.last = pushDifference(out, Math.round(sample.value * powerOfTen(decimals)), to.series.last);
}

/** The decimals to encode the value with: the series' own if exact, else the fewest; null when only a double is exact. */
function chooseDecimals(series: Series, value: number): number | null {
  if (isExact(value, series.decimals)) return series.decimals;
  const minDecimals = POWERS_OF_TEN.findIndex((_, decimals) => isExact(value, decimals));
  return minDecimals < 0 ? null : minDecimals;
}

/** Uses the same division as the reader, so that a value that passes is decoded exactly. */
function isExact(value: number, decimals: number): boolean {
  const scaled = Math.round(value * powerOfTen(decimals));
  return Math.abs(scaled) <= MAX_EXACT_INTEGER && scaled / powerOfTen(decimals) === value;
}

function powerOfTen(decimals: number): number {
  const powerOfTen = POWERS_OF_TEN[decimals];
  if (powerOfTen === undefined) throw damaged("a value has too many decimals");
  return powerOfTen;
}

function chooseSeqMode(device: Device, seq: number | null): number {
  if (seq === null) return SEQ_MODE.none;
  if (!Number.isSafeInteger(seq) || seq < 0) throw new RangeError("a sequence number must be an integer from 0 to 2^53-1");
  if (device.seq === null) return SEQ_MODE.given;
  if (seq === device.seq) return SEQ_MODE.same;
  return seq === device.seq + 1 ? SEQ_MODE.next : SEQ_MODE.given;
}

function findOrAddDevice(head: Head, { device: id, clock }: StoredBatch): Device {
  const isSame = (known: Device) =>
    known.id === id && known.clock?.corrected === clock?.corrected && known.clock?.unconfirmed === clock?.unconfirmed;
  const device = head.devices.find(isSame) ?? { id, seq: null, ...(clock && { clock }) };
  if (!head.devices.includes(device)) head.devices.push(device);
  return device;
}

function addSeries(head: Head, { code, unit, activity }: Sample): { series: Series; place: number } {
  const series: Series = { code, unit, decimals: 0, last: 0, ...(activity && { activity }) };
  return { series, place: head.series.push(series) - 1 };
}

/** The length comes first so that ("a", "bc") and ("ab", "c") differ. */
function toSeriesKey({ code, unit, activity }: Pick<Sample, "code" | "unit" | "activity">): string {
  return `${activity ?? ""}|${code.length}:${code}${unit}`;
}

function toWholeMilliseconds(time: number): number {
  const whole = Math.round(time);
  if (!(Math.abs(whole) <= MAX_EXACT_INTEGER)) throw new RangeError("a time must be epoch milliseconds");
  return whole;
}

// Reading: every step consumes a byte or throws, so a forged count cannot cause more work than the block has bytes.

function* readSamples(block: Uint8Array): Generator<StoredSample, void> {
  const { head, body } = openBlock(block);
  const state: Head = {
    ...emptyHead(),
    devices: head.devices.map((device) => ({ ...device, seq: null })),
    series: head.series.map((series) => ({ ...series, decimals: 0, last: 0 })),
  };
  const reader: Reader = { bytes: body, offset: 0 };
  while (reader.offset < body.length) {
    state.received += readSigned(reader);
    const device = state.devices[readUnsigned(reader)];
    if (!device) throw damaged("a batch has no device");
    for (let left = readUnsigned(reader); left > 0; left--) yield readSample(reader, state, device);
  }
  if (state.count !== head.count) throw damaged("the number of samples does not match");
}

function readSample(reader: Reader, state: Head, device: Device): StoredSample {
  const tag = readUnsigned(reader);
  const series = state.series[Math.floor(tag / 16)];
  if (!series) throw damaged("a sample has no series");
  const exceptionByte = tag & FLAG_EXCEPTION ? readByte(reader) : series.decimals * 4;
  series.decimals = exceptionByte >> 2;
  if (tag & FLAG_NEW_TIME) state.at += readSigned(reader);
  const seq = readSeq(reader, device, (tag >> 2) & 3);
  const sample: StoredSample = {
    code: series.code,
    value: exceptionByte & FLAG_DOUBLE ? readDouble(reader) : readDecimal(reader, series),
    unit: series.unit,
    at: state.at,
    seq,
    status: exceptionByte & FLAG_INVALID ? "invalid" : "final",
    received: state.received,
    device: device.id,
    index: state.count++,
  };
  if (device.clock) sample.clock = device.clock;
  if (series.activity) sample.activity = series.activity;
  return sample;
}

function readSeq(reader: Reader, device: Device, mode: number): number | null {
  if (mode === SEQ_MODE.none) return null;
  if (mode === SEQ_MODE.given) device.seq = readUnsigned(reader);
  else if (device.seq === null) throw damaged("a relative sequence number has no predecessor");
  else if (mode === SEQ_MODE.next) device.seq++;
  return device.seq;
}

function readDecimal(reader: Reader, series: Series): number {
  series.last += readSigned(reader);
  return series.last / powerOfTen(series.decimals);
}
