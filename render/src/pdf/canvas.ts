// Pages with tagged text, lines and boxes. All measures are in points from the top left of the page.
import type { Document, PlacedGlyph } from "./embedded-font.ts";
import type { FontSet } from "./font-set.ts";
import type { Run } from "./text-line.ts";

/** `#rrggbb`. */
export type Colour = string;
export const PAGE = { width: 595.28, height: 841.89, margin: 50, top: 64, bottom: 64 };
export const INK = "#16181d";
export const MUTED = "#555b66";
export const RED = "#b00020";
export const RULE = "#c6cad2";

/** A structure element: `Document`, `H1`, `P`, `Table`, … */
export type Element = PDFKit.PDFStructureElement;

export class Canvas {
  readonly doc: Document;
  readonly #fonts: FontSet;

  constructor(doc: Document, fonts: FontSet) {
    this.doc = doc;
    this.#fonts = fonts;
  }

  /** Draws content of an element on the current page. */
  tagged(element: Element, tag: string, draw: () => void): void {
    const content = this.doc.markStructureContent(tag);
    draw();
    this.doc.endMarkedContent();
    element.add(content);
  }

  /** Draws what is no content: rules, headers, page numbers. A screen reader leaves it out. */
  artifact(type: "Pagination" | "Layout", draw: () => void): void {
    this.doc.markContent("Artifact", { type });
    draw();
    this.doc.endMarkedContent();
  }

  /** @param baseline distance of the baseline from the top of the page */
  text(runs: readonly Run[], x: number, baseline: number, size: number, colour: Colour): void {
    const operators: string[] = [];
    let at = x;
    for (const run of runs) {
      this.#fonts.byId(run.fontId)?.useOn(this.doc.page);
      operators.push(`/${run.fontId} ${number(size)} Tf`);
      at = showGlyphs(operators, run.glyphs, at, PAGE.height - baseline, size);
    }
    this.doc.addContent(`q 1 0 0 -1 0 ${PAGE.height} cm ${rgb(colour)} rg BT\n${operators.join("\n")}\nET Q`);
  }

  rule(x: number, y: number, width: number, colour: Colour = RULE): void {
    this.doc.addContent(`q ${rgb(colour)} RG 0.6 w ${number(x)} ${number(y)} m ${number(x + width)} ${number(y)} l S Q`);
  }

  box(x: number, y: number, width: number, height: number, colour: Colour): void {
    const corners = [x, y, width, height].map(number).join(" ");
    this.doc.addContent(`q ${rgb(colour)} RG 0.9 w ${corners} re S Q`);
  }
}

/** Appends operators that show glyphs in one string each as long as nothing but their widths moves them. @returns the end */
function showGlyphs(operators: string[], glyphs: readonly PlacedGlyph[], x: number, y: number, size: number): number {
  let at = x;
  let array = "";
  let hex = "";
  const flush = () => {
    if (array || hex) operators.push(`[${array}${hex && `<${hex}>`}] TJ`);
    array = "";
    hex = "";
  };
  const moveTo = (left: number, up: number) => operators.push(`1 0 0 1 ${number(left)} ${number(up)} Tm`);
  moveTo(at, y);
  for (const glyph of glyphs) {
    const code = glyph.code.toString(16).padStart(4, "0");
    const after = at + (glyph.advance * size) / 1000;
    if (glyph.dx !== 0 || glyph.dy !== 0) {
      flush();
      moveTo(at + (glyph.dx * size) / 1000, y + (glyph.dy * size) / 1000);
      operators.push(`<${code}> Tj`);
      moveTo(after, y);
    } else {
      hex += code;
      const adjustment = glyph.width - glyph.advance;
      if (Math.abs(adjustment) >= 0.5) {
        array += `<${hex}> ${number(adjustment)} `;
        hex = "";
      }
    }
    at = after;
  }
  flush();
  return at;
}

function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function rgb(colour: Colour): string {
  const parts = colour.match(/[0-9a-f]{2}/gi) ?? [];
  return parts.map((part) => number(Number.parseInt(part, 16) / 255)).join(" ");
}
