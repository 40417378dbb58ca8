// Files of packed hours: the hours of one patient and month, deflated and sealed (platform/files.ts).

import type { KeyRing } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { readFile, storeFile } from "../../platform/files.ts";
import { randomOpaqueId } from "../../platform/ids.ts";

/** An hour as D1 has it. `stats`: the JSON of `packHour`; `version`: the greater one is the later correction. */
export type StoredHour = { hour: number; stats: string; version: number };
/** The record that owns a file: a key copied to another row does not decrypt. */
export type MonthOfPatient = { hospitalId: string; patientId: string; month: number };
export type MonthFile = { key: string; size: number };

/**
 * 744 hours of all vitals of the catalogue and 100 unknown codes are about 5 MB. A month beyond the limit stays in D1, and is logged.
 */
export const MAX_MONTH_BYTES = 16 * 1024 * 1024;
const FORMAT = "hours 1";

const ownerOf = ({ hospitalId, patientId, month }: MonthOfPatient) => `hours:${hospitalId}:${patientId}:${month}`;

/** Opaque, and outside of the hourly prefixes that the orphan sweep of reports lists. */
export function createMonthFileKey(ring: KeyRing): string {
  return `${ring.currentKid}/hours/${randomOpaqueId()}`;
}

/** One line per hour: `hour version stats`. */
export function formatHours(hours: readonly StoredHour[]): string {
  return [FORMAT, ...hours.map(({ hour, version, stats }) => `${hour} ${version} ${stats}`)].join("\n");
}

/** @throws ApiError integrity_error */
export function parseHours(text: string): StoredHour[] {
  const [format, ...lines] = text.split("\n");
  if (format !== FORMAT) throw new ApiError("integrity_error");
  return lines.map((line) => {
    const [, hour, version, stats] = /^(\d+) (\d+) (.+)$/.exec(line) ?? [];
    if (stats === undefined) throw new ApiError("integrity_error");
    return { hour: Number(hour), version: Number(version), stats };
  });
}

/**
 * Writes the hours under a key that must be new. @returns the size of the file before sealing, in bytes
 * @throws ApiError too_large (beyond MAX_MONTH_BYTES), unavailable
 */
export async function writeMonthFile(
  bucket: R2Bucket,
  ring: KeyRing,
  key: string,
  owner: MonthOfPatient,
  hours: readonly StoredHour[],
): Promise<number> {
  const text = Uint8Array.from(new TextEncoder().encode(formatHours(hours)));
  if (text.length > MAX_MONTH_BYTES) throw new ApiError("too_large");
  const bytes = await pipeBytes(text, new CompressionStream("deflate-raw"));
  await storeFile(bucket, ring, key, ownerOf(owner), bytes, bytes.length);
  return bytes.length;
}

/** @throws ApiError unavailable (the file is missing), integrity_error */
export async function readMonthFile(
  bucket: R2Bucket,
  ring: KeyRing,
  { key, size }: MonthFile,
  owner: MonthOfPatient,
): Promise<StoredHour[]> {
  const bytes = await readFile(bucket, ring, key, ownerOf(owner), size);
  return parseHours(new TextDecoder().decode(await pipeBytes(bytes, new DecompressionStream("deflate-raw"))));
}

async function pipeBytes(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** Hours of several sources, oldest first; of an hour in more than one, the greatest version. */
export function mergeVersions(...sources: readonly (readonly StoredHour[])[]): StoredHour[] {
  const merged = new Map<number, StoredHour>();
  for (const stored of sources.flat()) {
    const known = merged.get(stored.hour);
    if (!known || stored.version > known.version) merged.set(stored.hour, stored);
  }
  return [...merged.values()].sort((a, b) => a.hour - b.hour);
}
