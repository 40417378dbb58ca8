// Text as runs of one font and one direction, in the order in which they are drawn, and its width.
import bidiFactory from "bidi-js";
import type { TextDirection } from "../../../src/care/exports/document-model.ts";
import type { PlacedGlyph } from "./embedded-font.ts";
import type { FontSet } from "./font-set.ts";

/** Glyphs of one font, from left to right. */
export type Run = { fontId: string; glyphs: readonly PlacedGlyph[] };

const bidi = bidiFactory();
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\u200f\u202b\u202e\u2067]/u;
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** Runs of one line of text, from left to right. */
export function lineRuns(text: string, fonts: FontSet, isBold: boolean, dir: TextDirection): Run[] {
  if (dir === "ltr" && !RIGHT_TO_LEFT.test(text)) return fontRuns(text, fonts, isBold, "ltr");
  const { levels } = bidi.getEmbeddingLevels(text, dir);
  const parts = levelParts(text, levels);
  const highest = Math.max(...parts.map(({ level }) => level));
  // Rule L2 of the bidirectional algorithm: from the highest level down to 1, reverse what is at that level or above.
  for (let level = highest; level > 0; level--) reverseFrom(parts, level);
  return parts.flatMap(({ text: part, level }) => fontRuns(part, fonts, isBold, level % 2 === 1 ? "rtl" : "ltr"));
}

/** Width in thousandths of the font size. */
export function widthOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { glyphs }) => glyphs.reduce((width, { advance }) => width + advance, sum), 0);
}

type Part = { text: string; level: number };

function levelParts(text: string, levels: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < text.length; i++) {
    const level = levels[i] ?? 0;
    const char = level % 2 === 1 ? (bidi.getMirroredCharacter(text.charAt(i)) ?? text.charAt(i)) : text.charAt(i);
    const last = parts.at(-1);
    if (last?.level === level) last.text += char;
    else parts.push({ text: char, level });
  }
  return parts;
}

function reverseFrom(parts: Part[], level: number): void {
  for (let start = 0; start < parts.length; start++) {
    let end = start;
    while ((parts[end]?.level ?? -1) >= level) end++;
    if (end > start + 1) parts.splice(start, end - start, ...parts.slice(start, end).reverse());
    start = end;
  }
}

/** Runs of a text of one direction, a word each: each grapheme in the first font that has all of it. */
function fontRuns(text: string, fonts: FontSet, isBold: boolean, direction: "ltr" | "rtl"): Run[] {
  const pieces: { text: string; name: string | null }[] = [];
  for (const { segment } of graphemes.segment(text)) {
    const last = pieces.at(-1);
    const name = fonts.nameFor(segment, isBold, last?.name ?? null);
    if (last && last.name === name && name !== null && segment !== " " && last.text !== " ") last.text += segment;
    else pieces.push({ text: segment, name });
  }
  const runs = pieces.map(({ text: piece, name }) => fonts.run(piece, name, isBold, direction));
  return direction === "rtl" ? runs.reverse() : runs;
}
