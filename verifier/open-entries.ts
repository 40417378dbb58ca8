// Checks rows that are in no segment yet: their leaves, and the keyed chain over them.
import { createHmac, hkdfSync } from "node:crypto";
import { fromBase64, isEqual, type Ring } from "./bytes.ts";
import { checkNumber, checkTime, hashEntry, type Position } from "./entries.ts";
import { type Entry, leafHash } from "./leaf.ts";
import { type KnownLeaves, nameChange, type RowEvidence } from "./name-change.ts";
import { type OpenRow, ProblemError } from "./source.ts";

const INFO = "edgecare audit entry";

/** Keys of the chain by the key they come from. */
const derivedKeys = new WeakMap<Uint8Array, Uint8Array>();

function chainKey(key: Uint8Array): Uint8Array {
  const known = derivedKeys.get(key);
  if (known) return known;
  const derived = new Uint8Array(hkdfSync("sha256", key, new Uint8Array(), INFO, 32));
  derivedKeys.set(key, derived);
  return derived;
}

/** The bytes of a MAC; 32 zeros before the first entry of a log; null for a malformed one. */
function macBytes(mac: string): Uint8Array | null {
  const bytes = mac === "" ? new Uint8Array(32) : fromBase64(mac.split(".")[1] ?? "", "base64url");
  return bytes?.length === 32 ? bytes : null;
}

/** Whether `mac` is that of entry `number` with this leaf hash after an entry with the MAC `previous`. */
function isChained(ring: Ring, previous: string, mac: string, number: number, leaf: Uint8Array): boolean {
  const key = ring.get(mac.split(".")[0] ?? "");
  const [before, own] = [macBytes(previous), macBytes(mac)];
  if (!key || !before || !own || mac === "") return false;
  const seq = new Uint8Array(8);
  new DataView(seq.buffer).setBigUint64(0, BigInt(number));
  const expected = createHmac("sha256", chainKey(key)).update(before).update(seq).update(leaf).digest();
  return isEqual(own, expected);
}

function parseRow(row: OpenRow): Entry | null {
  try {
    const event: unknown = JSON.parse(row.event);
    return event !== null && typeof event === "object"
      ? { ...(event as Entry), seq: row.seq, logged: row.logged, seed: row.seed }
      : null;
  } catch {
    return null;
  }
}

/**
 * Whether a row is the entry at a position.
 * @param ring null: the chain is not checked  @param previousMac MAC of the entry before
 * @param leaf of the tree at this position; null where no checkpoint covers it
 * @throws ProblemError for a gap, or what is no entry
 */
export function isOwnRow(ring: Ring | null, row: OpenRow, previousMac: string, position: Position, leaf: Uint8Array | null) {
  const { seq } = position;
  checkNumber(seq, row);
  const entry = parseRow(row);
  if (!entry) throw new ProblemError("edited", seq, `Entry ${seq} is malformed.`);
  const hash = hashEntry(entry, seq);
  const isStored = entry.id === row.id && isEqual(hash, fromBase64(row.leafHash, "base64url") ?? new Uint8Array());
  const isIntact = isStored && (!leaf || isEqual(hash, leaf)) && (!ring || isChained(ring, previousMac, row.mac, seq, hash));
  if (isIntact) checkTime(position, row);
  return isIntact;
}

/** @param rows the first that is not as it was, at `seq`, and those after it */
export function nameRow(ring: Ring | null, rows: readonly OpenRow[], previousMac: string, seq: number, known: KnownLeaves) {
  const entries = rows.map(parseRow);
  const macOf = (k: number) => (k < 0 ? previousMac : (rows[k]?.mac ?? ""));
  const evidence: RowEvidence = {
    follows: (k, number, previous) => {
      const entry = entries[k];
      if (!ring || !entry) return false;
      try {
        return isChained(ring, macOf(previous), macOf(k), number, leafHash({ ...entry, seq: number }));
      } catch {
        return false;
      }
    },
    storedHash: (k) => fromBase64(rows[k]?.leafHash ?? "", "base64url"),
  };
  return nameChange(entries, seq, known, evidence);
}
