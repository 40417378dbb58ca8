// Ids that encode the location of an observation or alert, so that it is found without a search.
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** Cache: an object has one patient and packs an id for every sample. */
let lastPackedUuid = { uuid: "", packed: "" };

/** 26 characters for a UUID. */
function packUuid(uuid: string): string {
  if (uuid !== lastPackedUuid.uuid) lastPackedUuid = { uuid, packed: encodeUuid(uuid) };
  return lastPackedUuid.packed;
}

function encodeUuid(uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let out = "";
  for (let i = 0; i < 26; i++) {
    out = BASE32[Number(rest & 31n)] + out;
    rest >>= 5n;
  }
  return out;
}

function unpackUuid(text: string): string | null {
  let value = 0n;
  for (const ch of text) value = (value << 5n) | BigInt(BASE32.indexOf(ch));
  if (value >= 1n << 128n) return null;
  const hex = value.toString(16).padStart(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @param block negative for a block of late samples */
export function toObservationId(patientId: string, block: number, index: number): string {
  return `${packUuid(patientId)}${block < 0 ? "-l" : "-"}${Math.abs(block).toString(32)}-${index.toString(32)}`;
}

/** Null when the text is no observation id. */
export function parseObservationId(id: string): { patientId: string; block: number; index: number } | null {
  const [, packed = "", late, block = "", index = ""] = /^([a-z2-7]{26})-(l?)([0-9a-v]{1,11})-([0-9a-v]{1,6})$/.exec(id) ?? [];
  const patientId = packed ? unpackUuid(packed) : null;
  if (patientId === null) return null;
  const openedAt = Number.parseInt(block, 32);
  return { patientId, block: late ? -openedAt : openedAt, index: Number.parseInt(index, 32) };
}

export function toAlertId(patientId: string, number: number): string {
  return `${packUuid(patientId)}-a${number.toString(32)}`;
}

/** Null when the text is no alert id. */
export function parseAlertId(id: string): { patientId: string; number: number } | null {
  const [, packed = "", number = ""] = /^([a-z2-7]{26})-a([0-9a-v]{1,9})$/.exec(id) ?? [];
  const patientId = packed ? unpackUuid(packed) : null;
  return patientId === null ? null : { patientId, number: Number.parseInt(number, 32) };
}
