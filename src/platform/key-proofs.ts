// Proofs of keys that D1 keeps: at every start they reveal a secret that belongs to another database.
import { toBase64Url } from "./base64.ts";
import type { CheckpointSigners } from "./checkpoint-signers.ts";
import { computeBlindIndex, encodeCanonical, type KeyRing, type MacKeyRing } from "./crypto.ts";

export type ProvenSecret = "FIELD_KEYS" | "INDEX_KEY" | "IDENTITY_KEYS" | "AUDIT_KEYS" | "AUDIT_SIGNING_KEYS";
export type KeyProof = { name: string; value: string; secret: ProvenSecret };

/** The keys that have a proof: those of Keys in config.ts. */
type ProvenKeys = {
  fields: KeyRing;
  index: CryptoKey;
  identity: MacKeyRing | null;
  audit: KeyRing;
  auditSigners: CheckpointSigners;
};

const CONSTANT = "edgecare";
const prove = (key: CryptoKey): Promise<string> => computeBlindIndex(key, "sentinel", CONSTANT);

/**
 * The MAC of a constant under each key, and the public keys of those that sign. A wrong identity key would silently give known
 * people second identities; a wrong audit key would seal and sign events that nobody can verify later; a wrong field key would seal what nobody can open.
 */
export async function computeKeyProofs({ fields, index, identity, audit, auditSigners }: ProvenKeys): Promise<KeyProof[]> {
  const identityProofs = [...(identity?.keys ?? [])].map(async ([kid, key]) => ({
    name: `identity:${kid}`,
    value: await prove(key),
    secret: "IDENTITY_KEYS" as const,
  }));
  const fieldProofs = [...fields.keys].map(async ([kid, key]) => ({
    name: `field:${kid}`,
    value: await prove(await deriveProofKey(key)),
    secret: "FIELD_KEYS" as const,
  }));
  const auditProofs = [...audit.keys].map(async ([kid, key]) => ({
    name: `audit:${kid}`,
    value: await prove(await deriveProofKey(key)),
    secret: "AUDIT_KEYS" as const,
  }));
  const signerProofs = auditSigners.all.map(({ kid, publicKey }) => ({
    name: `audit_signing:${kid}`,
    value: toBase64Url(publicKey),
    secret: "AUDIT_SIGNING_KEYS" as const,
  }));
  return [
    { name: "index", value: await prove(index), secret: "INDEX_KEY" },
    ...(await Promise.all(fieldProofs)),
    ...(await Promise.all(identityProofs)),
    ...(await Promise.all(auditProofs)),
    ...signerProofs,
  ];
}

/** An HMAC key of its own purpose, so that the proof says nothing about a key that seals. */
function deriveProofKey(master: CryptoKey): Promise<CryptoKey> {
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encodeCanonical(["key proof"]) };
  return crypto.subtle.deriveKey(derivation, master, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
}

/** Rings of which one key at least must be known, once one is: a step of a rotation keeps the key that was in use. */
const CONTINUED: readonly { secret: ProvenSecret; prefix: string }[] = [
  { secret: "AUDIT_KEYS", prefix: "audit:" },
  { secret: "AUDIT_SIGNING_KEYS", prefix: "audit_signing:" },
];

/** The secret of a known key whose proof differs, or of a ring that shares no key with the known ones; otherwise null. */
export function findUnprovenSecret(proofs: readonly KeyProof[], known: ReadonlyMap<string, string>): ProvenSecret | null {
  const different = proofs.find(({ name, value }) => known.has(name) && known.get(name) !== value);
  if (different) return different.secret;
  const replaced = CONTINUED.find(
    ({ secret, prefix }) =>
      [...known.keys()].some((name) => name.startsWith(prefix)) &&
      !proofs.some((proof) => proof.secret === secret && known.has(proof.name)),
  );
  return replaced?.secret ?? null;
}
