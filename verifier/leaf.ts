// The leaf of an entry: canonical JSON (RFC 8785) of what a proof shows, with hashes of what it hides.
import { createHash } from "node:crypto";
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

export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object") return primitiveJson(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(Reflect.get(value, name))}`).join(",")}}`;
}

function primitiveJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}

const hashText = (key: Uint8Array, text: string): string => createHash("sha256").update(key).update(text).digest("base64url");

const MEMBERS = new Set([
  ...[
    "action",
    "actor",
    "actor_hospital_id",
    "basis",
    "detail",
    "entity",
    "event",
    "hospital_id",
    "id",
    "ip",
    "logged",
    "outcome",
  ],
  ...["purpose", "reason", "recorded", "request_id", "seed", "seq", "subjects"],
]);
const ACTOR_MEMBERS = new Set(["id", "kind", "role"]);

/** No leaf covers other members, but lists would show them. */
function refuseUnknownMembers(value: object, known: ReadonlySet<string>): void {
  for (const name in value) if (!known.has(name)) throw new TypeError("an entry has an unknown member");
}

/** @throws TypeError for an entry that is not of this form */
export function leafOf(entry: Entry): string {
  refuseUnknownMembers(entry, MEMBERS);
  refuseUnknownMembers(entry.actor, ACTOR_MEMBERS);
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
  const json = (name: string) => `"${name}":${canonicalJson(entry[name])}`;
  const actorJson = canonicalJson({ id: actor.id, kind: actor.kind, role: actor.role });
  // Members in the order of their names (RFC 8785, section 3.2.3).
  const members = [
    json("action"),
    `"actor":${actorJson}`,
    ...["actor_hospital_id", "basis"].map(json),
    `"entity":${namesPatient ? "null" : canonicalJson(entity)}`,
    json("event"),
    `"hidden":"${hashText(secret, canonicalJson({ detail, entity, ip }))}"`,
    ...["hospital_id", "id", "logged", "outcome", "purpose", "reason", "recorded", "request_id"].map(json),
    `"salt":"${toBase64Url(salt)}"`,
    json("seq"),
    `"subjects":${JSON.stringify(subjects.map((id) => hashText(salt, id)).sort())}`,
    '"v":1',
  ];
  return `{${members.join(",")}}`;
}

/** SHA-256(0x00 || leaf) (RFC 9162, section 2.1.1). */
export const leafHash = (entry: Entry): Uint8Array => sha256(Uint8Array.of(0), leafOf(entry));
