// The keyed chain over the entries that no checkpoint covers yet: a changed, moved or inserted row breaks it.
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64Url, toBase64Url } from "../platform/base64.ts";

/** Keys by key id; the first of the ring is current. */
export type EntryKeys = { currentKid: string; keys: ReadonlyMap<string, Uint8Array> };

const INFO = new TextEncoder().encode("edgecare audit entry");
const KEY_BYTES = 32;
/** What stands before the first entry of a log. */
const NO_MAC = new Uint8Array(32);

let cached: { secret: string; keys: EntryKeys } | undefined;

/**
 * HKDF-SHA256 (RFC 5869, no salt) of each key in AUDIT_KEYS; synchronous, since an append must not wait.
 * @throws Error for a malformed ring
 */
export function parseEntryKeys(secret: string): EntryKeys {
  if (cached?.secret !== secret) cached = { secret, keys: deriveKeys(secret) };
  return cached.keys;
}

function deriveKeys(secret: string): EntryKeys {
  const keys = new Map(
    secret.split(",").map((entry) => {
      const [kid = "", material = ""] = entry.trim().split(":");
      const raw = Uint8Array.from(atob(material), (ch) => ch.charCodeAt(0));
      if (kid === "" || raw.length !== KEY_BYTES) throw new Error("a key ring entry must be kid:base64 of 32 bytes");
      return [kid, hkdf(sha256, raw, undefined, INFO, KEY_BYTES)] as const;
    }),
  );
  const currentKid = keys.keys().next().value;
  if (currentKid === undefined) throw new Error("empty key ring");
  return { currentKid, keys };
}

/**
 * `<kid>.<base64url of HMAC-SHA256>` over the previous entry's MAC (32 bytes), `seq` (8 bytes, big-endian) and the leaf hash.
 * @param previous the `mac` of the entry before; empty for the first entry of a log
 * @throws Error if the ring lacks the key or `previous` is malformed
 */
export function chainMac(
  { currentKid, keys }: EntryKeys,
  previous: string,
  entry: { seq: number; leafHash: Uint8Array },
  kid = currentKid,
): string {
  const key = keys.get(kid);
  if (!key) throw new Error("unknown key id");
  const seq = new Uint8Array(8);
  new DataView(seq.buffer).setBigUint64(0, BigInt(entry.seq));
  const mac = hmac.create(sha256, key).update(macBytes(previous)).update(seq).update(entry.leafHash).digest();
  return `${kid}.${toBase64Url(mac)}`;
}

/** Whether `mac` continues the chain, under whichever key of the ring it names. */
export function isChained(keys: EntryKeys, previous: string, entry: { seq: number; leafHash: Uint8Array; mac: string }): boolean {
  const [kid = ""] = entry.mac.split(".");
  return keys.keys.has(kid) && chainMac(keys, previous, entry, kid) === entry.mac;
}

function macBytes(mac: string): Uint8Array {
  if (mac === "") return NO_MAC;
  const bytes = fromBase64Url(mac.split(".")[1] ?? "");
  if (bytes?.length !== NO_MAC.length) throw new Error("malformed MAC of an entry");
  return bytes;
}
