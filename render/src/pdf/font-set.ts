// The fonts of one document: which font a grapheme is drawn with, and what no font has.
import { type Fonts, fontKey } from "../assets.ts";
import { COMMON, FAMILIES, type Weight } from "../font-files.ts";
import { type Document, EmbeddedFont } from "./embedded-font.ts";
import type { Run } from "./text-line.ts";

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
/** What is never drawn. */
const BLANK = /^[\s\p{Cc}\ufeff]+$/u;

export class FontSet {
  readonly #doc: Document;
  readonly #sources: Fonts;
  readonly #open = new Map<string, EmbeddedFont>();
  readonly #names = new Map<string, string | null>();
  readonly #missing = new Set<string>();

  constructor(doc: Document, sources: Fonts) {
    this.#doc = doc;
    this.#sources = sources;
  }

  /** How many different characters no font had so far. */
  get missingCount(): number {
    return this.#missing.size;
  }

  /** Looks for characters that no font has, before anything is drawn. */
  check(text: string): void {
    for (const { segment } of graphemes.segment(text))
      if (!BLANK.test(segment) && this.nameFor(segment, false, null) === null) this.#missing.add(segment);
  }

  byId(id: string): EmbeddedFont | undefined {
    return [...this.#open.values()].find((font) => font.id === id);
  }

  /**
   * Family for a grapheme; null if no font has it.
   * @param previous family of the text before it, which keeps its punctuation if it has that
   */
  nameFor(grapheme: string, isBold: boolean, previous: string | null): string | null {
    if (previous !== null && COMMON.test(grapheme) && this.#font(previous, isBold)?.has(grapheme)) return previous;
    const known = this.#names.get(grapheme);
    if (known !== undefined) return known;
    const name = FAMILIES.find(({ name, covers }) => covers.test(grapheme) && this.#font(name, isBold)?.has(grapheme))?.name;
    this.#names.set(grapheme, name ?? null);
    return name ?? null;
  }

  /** @param name null: a box, which is counted */
  run(text: string, name: string | null, isBold: boolean, direction: "ltr" | "rtl"): Run {
    const font = this.#font(name ?? "latin", isBold);
    if (!font) throw new Error(`the font ${name ?? "latin"} is not loaded`);
    if (name !== null) return { fontId: font.id, glyphs: font.shape(text, direction) };
    return { fontId: font.id, glyphs: font.missing(text) };
  }

  #font(name: string, isBold: boolean): EmbeddedFont | undefined {
    const weight: Weight = isBold ? 600 : 400;
    const key = fontKey(name, weight);
    const known = this.#open.get(key);
    if (known) return known;
    const source = this.#sources.get(key);
    if (!source) return undefined;
    const font = new EmbeddedFont(this.#doc, key, source);
    this.#open.set(key, font);
    return font;
  }
}
