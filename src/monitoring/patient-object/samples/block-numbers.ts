// Encoding of numbers in a block of samples: varints (LEB128, signed ones zigzag) and doubles.
import { ApiError } from "../../../platform/errors.ts";

export function damaged(what: string): ApiError {
  return new ApiError("integrity_error", `A block of samples is damaged: ${what}`);
}

export function pushUnsigned(out: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push(128 + (rest % 128));
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

/** @returns the value, the base of the next difference */
export function pushDifference(out: number[], value: number, before: number): number {
  const difference = value - before;
  pushUnsigned(out, difference < 0 ? -2 * difference - 1 : 2 * difference);
  return value;
}

export function pushDouble(out: number[], value: number): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  out.push(...bytes);
}

export type Reader = { bytes: Uint8Array; offset: number };

export function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.offset++];
  if (byte === undefined) throw damaged("it ends within a sample");
  return byte;
}

export function readUnsigned(reader: Reader): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 53; scale *= 128) {
    const byte = readByte(reader);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  throw damaged("a number does not end");
}

export function readSigned(reader: Reader): number {
  const value = readUnsigned(reader);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

export function readDouble(reader: Reader): number {
  const bytes = Uint8Array.from({ length: 8 }, () => readByte(reader));
  return new DataView(bytes.buffer).getFloat64(0, true);
}
