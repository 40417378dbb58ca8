// Which characters each drawn glyph stands for. Shaping reorders glyphs of Indic scripts; a reader that copies, searches or reads
// aloud concatenates the characters of the glyphs, so those follow the order of the text, not that of the glyphs.

import { syllables } from "./syllables.ts";

export type ShapedGlyph = { id: number; codePoints: readonly number[]; advanceWidth: number };

/** No character at all would make a reader show the glyph's number: an invisible one stands for a further glyph of a character. */
const NOTHING = "\u2060";
/** Marks without width of their own, as a reader of the file takes them by their characters. */
export const NONSPACING = /^\p{Mn}+$/u;
const JOINERS = /[\u200c\u200d]/gu;

/** @returns the text of each glyph; joined, in the order of the glyphs from left to right, they are canonically equal to `text` */
export function glyphTexts(text: string, glyphs: readonly ShapedGlyph[], direction: "ltr" | "rtl"): string[] {
  const own = glyphs.map((glyph) => String.fromCodePoint(...glyph.codePoints));
  if (direction === "rtl") return rightToLeftTexts(text, own, glyphs);
  if (own.every((part) => part !== "") && own.join("") === text) return own;
  const groups = syllableGroups(text, glyphs) ?? [{ text, count: glyphs.length }];
  return groups.flatMap((group) => distribute(group.text, group.count));
}

/**
 * A reader reverses by itself what is written from right to left. The library knows one character per glyph only, and Arabic letters
 * share a glyph whose dots are another one: a glyph with a width has the next letter, one without the mark that follows.
 */
function rightToLeftTexts(text: string, own: readonly string[], glyphs: readonly ShapedGlyph[]): string[] {
  if (own.every((part) => part !== "") && own.toReversed().join("") === text) return [...own];
  const chars = [...text];
  const texts = glyphs.toReversed().map(({ advanceWidth }) => {
    const isMark = NONSPACING.test(chars[0] ?? "");
    return isMark === (advanceWidth === 0) ? (chars.shift() ?? NOTHING) : NOTHING;
  });
  if (chars.length > 0) texts.push(`${texts.pop() ?? ""}${chars.join("")}`);
  return texts.reverse();
}

type Group = { text: string; count: number };

/** Glyphs of each syllable, or null if the glyphs do not follow the syllables. */
function syllableGroups(text: string, glyphs: readonly ShapedGlyph[]): Group[] | null {
  const groups: Group[] = [];
  let next = 0;
  for (const syllable of syllables(text)) {
    const expected = letters(syllable);
    const first = next;
    const found: string[] = [];
    while (found.length < expected.length && next < glyphs.length) found.push(...lettersOf(glyphs[next++]));
    while (next < glyphs.length && lettersOf(glyphs[next]).length === 0) next++;
    if (found.sort().join("") !== expected.sort().join("")) return null;
    groups.push({ text: syllable, count: next - first });
  }
  return next === glyphs.length ? groups : null;
}

const letters = (text: string): string[] => [...text.normalize("NFD").replace(JOINERS, "")];
const lettersOf = (glyph: ShapedGlyph | undefined): string[] => letters(String.fromCodePoint(...(glyph?.codePoints ?? [])));

/** One character per glyph, marks with the character before them, and the rest for the last glyph. */
function distribute(text: string, count: number): string[] {
  const whole = [...text];
  const chars = whole.length < count ? [...text.normalize("NFD")] : whole;
  const texts: string[] = [];
  let at = 0;
  for (let left = count - 1; left >= 0; left--) {
    let end = left === 0 ? chars.length : Math.min(at + 1, chars.length);
    while (end > at && chars.length - end > left && NONSPACING.test(chars[end] ?? "")) end++;
    texts.push(chars.slice(at, end).join("") || NOTHING);
    at = end;
  }
  return texts;
}
