// Daily values of one patient and month, for statistics of a hospital: count, extremes and sum by LOINC code and day (UTC).
// Five vitals of a month are about 0.9 KB, a quarter of their JSON: 600,000 rows in ten years have to fit into D1.

import { ApiError } from "../../platform/errors.ts";
import { mergeRollups, type Rollup, unpackHour } from "../patient-object/samples/rollup.ts";
import type { StoredHour } from "./month-file.ts";
import { toDay } from "./months.ts";

/** `day`: UTC days since the epoch. Values in the unit of the code. */
export type DailyValue = { day: number; code: string } & Pick<Rollup, "count" | "min" | "max" | "sum">;

const FORMAT = 1;
/** Of a month. */
const MAX_DAYS = 31;
/** Of a column whose values are no decimals of up to three digits: 8 bytes per value. */
const FLOATS = 255;
const MAX_DECIMALS = 3;
const COLUMNS = ["count", "min", "max", "sum"] as const;

/** Sorted by code and day. */
export function computeDailyValues(hours: readonly StoredHour[]): DailyValue[] {
  const days = new Map<string, Map<number, Rollup>>();
  for (const { hour, stats } of hours) {
    for (const [code, rollup] of unpackHour(hour, stats)) {
      const ofCode = days.get(code) ?? new Map<number, Rollup>();
      days.set(code, ofCode);
      const before = ofCode.get(toDay(hour));
      ofCode.set(toDay(hour), before ? mergeRollups(before, rollup) : rollup);
    }
  }
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([code, ofCode]) =>
      [...ofCode].sort(([a], [b]) => a - b).map(([day, { count, min, max, sum }]) => ({ day, code, count, min, max, sum })),
    );
}

/**
 * Per code: its length and text, the first day, a bit per day of the month from that on, then each column as differences to the value
 * before. Integers are LEB128, signed ones zigzag; a column begins with its number of decimals, or FLOATS.
 */
export function packDailyValues(values: readonly DailyValue[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [FORMAT];
  for (const [code, ofCode] of Map.groupBy(values, (value) => value.code)) {
    const text = new TextEncoder().encode(code);
    writeUnsigned(bytes, text.length);
    bytes.push(...text);
    writeDays(
      bytes,
      ofCode.map(({ day }) => day),
    );
    for (const column of COLUMNS)
      writeColumn(
        bytes,
        ofCode.map((value) => value[column]),
      );
  }
  return new Uint8Array(bytes);
}

function writeDays(bytes: number[], days: readonly number[]): void {
  const first = days[0] ?? 0;
  writeUnsigned(bytes, first);
  writeUnsigned(
    bytes,
    days.reduce((mask, day) => mask + 2 ** (day - first), 0),
  );
}

function writeColumn(bytes: number[], values: readonly number[]): void {
  const decimals = Array.from({ length: MAX_DECIMALS + 1 }, (_, i) => i).find((n) =>
    values.every((value) => isDecimal(value, 10 ** n)),
  );
  bytes.push(decimals ?? FLOATS);
  if (decimals === undefined) bytes.push(...new Uint8Array(new Float64Array(values).buffer));
  else {
    const whole = values.map((value) => Math.round(value * 10 ** decimals));
    writeDifferences(bytes, whole);
  }
}

/** Whether dividing the whole number gives the same value back; the sum of two differences must be exact too. */
function isDecimal(value: number, factor: number): boolean {
  const whole = Math.round(value * factor);
  return Math.abs(whole) <= 2 ** 50 && whole / factor === value && !Object.is(value, -0);
}

function writeDifferences(bytes: number[], values: readonly number[]): void {
  values.forEach((value, i) => {
    const difference = value - (values[i - 1] ?? 0);
    writeUnsigned(bytes, difference < 0 ? -2 * difference - 1 : 2 * difference);
  });
}

/** Up to 2^53: bit operators would cut to 32 bits. */
function writeUnsigned(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

/** @throws ApiError integrity_error */
export function unpackDailyValues(bytes: Uint8Array): DailyValue[] {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== FORMAT) throw new ApiError("integrity_error");
  const values: DailyValue[] = [];
  while (!reader.isAtEnd) {
    const code = new TextDecoder().decode(reader.take(reader.unsigned()));
    const days = readDays(reader);
    const [count, min, max, sum] = COLUMNS.map(() => readColumn(reader, days.length));
    days.forEach((day, i) => {
      values.push({ day, code, count: count?.[i] ?? 0, min: min?.[i] ?? 0, max: max?.[i] ?? 0, sum: sum?.[i] ?? 0 });
    });
  }
  return values;
}

function readDays(reader: ByteReader): number[] {
  const first = reader.unsigned();
  const mask = reader.unsigned();
  return Array.from({ length: MAX_DAYS }, (_, i) => i)
    .filter((i) => Math.floor(mask / 2 ** i) % 2 === 1)
    .map((i) => first + i);
}

function readColumn(reader: ByteReader, length: number): number[] {
  const decimals = reader.byte();
  if (decimals === FLOATS) return [...new Float64Array(reader.take(8 * length).slice().buffer)];
  return reader.differences(length).map((whole) => whole / 10 ** decimals);
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new ApiError("integrity_error");
    return value;
  }

  take(length: number): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    if (part.length < length) throw new ApiError("integrity_error");
    this.#at += length;
    return part;
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  differences(length: number): number[] {
    const values: number[] = [];
    for (let value = 0; values.length < length; ) {
      const zigzag = this.unsigned();
      value += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      values.push(value);
    }
    return values;
  }
}
