// Checkpoints of a log as signed notes (C2SP signed-note and tlog-checkpoint), signed with Ed25519.
import { sha256 } from "@noble/hashes/sha2.js";
import type { CheckpointSigner, CheckpointSigners } from "../../platform/checkpoint-signers.ts";
import { HASH_BYTES } from "./tiles.ts";

/** A tree's state: the size and the root of its first `size` leaves. */
export type Checkpoint = { origin: string; size: number; rootHash: Uint8Array };

const SIGNATURE_TYPE_ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** A note of our own has one signature; others, such as witnesses, may add theirs. */
const MAX_SIGNATURES = 16;
const MAX_NOTE_LENGTH = 16_384;
const utf8 = new TextEncoder();

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

/** Null for anything but canonical base64 with padding (RFC 4648, section 4). */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const bytes = Uint8Array.from(atob(text), (ch) => ch.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : null;
}

/** The first line of a log's checkpoints, and the name of its key. */
export const originOf = (logId: string): string => `edgecare/audit/${logId}`;

function keyIdOf(name: string, publicKey: Uint8Array): Uint8Array {
  const typedKey = Uint8Array.of(SIGNATURE_TYPE_ED25519, ...publicKey);
  return sha256(Uint8Array.of(...utf8.encode(`${name}\n`), ...typedKey)).subarray(0, KEY_ID_BYTES);
}

/** The vkey `<name>+<key id>+<key>` with which others verify the checkpoints of this log. */
export function verifierKeyOf({ publicKey }: CheckpointSigner, logId: string): string {
  const name = originOf(logId);
  const keyId = Array.from(keyIdOf(name, publicKey), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${name}+${keyId}+${toBase64(Uint8Array.of(SIGNATURE_TYPE_ED25519, ...publicKey))}`;
}

/** The vkeys of all keys of the ring, the one that signs first. */
export const verifierKeysOf = ({ current, all }: CheckpointSigners, logId: string): string[] =>
  [current, ...all.filter(({ kid }) => kid !== current.kid)].map((signer) => verifierKeyOf(signer, logId));

/** Signs the state of a log's tree with the current key. */
export async function signCheckpoint(
  { current }: CheckpointSigners,
  logId: string,
  { size, rootHash }: Omit<Checkpoint, "origin">,
): Promise<string> {
  const origin = originOf(logId);
  if (!Number.isSafeInteger(size) || size < 0 || rootHash.length !== HASH_BYTES) throw new RangeError("not the state of a tree");
  const text = `${origin}\n${size}\n${toBase64(rootHash)}\n`;
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", current.privateKey, utf8.encode(text)));
  return `${text}\n— ${origin} ${toBase64(Uint8Array.of(...keyIdOf(origin, current.publicKey), ...signature))}\n`;
}

type Signature = { name: string; keyId: Uint8Array; signature: Uint8Array<ArrayBuffer> };

/** Splits a note into its text, final newline included, and its signatures; null if it is malformed. */
function parseNote(note: string): { text: string; signatures: Signature[] } | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern exists to reject them.
  if (note.length > MAX_NOTE_LENGTH || !note.isWellFormed() || /[\u0000-\u0009\u000b-\u001f]/.test(note)) return null;
  const blank = note.lastIndexOf("\n\n");
  const lines = note.slice(blank + 2).split("\n");
  if (blank < 0 || lines.pop() !== "" || lines.length === 0 || lines.length > MAX_SIGNATURES) return null;
  const signatures = lines.map(parseSignature);
  const parsed = signatures.filter((signature) => signature !== null);
  return parsed.length === lines.length ? { text: note.slice(0, blank + 1), signatures: parsed } : null;
}

function parseSignature(line: string): Signature | null {
  const [, name, encoded] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? [];
  const bytes = fromBase64(encoded ?? "");
  if (name === undefined || !bytes || bytes.length <= KEY_ID_BYTES) return null;
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** The three lines of a checkpoint, without checking a signature; null if the note is malformed or has further lines. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const [, origin, digits, encodedRoot] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n$/.exec(parseNote(note)?.text ?? "") ?? [];
  const rootHash = fromBase64(encodedRoot ?? "");
  const size = Number(digits);
  if (origin === undefined || rootHash?.length !== HASH_BYTES || !Number.isSafeInteger(size)) return null;
  return { origin, size, rootHash };
}

/** The checkpoint of this log, if one of the ring's keys signed it and every signature of one is right; otherwise null. */
export async function openCheckpoint({ all }: CheckpointSigners, logId: string, note: string): Promise<Checkpoint | null> {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpoint(note);
  if (!parsed || checkpoint?.origin !== originOf(logId)) return null;
  const verified = await Promise.all(
    parsed.signatures.flatMap((signature) => {
      const signer = all.find(({ publicKey }) => isBy(signature, checkpoint.origin, publicKey));
      return signer ? [isSignedBy(signer, signature, parsed.text)] : [];
    }),
  );
  return verified.length > 0 && verified.every(Boolean) ? checkpoint : null;
}

const isBy = ({ name, keyId }: Signature, origin: string, publicKey: Uint8Array): boolean =>
  name === origin && keyIdOf(origin, publicKey).every((byte, i) => byte === keyId[i]);

async function isSignedBy({ publicKey }: CheckpointSigner, { signature }: Signature, text: string): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const key = await crypto.subtle.importKey("raw", new Uint8Array(publicKey), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, utf8.encode(text));
}
