// Checks rows that are in no segment yet: their leaves, and the keyed chain over them.
import { createHmac, hkdfSync } from "node:crypto";
import { fromBase64, isEqual, type Ring } from "./bytes.ts";
import { checkOrder, hashEntry, type Position } from "./entries.ts";
import type { Entry } from "./leaf.ts";
import { type OpenRow, ProblemError } from "./source.ts";

const INFO = "edgecare audit entry";

/** Null if the MAC names no key of the ring, or is malformed. */
function macOf(ring: Ring, kid: string, previous: string, row: OpenRow, leaf: Uint8Array): Buffer | null {
  const key = ring.get(kid);
  const before = previous === "" ? new Uint8Array(32) : fromBase64(previous.split(".")[1] ?? "", "base64url");
  if (!key || before?.length !== 32) return null;
  const seq = new Uint8Array(8);
  new DataView(seq.buffer).setBigUint64(0, BigInt(row.seq));
  const derived = new Uint8Array(hkdfSync("sha256", key, new Uint8Array(), INFO, 32));
  return createHmac("sha256", derived).update(before).update(seq).update(leaf).digest();
}

function isChained(ring: Ring, previous: string, row: OpenRow, leaf: Uint8Array): boolean {
  const [kid = "", text = ""] = row.mac.split(".");
  const mac = fromBase64(text, "base64url");
  const expected = macOf(ring, kid, previous, row, leaf);
  return mac !== null && expected !== null && isEqual(mac, expected);
}

function parseRow(row: OpenRow): Entry {
  try {
    return { ...JSON.parse(row.event), seq: row.seq, logged: row.logged, seed: row.seed };
  } catch {
    throw new ProblemError("edited", row.seq, `Entry ${row.seq} is malformed.`);
  }
}

/**
 * @param ring null: the chain is not checked  @param previousMac MAC of the entry before the first row
 * @returns the entries of the rows
 */
export function checkRows(ring: Ring | null, rows: readonly OpenRow[], previousMac: string, position: Position): Entry[] {
  let { seq, logged } = position;
  let previous = previousMac;
  return rows.map((row, i) => {
    checkOrder({ seq, logged }, row);
    const entry = parseRow(row);
    const leaf = hashEntry(entry, seq);
    if (entry.id !== row.id || !isEqual(leaf, fromBase64(row.leafHash, "base64url") ?? new Uint8Array()))
      throw new ProblemError("edited", seq, `Entry ${seq} does not have its leaf hash.`);
    if (ring && !isChained(ring, previous, row, leaf)) throw nameBreak(rows, i, seq);
    [seq, logged, previous] = [seq + 1, row.logged, row.mac];
    return entry;
  });
}

function nameBreak(rows: readonly OpenRow[], i: number, seq: number): ProblemError {
  const isLast = i === rows.length - 1;
  const detail = `Entry ${seq} breaks the keyed chain: it was forged or changed, or one before it was removed.`;
  return new ProblemError(isLast ? "inserted" : "edited", seq, detail);
}
