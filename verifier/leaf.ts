// The leaf of an entry: canonical JSON (RFC 8785) of what a proof shows, with hashes of what it hides.
import { fromBase64, sha256, toBase64Url } from "./bytes.ts";

/** An entry of a log as it is stored in a segment. Its members are checked by its leaf hash alone. */
export type Entry = {
  seq: number;
  logged: number;
  seed: string;
  id: string;
  actor: { id: unknown; kind: unknown; role: unknown };
  entity: { type: string; id: string } | null;
  subjects: string[];
  [member: string]: unknown;
};

const LISTED = ["id", "seq", "logged", "recorded", "event", "action", "outcome", "reason", "hospital_id"];
const SHOWN = [...LISTED, "actor_hospital_id", "basis", "purpose", "request_id"];

export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
  }
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}

/** @throws TypeError for an entry that is not of this form */
export function leafOf(entry: Entry): string {
  const seed = fromBase64(entry.seed, "base64url");
  if (seed?.length !== 16) throw new TypeError("the seed of an entry has 16 bytes");
  const salt = sha256(seed, Uint8Array.of(1)).subarray(0, 16);
  const secret = sha256(seed, Uint8Array.of(2)).subarray(0, 16);
  const { actor, detail, entity, ip, subjects } = entry;
  const namesPatient =
    entity === null ||
    entity.type === "patient" ||
    entity.type === "held_observations" ||
    subjects.some((id) => entity.id.includes(id));
  return canonicalJson({
    ...Object.fromEntries(SHOWN.map((name) => [name, entry[name]])),
    v: 1,
    actor: { id: actor.id, kind: actor.kind, role: actor.role },
    entity: namesPatient ? null : entity,
    salt: toBase64Url(salt),
    subjects: subjects.map((id) => toBase64Url(sha256(salt, id))).sort(),
    hidden: toBase64Url(sha256(secret, canonicalJson({ detail, entity, ip }))),
  });
}

/** SHA-256(0x00 || leaf) (RFC 9162, section 2.1.1). */
export const leafHash = (entry: Entry): Uint8Array => sha256(Uint8Array.of(0), leafOf(entry));
