// Breaks text into lines of a width, after spaces, hyphens and slashes; a longer word breaks between graphemes.
import type { TextDirection } from "../../../src/care/exports/document-model.ts";
import type { FontSet } from "./font-set.ts";
import { lineRuns, type Run, widthOf } from "./text-line.ts";

export type TextStyle = { /** Points. */ size: number; isBold: boolean };
export type Line = { runs: readonly Run[] /** Points. */; width: number };

const WORDS = /[^\s\-/]*(?:[-/]+|\s+)|[^\s\-/]+/gu;
/** Control characters have no glyph; a tab is a space. */
const CONTROLS = /[\p{Cc}\ufeff]/gu;
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

export class LineBreaker {
  readonly #fonts: FontSet;
  readonly #dir: TextDirection;
  readonly #widths = new Map<string, number>();

  constructor(fonts: FontSet, dir: TextDirection) {
    this.#fonts = fonts;
    this.#dir = dir;
  }

  /** Lines of a text, one at least. @param width in points */
  lines(text: string, style: TextStyle, width: number): Line[] {
    return paragraphsOf(text).flatMap((paragraph) => this.#paragraphLines(paragraph, style, width));
  }

  #paragraphLines(text: string, style: TextStyle, width: number): Line[] {
    const limit = (width * 1000) / style.size;
    const lines: string[] = [];
    let line = "";
    let used = 0;
    for (const word of this.#fitting(text, style.isBold, limit)) {
      const visible = this.#width(word.trimEnd(), style.isBold);
      if (line !== "" && used + visible > limit) {
        lines.push(line);
        line = "";
        used = 0;
      }
      line += word;
      used += this.#width(word, style.isBold);
    }
    lines.push(line);
    return lines.map((found) => this.#line(found.trimEnd(), style));
  }

  /** Words, and parts of those that are wider than a line. */
  #fitting(text: string, isBold: boolean, limit: number): string[] {
    const words = text.match(WORDS) ?? [];
    return words.flatMap((word) => (this.#width(word.trimEnd(), isBold) > limit ? this.#split(word, isBold, limit) : [word]));
  }

  #split(word: string, isBold: boolean, limit: number): string[] {
    const parts: string[] = [];
    let part = "";
    let used = 0;
    for (const { segment } of graphemes.segment(word)) {
      const width = this.#width(segment, isBold);
      if (part !== "" && used + width > limit) {
        parts.push(part);
        part = "";
        used = 0;
      }
      part += segment;
      used += width;
    }
    return [...parts, part];
  }

  #line(text: string, style: TextStyle): Line {
    const runs = lineRuns(text, this.#fonts, style.isBold, this.#dir);
    return { runs, width: (widthOf(runs) * style.size) / 1000 };
  }

  #width(text: string, isBold: boolean): number {
    const key = `${isBold ? "b" : "r"}${text}`;
    const known = this.#widths.get(key);
    if (known !== undefined) return known;
    const width = widthOf(lineRuns(text, this.#fonts, isBold, this.#dir));
    this.#widths.set(key, width);
    return width;
  }
}

/** A text has the lines that its writer broke. */
function paragraphsOf(text: string): string[] {
  const lines = text.normalize("NFC").split(/\r\n|[\r\n\u2028\u2029\u0085]/u);
  return lines.map((line) => line.replaceAll("\t", " ").replace(CONTROLS, ""));
}
