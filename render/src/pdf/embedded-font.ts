// The parts of pdfkit and of its font library that drawing of shaped text needs, and that their types do not declare.
import type PDFDocument from "pdfkit";
import { glyphTexts, NONSPACING, type ShapedGlyph } from "./glyph-texts.ts";
import { syllables } from "./syllables.ts";

export type Document = InstanceType<typeof PDFDocument>;
type Position = { xAdvance: number; yAdvance: number; xOffset: number; yOffset: number };
type Features = Record<string, boolean>;

type OpenTypeFont = {
  unitsPerEm: number;
  hasGlyphForCodePoint(codePoint: number): boolean;
  getGlyph(id: number): ShapedGlyph;
  glyphsForString(text: string): ShapedGlyph[];
  layout(
    text: string,
    features?: Features,
    script?: string,
    language?: string,
    direction?: "ltr" | "rtl",
  ): { glyphs: ShapedGlyph[]; positions: Position[] };
  _layoutEngine?: { engine?: { GPOSProcessor?: object } };
};

type PdfFont = {
  id: string;
  font: OpenTypeFont;
  scale: number;
  subset: { mapping: Record<number, number>; glyphs: number[]; includeGlyph(id: number): number };
  unicode: number[][];
  widths: number[];
  ref(): { id: number };
};

/** A glyph of a line: what is written, and where, in thousandths of the font size. */
export type PlacedGlyph = { code: number; width: number; advance: number; dx: number; dy: number };

/** Letters of this font do not depend on other syllables, of which a text has few: shaping costs a tenth of that of whole words. */
const IN_SYLLABLES = /^\p{Script=Devanagari}+$/u;
/** More codes than this would not fit into two bytes together with the parts of composed glyphs. */
const MAX_CODES = 50_000;

/** A font in one document: shapes text and gives each glyph a code with which a reader finds its characters. */
export class EmbeddedFont {
  readonly #font: PdfFont;
  readonly #codes = new Map<string, number>();
  readonly #runs = new Map<string, readonly PlacedGlyph[]>();

  constructor(doc: Document, name: string, bytes: Uint8Array) {
    doc.registerFont(name, bytes.slice().buffer).font(name);
    this.#font = (doc as unknown as { _font: PdfFont })._font;
  }

  get id(): string {
    return this.#font.id;
  }

  /** Adds the font to the resources of a page. */
  useOn(page: PDFKit.PDFPage): void {
    (page as unknown as { fonts: Record<string, unknown> }).fonts[this.id] ??= this.#font.ref();
  }

  has(cluster: string): boolean {
    for (const char of cluster) {
      const codePoint = char.codePointAt(0) ?? 0;
      if (!isIgnorable(codePoint) && !this.#font.font.hasGlyphForCodePoint(codePoint)) return false;
    }
    return true;
  }

  /** Glyphs of a text of one script, from left to right. */
  shape(text: string, direction: "ltr" | "rtl"): readonly PlacedGlyph[] {
    const key = `${direction}${text}`;
    const known = this.#runs.get(key);
    if (known) return known;
    const parts = IN_SYLLABLES.test(text) ? syllables(text) : [text];
    const placed = parts.length > 1 ? parts.flatMap((part) => this.shape(part, direction)) : this.#shapeWhole(text, direction);
    this.#runs.set(key, placed);
    return placed;
  }

  #shapeWhole(text: string, direction: "ltr" | "rtl"): PlacedGlyph[] {
    const { glyphs, positions } = layOut(this.#font.font, text, direction);
    const texts = glyphTexts(text, glyphs, direction);
    const measures = glyphs.map((glyph, i) => measure(glyph, positions[i], this.#font.scale));
    if (direction === "ltr") widenBases(measures, texts);
    return measures.map((one, i) => ({ ...one, code: this.#code(glyphs[i]?.id ?? 0, one.width, texts[i] ?? "") }));
  }

  /** The box of a character that no font has; a reader still finds the character. */
  missing(char: string): PlacedGlyph[] {
    const box = measure(this.#font.font.getGlyph(0), undefined, this.#font.scale);
    return [{ ...box, code: this.#code(0, box.width, char) }];
  }

  /** A glyph has one code for each text that it stands for, and for each width. */
  #code(id: number, width: number, text: string): number {
    const { subset, unicode, widths } = this.#font;
    const key = `${id}:${width}:${text}`;
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const isNew = subset.mapping[id] === undefined || subset.glyphs.length > MAX_CODES;
    const code = isNew ? subset.includeGlyph(id) : subset.glyphs.push(id) - 1;
    unicode[code] ??= [...text].map((char) => char.codePointAt(0) ?? 0);
    widths[code] ??= width;
    this.#codes.set(key, code);
    return code;
  }
}

type Measures = Omit<PlacedGlyph, "code">;

function measure(glyph: ShapedGlyph, position: Position | undefined, scale: number): Measures {
  const width = glyph.advanceWidth * scale;
  const advance = position ? position.xAdvance * scale : width;
  return { width, advance, dx: (position?.xOffset ?? 0) * scale, dy: (position?.yOffset ?? 0) * scale };
}

/**
 * Readers take marks as without width, and a gap as a space. A mark with a width, as the Malayalam sign u, is drawn within the width of
 * the letter before it.
 */
function widenBases(measures: Measures[], texts: readonly string[]): void {
  let base: Measures | undefined;
  let marks: Measures[] = [];
  for (const [i, one] of measures.entries()) {
    if (!base || !NONSPACING.test(texts[i] ?? "")) {
      base = one;
      marks = [];
      continue;
    }
    const { advance } = one;
    base.width += advance;
    base.advance += advance;
    marks.push(one);
    for (const mark of marks) mark.dx -= advance;
    one.width = 0;
    one.advance = 0;
  }
}

function layOut(font: OpenTypeFont, text: string, direction: "ltr" | "rtl"): { glyphs: ShapedGlyph[]; positions: Position[] } {
  allowMissingAnchors(font);
  return font.layout(text, undefined, undefined, undefined, direction);
}

const patched = new WeakSet<object>();

/**
 * fontkit throws for a mark whose base has no anchor for its class, as in the Gurmukhi word for Punjabi; the mark then stays where it is,
 * as OpenType says ("Mark-to-base attachment positioning": a null anchor attaches nothing).
 */
function allowMissingAnchors(font: OpenTypeFont): void {
  const processor = font._layoutEngine?.engine?.GPOSProcessor;
  if (!processor) return;
  const prototype: { applyAnchor?: (mark: { markAnchor: unknown }, base: unknown, index: number) => void } =
    Object.getPrototypeOf(processor);
  if (patched.has(prototype) || !prototype.applyAnchor) return;
  const applyAnchor = prototype.applyAnchor;
  prototype.applyAnchor = function (this: unknown, mark, base, index) {
    if (mark.markAnchor && base) applyAnchor.call(this, mark, base, index);
  };
  patched.add(prototype);
}

/** Joiners and selectors of variants have no glyph of their own. */
function isIgnorable(codePoint: number): boolean {
  return codePoint === 0x200c || codePoint === 0x200d || codePoint === 0x2060 || (codePoint >= 0xfe00 && codePoint <= 0xfe0f);
}
