// Orthographic syllables of Indic scripts.

const VIRAMA = /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d][\u200c\u200d]?$/u;
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** Graphemes, joined with the next one after a virama: glyphs are reordered within such a group only. */
export function syllables(text: string): string[] {
  const found: string[] = [];
  for (const { segment } of graphemes.segment(text)) {
    const last = found.at(-1);
    if (last !== undefined && VIRAMA.test(last)) found[found.length - 1] = last + segment;
    else found.push(segment);
  }
  return found;
}
