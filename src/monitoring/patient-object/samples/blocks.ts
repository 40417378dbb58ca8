// A patient's samples as packed blocks: one row of the object's store holds some minutes of them at a few bytes each.
import { crc32 } from "node:zlib";
import { z } from "zod";
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

/** A sample as it is kept. `received`: the server's clock, epoch milliseconds; `index`: its place in the block, from 0. */
export type StoredSample = Sample & { received: number; device: string | null; index: number };

/** What arrived at once from one device. */
export type StoredBatch = { received: number; device: string | null; samples: readonly Sample[] };

// Version 1 is the version (1 byte), the CRC-32 of all that follows (4, little-endian), the length of the head (4), the head
// as JSON, and the batches as they arrived. The head has the names, so that a batch needs only their places, and the state
// after the last batch, so that appending need not read the batches. Numbers are varints (LEB128), signed ones zigzag.
//   batch:  received less that of the batch before (signed) · place of the device · how many samples · samples
//   sample: place of the series × 16 + flags · [odd byte] · [time less that of the sample before (signed)] · [seq] · value
//   value:  an integer, scaled by the series' decimals, less the last one (signed); or 8 bytes, a double
const VERSION = 1;
const HEAD_OFFSET = 9;

const FLAG_NEW_TIME = 1;
const FLAG_EXCEPTION = 2;
/** Two bits, times 4: how the sequence number follows from the device's last. */
const SEQ_MODE = { none: 0, same: 1, next: 2, given: 3 } as const;
/** In the odd byte, below four times the decimals that hold from this sample on. */
const FLAG_INVALID = 1;
const FLAG_DOUBLE = 2;

const POWERS_OF_TEN = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const;
/** Differences of numbers up to here, doubled for their sign, are exact in a double. */
const MAX_EXACT_INTEGER = 2 ** 50;

const Head = z.object({
  count: z.int().min(0),
  received: z.int(),
  at: z.int(),
  devices: z.array(z.object({ id: z.string().nullable(), seq: z.int().nullable() })),
  series: z.array(z.object({ code: z.string(), unit: z.string(), decimals: z.int().min(0).max(6), last: z.int() })),
});
type Head = z.infer<typeof Head>;
type Device = Head["devices"][number];
type Series = Head["series"][number];

/**
 * The block with the batch at its end; null begins a block. The batch's bytes are added and the head is written anew; what is
 * in the block is not decoded. Times are kept to the whole millisecond, and -0 as 0; everything else comes back as it was.
 * Throws RangeError for times that are none and sequence numbers outside 0 to 2^53-1, integrity_error for a damaged block.
 */
export function appendBatch(block: Uint8Array | null, batch: StoredBatch): Uint8Array<ArrayBuffer> {
  const { head, body } = block ? openToAppend(block) : { head: emptyHead(), body: new Uint8Array() };
  const appended = batch.samples.length === 0 ? [] : writeBatch(head, batch);
  return encodeBlock(head, body, appended);
}

/** All samples in the order of arrival. Throws integrity_error for a damaged block. */
export function decodeBlock(block: Uint8Array): StoredSample[] {
  return [...readSamples(block)];
}

/** The samples measured at `from` or later and before `to` (epoch milliseconds), in the order of arrival. Throws as decode. */
export function decodeRange(block: Uint8Array, from: number, to: number): StoredSample[] {
  return decodeBlock(block).filter(({ at }) => at >= from && at < to);
}

/** How many samples the block has, without decoding them. Throws integrity_error for a damaged block. */
export function countSamples(block: Uint8Array): number {
  return (madeHere.get(block) ?? openBlock(block)).head.count;
}

function copyOf(head: Head): Head {
  return {
    ...head,
    devices: head.devices.map((device) => ({ ...device })),
    series: head.series.map((series) => ({ ...series })),
  };
}

function emptyHead(): Head {
  return { count: 0, received: 0, at: 0, devices: [], series: [] };
}

/** Heads of blocks that were made here, to append to without parsing them again: the open block grows with every batch. */
const madeHere = new WeakMap<Uint8Array, { head: Head; bodyAt: number }>();

function openToAppend(block: Uint8Array): { head: Head; body: Uint8Array } {
  const made = madeHere.get(block);
  return made ? { head: copyOf(made.head), body: block.subarray(made.bodyAt) } : openBlock(block);
}

function openBlock(block: Uint8Array): { head: Head; body: Uint8Array } {
  if (block.length < HEAD_OFFSET) throw damaged("it is too short");
  if (block[0] !== VERSION) throw damaged(`version ${block[0]} is not known`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (crc32(block.subarray(5)) !== view.getUint32(1, true)) throw damaged("its checksum is another");
  const bodyAt = HEAD_OFFSET + view.getUint32(5, true);
  if (bodyAt > block.length) throw damaged("its head is longer than itself");
  const head = Head.safeParse(parseJson(block.subarray(HEAD_OFFSET, bodyAt)));
  if (!head.success) throw damaged("its head cannot be read");
  return { head: head.data, body: block.subarray(bodyAt) };
}

/** Undefined, which is no head, where it is not JSON. */
function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}

function encodeBlock(head: Head, body: Uint8Array, appended: readonly number[]): Uint8Array<ArrayBuffer> {
  // JSON escapes lone surrogates, which UTF-8 cannot hold: names come back as they were.
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
  madeHere.set(block, { head, bodyAt });
  return block;
}

// Writing: each step adds bytes to `out` and leaves the head as the state after them.

function writeBatch(head: Head, batch: StoredBatch): number[] {
  const out: number[] = [];
  head.received = pushDifference(out, toWholeMilliseconds(batch.received), head.received);
  const device = findOrAddDevice(head, batch.device);
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

/** The decimals to write the value with: the series' own if they do, else the fewest; null where only a double is exact. */
function chooseDecimals(series: Series, value: number): number | null {
  if (isExact(value, series.decimals)) return series.decimals;
  const minDecimals = POWERS_OF_TEN.findIndex((_, decimals) => isExact(value, decimals));
  return minDecimals < 0 ? null : minDecimals;
}

/** Dividing by the power of ten is how the value is read again, so the same division decides. */
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
  if (!Number.isSafeInteger(seq) || seq < 0) throw new RangeError("a sequence number is an integer from 0 to 2^53-1");
  if (device.seq === null) return SEQ_MODE.given;
  if (seq === device.seq) return SEQ_MODE.same;
  return seq === device.seq + 1 ? SEQ_MODE.next : SEQ_MODE.given;
}

function findOrAddDevice(head: Head, id: string | null): Device {
  const device = head.devices.find((known) => known.id === id) ?? { id, seq: null };
  if (!head.devices.includes(device)) head.devices.push(device);
  return device;
}

function addSeries(head: Head, { code, unit }: Sample): { series: Series; place: number } {
  const series: Series = { code, unit, decimals: 0, last: 0 };
  return { series, place: head.series.push(series) - 1 };
}

/** Length first, so that ("a", "bc") and ("ab", "c") are two. */
function toSeriesKey({ code, unit }: { code: string; unit: string }): string {
  return `${code.length}:${code}${unit}`;
}

function toWholeMilliseconds(time: number): number {
  const whole = Math.round(time);
  if (!(Math.abs(whole) <= MAX_EXACT_INTEGER)) throw new RangeError("a time is epoch milliseconds");
  return whole;
}

// Reading. Every step takes a byte or throws, so no count in a forged block makes it longer than its bytes.

function* readSamples(block: Uint8Array): Generator<StoredSample, void> {
  const { head, body } = openBlock(block);
  const state: Head = {
    ...emptyHead(),
    devices: head.devices.map(({ id }) => ({ id, seq: null })),
    series: head.series.map(({ code, unit }) => ({ code, unit, decimals: 0, last: 0 })),
  };
  const reader: Reader = { bytes: body, offset: 0 };
  while (reader.offset < body.length) {
    state.received += readSigned(reader);
    const device = state.devices[readUnsigned(reader)];
    if (!device) throw damaged("a batch is of no device");
    for (let left = readUnsigned(reader); left > 0; left--) yield readSample(reader, state, device);
  }
  if (state.count !== head.count) throw damaged("it has another number of samples");
}

function readSample(reader: Reader, state: Head, device: Device): StoredSample {
  const tag = readUnsigned(reader);
  const series = state.series[Math.floor(tag / 16)];
  if (!series) throw damaged("a sample is of no series");
  const exceptionByte = tag & FLAG_EXCEPTION ? readByte(reader) : series.decimals * 4;
  series.decimals = exceptionByte >> 2;
  if (tag & FLAG_NEW_TIME) state.at += readSigned(reader);
  const seq = readSeq(reader, device, (tag >> 2) & 3);
  return {
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
}

function readSeq(reader: Reader, device: Device, mode: number): number | null {
  if (mode === SEQ_MODE.none) return null;
  if (mode === SEQ_MODE.given) device.seq = readUnsigned(reader);
  else if (device.seq === null) throw damaged("a sequence number follows none");
  else if (mode === SEQ_MODE.next) device.seq++;
  return device.seq;
}

function readDecimal(reader: Reader, series: Series): number {
  series.last += readSigned(reader);
  return series.last / powerOfTen(series.decimals);
}
