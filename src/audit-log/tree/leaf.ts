// The leaf of an audit event in its log's Merkle tree: what a proof shows of the event, and what it hides.
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64Url, toBase64Url } from "../../platform/base64.ts";
import type { LogEntry } from "../contract.ts";
import { canonicalJson } from "./canonical-json.ts";

/** Bytes of a leaf: the entry bundles of C2SP tlog-tiles have 16-bit lengths. */
export const MAX_LEAF_BYTES = 65_535;
/** Entities whose id is, or begins with, the id of a patient: they stand in the hidden part of the leaf alone. */
export const HIDDEN_ENTITIES: readonly string[] = ["patient", "held_observations"];

const SALT = 0x01;
const SECRET = 0x02;
const KEY_BYTES = 16;
const LEAF_PREFIX = Uint8Array.of(0x00);
const utf8 = new TextEncoder();

const joinedHash = (...parts: Uint8Array[]): Uint8Array => {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function deriveFromSeed(seed: string, purpose: number): Uint8Array {
  const bytes = fromBase64Url(seed);
  if (bytes?.length !== KEY_BYTES) throw new TypeError("the seed of an entry must be 16 bytes in base64url");
  return joinedHash(bytes, Uint8Array.of(purpose)).subarray(0, KEY_BYTES);
}

/** 16 bytes that are part of the leaf: with it and a patient's id anyone can find the patient's subject hash, and no other. */
export const saltOf = (seed: string): Uint8Array => deriveFromSeed(seed, SALT);

/** 16 bytes that open the hidden part of the leaf. */
export const secretOf = (seed: string): Uint8Array => deriveFromSeed(seed, SECRET);

/** base64url of SHA-256(salt || patient id in UTF-8). */
export const subjectHash = (salt: Uint8Array, patientId: string): string => toBase64Url(joinedHash(salt, utf8.encode(patientId)));

/** base64url of SHA-256(secret || canonical JSON of the members that the leaf does not show). */
export const hiddenHash = (secret: Uint8Array, { detail, entity, ip }: Pick<LogEntry, "detail" | "entity" | "ip">): string =>
  toBase64Url(joinedHash(secret, utf8.encode(canonicalJson({ detail, entity, ip }))));

const isHidden = ({ entity, subjects }: LogEntry): boolean =>
  entity === null || HIDDEN_ENTITIES.includes(entity.type) || subjects.some((id) => entity.id.includes(id));

/**
 * The canonical event in UTF-8. It names no patient, no address and no detail; `salt` and the secret are derived from the seed.
 * @throws RangeError beyond MAX_LEAF_BYTES  @throws TypeError for a seed or a value that is not as the contract says
 */
export function leafBytes(entry: LogEntry): Uint8Array {
  const salt = saltOf(entry.seed);
  const { id, kind, role } = entry.actor;
  const text = canonicalJson({
    v: 1,
    id: entry.id,
    seq: entry.seq,
    logged: entry.logged,
    recorded: entry.recorded,
    event: entry.event,
    action: entry.action,
    outcome: entry.outcome,
    reason: entry.reason,
    actor: { id, kind, role },
    hospital_id: entry.hospital_id,
    actor_hospital_id: entry.actor_hospital_id,
    basis: entry.basis,
    purpose: entry.purpose,
    entity: isHidden(entry) ? null : entry.entity,
    request_id: entry.request_id,
    salt: toBase64Url(salt),
    subjects: entry.subjects.map((patientId) => subjectHash(salt, patientId)).sort(),
    hidden: hiddenHash(secretOf(entry.seed), entry),
  });
  const bytes = utf8.encode(text);
  if (bytes.length > MAX_LEAF_BYTES) throw new RangeError(`a leaf must not exceed ${MAX_LEAF_BYTES} bytes`);
  return bytes;
}

/** SHA-256(0x00 || leaf), 32 bytes (RFC 9162, section 2.1.1). */
export const hashLeaf = (leaf: Uint8Array): Uint8Array => joinedHash(LEAF_PREFIX, leaf);

/** The leaf hash of an entry, 32 bytes. @throws as leafBytes */
export const leafHash = (entry: LogEntry): Uint8Array => hashLeaf(leafBytes(entry));
