// What one part of a verification may do, what it did, and where the next one begins.
import type { Position } from "./entries.ts";

/** Work of one part. Tiles without opened entries count as 16 events each. */
export type Limits = { events: number; checkpoints: number };

export type Checked = {
  events: number;
  segments: number;
  checkpoints: number;
  firstSeq: number;
  endSeq: number;
  openEvents: number;
};

/** `size` is that of the last checkpoint that was checked. */
export type Cursor = { phase: "checkpoints" | "entries"; size: number; position: Position };

export const formatCursor = ({ phase, size, position }: Cursor): string =>
  `${phase === "checkpoints" ? "c" : "e"}.${size}.${position.seq}.${position.logged}`;

/** @throws RangeError for anything but a cursor of an earlier part */
export function parseCursor(text: string | null): Cursor {
  if (text === null) return { phase: "checkpoints", size: 0, position: { seq: 0, logged: 0 } };
  const [, phase, ...numbers] = /^([ce])\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  const [size = 0, seq = 0, logged = 0] = numbers.map(Number);
  if (phase === undefined) throw new RangeError("not a cursor of a verification");
  return { phase: phase === "c" ? "checkpoints" : "entries", size, position: { seq, logged } };
}
