// The upgrade of the memory from format 3, whose keys were made of two parts each.
import { nestKeys } from "../../../platform/stored-document.ts";

/** A slot was `<code>` for a valid sample and `<code>!` for an invalid one; a device's own code can end in `!` too. */
function toLatestPlace(slot: string, entry: unknown): [map: string, code: string] {
  const isInvalid = typeof entry === "object" && entry !== null && "status" in entry && entry.status === "invalid";
  return isInvalid ? ["latestInvalid", slot.replace(/!$/, "")] : ["latest", slot];
}

/** `<device> <code>`: only the code can contain spaces. */
function splitNewest(key: string): [device: string, code: string] {
  const end = key.indexOf(" ");
  return [key.slice(0, end), key.slice(end + 1)];
}

/** `<device> <day>` */
function splitCounts(key: string): [device: string, day: string] {
  const end = key.lastIndexOf(" ");
  return [key.slice(0, end), key.slice(end + 1)];
}

export function memoryFrom3(memory: unknown): unknown {
  if (typeof memory !== "object" || memory === null) return memory;
  const stored: Record<string, unknown> = { ...memory };
  return {
    ...stored,
    latest: {},
    latestInvalid: {},
    ...nestKeys(stored["latest"], toLatestPlace),
    newestSampleAt: nestKeys(stored["newestSampleAt"], splitNewest),
    // Objects written before this field existed lack it.
    ...("receivedCounts" in stored && { receivedCounts: nestKeys(stored["receivedCounts"], splitCounts) }),
  };
}
