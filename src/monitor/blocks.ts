// A patient's samples as packed blocks: one row of the object's store holds some minutes of them at a few bytes each.
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Sample } from "../vitals/model.ts";
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
export type Stored = Sample & { received: number; device: string | null; index: number };

/** What arrived at once from one device. */
export type Batch = { received: number; device: string | null; samples: readonly Sample[] };

// Version 1 is the version (1 byte), the CRC-32 of all that follows (4, little-endian), the length of the head (4), the head
// as JSON, and the batches as they arrived. The head has the names, so that a batch needs only their places, and the state
// after the last batch, so that appending need not read the batches. Numbers are varints (LEB128), signed ones zigzag.
//   batch:  received less that of the batch before (signed) · place of the device · how many samples · samples
//   sample: place of the series × 16 + flags · [odd byte] · [time less that of the sample before (signed)] · [seq] · value
//   value:  an integer, scaled by the series' decimals, less the last one (signed); or 8 bytes, a double
const VERSION = 1;
const HEAD_AT = 9;

const NEW_TIME = 1;
const ODD = 2;
/** Two bits, times 4: how the sequence number follows from the device's last. */
const SEQ = { none: 0, same: 1, next: 2, given: 3 } as const;
/** In the odd byte, below four times the decimals that hold from this sample on. */
const INVALID = 1;
const DOUBLE = 2;

const POWERS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const;
/** Differences of numbers up to here, doubled for their sign, are exact in a double. */
const LARGEST = 2 ** 50;

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
export function appendBatch(block: Uint8Array | null, batch: Batch): Uint8Array<ArrayBuffer> {
  const { head, body } = block ? openToAppend(block) : { head: emptyHead(), body: new Uint8Array() };
  const added = batch.samples.length === 0 ? [] : writeBatch(head, batch);
  return close(head, body, added);
}

/** All samples in the order of arrival. Throws integrity_error for a damaged block. */
export function decode(block: Uint8Array): Stored[] {
  return [...samplesOf(block)];
}

/** The samples measured at `from` or later and before `to` (epoch milliseconds), in the order of arrival. Throws as decode. */
export function decodeRange(block: Uint8Array, from: number, to: number): Stored[] {
  return decode(block).filter(({ at }) => at >= from && at < to);
}

/** How many samples the block has, without decoding them. Throws integrity_error for a damaged block. */
export function countOf(block: Uint8Array): number {
  return (madeHere.get(block) ?? open(block)).head.count;
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
  return made ? { head: copyOf(made.head), body: block.subarray(made.bodyAt) } : open(block);
}

function open(block: Uint8Array): { head: Head; body: Uint8Array } {
  if (block.length < HEAD_AT) throw damaged("it is too short");
  if (block[0] !== VERSION) throw damaged(`version ${block[0]} is not known`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (crc32(block.subarray(5)) !== view.getUint32(1, true)) throw damaged("its checksum is another");
  const bodyAt = HEAD_AT + view.getUint32(5, true);
  if (bodyAt > block.length) throw damaged("its head is longer than itself");
  const head = Head.safeParse(parsed(block.subarray(HEAD_AT, bodyAt)));
  if (!head.success) throw damaged("its head cannot be read");
  return { head: head.data, body: block.subarray(bodyAt) };
}

/** Undefined, which is no head, where it is not JSON. */
function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}

function close(head: Head, body: Uint8Array, added: readonly number[]): Uint8Array<ArrayBuffer> {
  // JSON escapes lone surrogates, which UTF-8 cannot hold: names come back as they were.
  const headBytes = new TextEncoder().encode(JSON.stringify(head));
  const bodyAt = HEAD_AT + headBytes.length;
  const block = new Uint8Array(bodyAt + body.length + added.length);
  const view = new DataView(block.buffer);
  view.setUint8(0, VERSION);
  view.setUint32(5, headBytes.length, true);
  block.set(headBytes, HEAD_AT);
  block.set(body, bodyAt);
  block.set(added, bodyAt + body.length);
  view.setUint32(1, crc32(block.subarray(5)), true);
  madeHere.set(block, { head, bodyAt });
  return block;
}

// Writing: each step adds bytes to `out` and leaves the head as the state after them.

function writeBatch(head: Head, batch: Batch): number[] {
  const out: number[] = [];
  head.received = pushDifference(out, wholeMilliseconds(batch.received), head.received);
  const device = deviceOf(head, batch.device);
  pushUnsigned(out, head.devices.indexOf(device));
  pushUnsigned(out, batch.samples.length);
  const places = new Map(head.series.map((series, place) => [nameOf(series), { series, place }]));
  for (const sample of batch.samples) {
    const name = nameOf(sample);
    const found = places.get(name) ?? addSeries(head, sample);
    places.set(name, found);
    writeSample(out, head, device, found, sample);
  }
  head.count += batch.samples.length;
  return out;
}

function writeSample(out: number[], head: Head, device: Device, to: { series: Series; place: number }, sample: Sample): void {
  const at = wholeMilliseconds(sample.at);
  const seq = seqMode(device, sample.seq);
  const decimals = decimalsOf(to.series, sample.value);
  const isInvalid = sample.status === "invalid";
  const isOdd = isInvalid || decimals !== to.series.decimals;
  pushUnsigned(out, to.place * 16 + seq * 4 + (isOdd ? ODD : 0) + (at === head.at ? 0 : NEW_TIME));
  to.series.decimals = decimals ?? to.series.decimals;
  if (isOdd) out.push(to.series.decimals * 4 + (decimals === null ? DOUBLE : 0) + (isInvalid ? INVALID : 0));
  if (at !== head.at) head.at = pushDifference(out, at, head.at);
  if (seq === SEQ.given) pushUnsigned(out, sample.seq ?? 0);
  device.seq = sample.seq ?? device.seq;
  if (decimals === null) pushDouble(out, sample.value);
  else to.series.last = pushDifference(out, Math.round(sample.value * power(decimals)), to.series.last);
}

/** The decimals to write the value with: the series' own if they do, else the fewest; null where only a double is exact. */
function decimalsOf(series: Series, value: number): number | null {
  if (isExact(value, series.decimals)) return series.decimals;
  const fewest = POWERS.findIndex((_, decimals) => isExact(value, decimals));
  return fewest < 0 ? null : fewest;
}

/** Dividing by the power of ten is how the value is read again, so the same division decides. */
function isExact(value: number, decimals: number): boolean {
  const scaled = Math.round(value * power(decimals));
  return Math.abs(scaled) <= LARGEST && scaled / power(decimals) === value;
}

function power(decimals: number): number {
  const power = POWERS[decimals];
  if (power === undefined) throw damaged("a value has too many decimals");
  return power;
}

function seqMode(device: Device, seq: number | null): number {
  if (seq === null) return SEQ.none;
  if (!Number.isSafeInteger(seq) || seq < 0) throw new RangeError("a sequence number is an integer from 0 to 2^53-1");
  if (device.seq === null) return SEQ.given;
  if (seq === device.seq) return SEQ.same;
  return seq === device.seq + 1 ? SEQ.next : SEQ.given;
}

function deviceOf(head: Head, id: string | null): Device {
  const device = head.devices.find((known) => known.id === id) ?? { id, seq: null };
  if (!head.devices.includes(device)) head.devices.push(device);
  return device;
}

function addSeries(head: Head, { code, unit }: Sample): { series: Series; place: number } {
  const series: Series = { code, unit, decimals: 0, last: 0 };
  return { series, place: head.series.push(series) - 1 };
}

/** Length first, so that ("a", "bc") and ("ab", "c") are two. */
function nameOf({ code, unit }: { code: string; unit: string }): string {
  return `${code.length}:${code}${unit}`;
}

function wholeMilliseconds(time: number): number {
  const whole = Math.round(time);
  if (!(Math.abs(whole) <= LARGEST)) throw new RangeError("a time is epoch milliseconds");
  return whole;
}

// Reading. Every step takes a byte or throws, so no count in a forged block makes it longer than its bytes.

function* samplesOf(block: Uint8Array): Generator<Stored, void> {
  const { head, body } = open(block);
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

function readSample(reader: Reader, state: Head, device: Device): Stored {
  const tag = readUnsigned(reader);
  const series = state.series[Math.floor(tag / 16)];
  if (!series) throw damaged("a sample is of no series");
  const odd = tag & ODD ? readByte(reader) : series.decimals * 4;
  series.decimals = odd >> 2;
  if (tag & NEW_TIME) state.at += readSigned(reader);
  const seq = readSeq(reader, device, (tag >> 2) & 3);
  return {
    code: series.code,
    value: odd & DOUBLE ? readDouble(reader) : readDecimal(reader, series),
    unit: series.unit,
    at: state.at,
    seq,
    status: odd & INVALID ? "invalid" : "final",
    received: state.received,
    device: device.id,
    index: state.count++,
  };
}

function readSeq(reader: Reader, device: Device, mode: number): number | null {
  if (mode === SEQ.none) return null;
  if (mode === SEQ.given) device.seq = readUnsigned(reader);
  else if (device.seq === null) throw damaged("a sequence number follows none");
  else if (mode === SEQ.next) device.seq++;
  return device.seq;
}

function readDecimal(reader: Reader, series: Series): number {
  series.last += readSigned(reader);
  return series.last / power(series.decimals);
}
