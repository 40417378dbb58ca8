// Checkpoints as signed notes (C2SP signed-note, tlog-checkpoint) and the keys that verify them.
import { type Bytes, fromBase64, isEqual, parseRing, sha256, toBase64 } from "./bytes.ts";

export type Checkpoint = { size: number; root: Uint8Array };
const ED25519 = 1;
const utf8 = new TextEncoder();
export const originOf = (logId: string): string => `edgecare/audit/${logId}`;

/** The three lines of a checkpoint of this log; null for anything else. */
export function parseCheckpoint(logId: string, note: string): Checkpoint | null {
  const [, origin, digits, encoded] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n\n(?:— [^\n]+\n)+$/u.exec(note) ?? [];
  const root = fromBase64(encoded ?? "");
  const size = Number(digits);
  if (origin !== originOf(logId) || root?.length !== 32 || !Number.isSafeInteger(size)) return null;
  return { size, root };
}

type VerifierKey = { name: string; keyId: Uint8Array; publicKey: Bytes };

/** @throws Error for a line that is no Ed25519 vkey */
function parseVerifierKey(vkey: string): VerifierKey {
  const [, name = "", id = "", encoded = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) ?? [];
  const key = fromBase64(encoded);
  if (key?.length !== 33 || key[0] !== ED25519)
    throw new Error("a verifier key must be <name>+<key id>+<base64 of an Ed25519 key>");
  const keyId = sha256(`${name}\n`, key).subarray(0, 4);
  if (!isEqual(keyId, new Uint8Array(id.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [])))
    throw new Error("the key id of a verifier key does not belong to its key");
  return { name, keyId, publicKey: key.slice(1) };
}

/** Whether one of the keys signed the note, and no signature of one of them is wrong. */
export async function isSigned(note: string, verifierKeys: readonly string[]): Promise<boolean> {
  const end = note.lastIndexOf("\n\n") + 1;
  const keys = verifierKeys.map(parseVerifierKey);
  let count = 0;
  for (const line of note.slice(end + 1).split("\n")) {
    const [, name, encoded] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
    const signed = fromBase64(encoded ?? "");
    if (signed?.length !== 68) continue;
    const key = keys.find((each) => each.name === name && isEqual(each.keyId, signed.subarray(0, 4)));
    if (!key) continue;
    const publicKey = await crypto.subtle.importKey("raw", key.publicKey, "Ed25519", false, ["verify"]);
    const text = utf8.encode(note.slice(0, end));
    if (!(await crypto.subtle.verify("Ed25519", publicKey, signed.slice(4), text))) return false;
    count += 1;
  }
  return count > 0;
}

/** The start of the DER encoding of an Ed25519 private key (RFC 8410, section 7). */
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/** The vkeys of a log from the ring AUDIT_SIGNING_KEYS. @throws Error for a malformed ring */
export async function verifierKeysOf(signingKeys: string, logId: string): Promise<string[]> {
  const name = originOf(logId);
  const vkeys: string[] = [];
  for (const seed of parseRing(signingKeys).values()) {
    const der = Uint8Array.of(...PKCS8, ...seed);
    const privateKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x = "" } = (await crypto.subtle.exportKey("jwk", privateKey)) as { x?: string };
    const key = Uint8Array.of(ED25519, ...(fromBase64(x, "base64url") ?? []));
    const keyId = Array.from(sha256(`${name}\n`, key).subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
    vkeys.push(`${name}+${keyId.join("")}+${toBase64(key)}`);
  }
  return vkeys;
}
