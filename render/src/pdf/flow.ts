// Puts tagged text below what is there, and starts a page when one is full.
import type { TextDirection } from "../../../src/care/exports/document-model.ts";
import type { Line, LineBreaker, TextStyle } from "./break-lines.ts";
import { type Canvas, type Colour, type Element, INK, PAGE } from "./canvas.ts";

export type Tag = string;
export type Area = { /** From the left, or from the right in a document from right to left. */ start: number; width: number };
export const CONTENT: Area = { start: PAGE.margin, width: PAGE.width - 2 * PAGE.margin };
export const BODY: TextStyle = { size: 10, isBold: false };
export const BOLD: TextStyle = { size: 10, isBold: true };
/** Indic scripts need more above and below the letters than Latin ones. */
const LINE_HEIGHT = 1.5;
const ASCENT = 1.08;

export const lineHeight = (style: TextStyle): number => style.size * LINE_HEIGHT;

export class Flow {
  readonly canvas: Canvas;
  readonly breaker: LineBreaker;
  readonly dir: TextDirection;
  /** Distance from the top of the page to what comes next. */
  y: number = PAGE.margin;

  constructor(canvas: Canvas, breaker: LineBreaker, dir: TextDirection) {
    this.canvas = canvas;
    this.breaker = breaker;
    this.dir = dir;
  }

  element(parent: Element, tag: Tag, options: { scope?: "Row" | "Column" } = {}): Element {
    const created = this.canvas.doc.struct(tag, options as { title?: string });
    parent.add(created);
    return created;
  }

  newPage(): void {
    this.canvas.doc.addPage();
    this.y = PAGE.top;
  }

  /** Starts a page if less than this is left of the present one. */
  reserve(height: number): void {
    if (this.y + height > PAGE.height - PAGE.bottom && this.y > PAGE.top) this.newPage();
  }

  space(height: number): void {
    this.y += height;
  }

  /** A text as an element of its own, over as many pages as it needs. */
  text(parent: Element, tag: Tag, text: string, style: TextStyle, colour: Colour = INK, area: Area = CONTENT): Element {
    const element = this.element(parent, tag);
    this.#lines(element, tag, this.breaker.lines(text, style, area.width), style, colour, area);
    return element;
  }

  #lines(element: Element, tag: Tag, lines: readonly Line[], style: TextStyle, colour: Colour, area: Area): void {
    let rest = lines;
    while (rest.length > 0) {
      const room = Math.max(this.#room(style), this.y <= PAGE.top ? 1 : 0);
      if (room === 0) this.newPage();
      else {
        this.drawLines(element, tag, rest.slice(0, room), style, colour, area, this.y);
        this.y += Math.min(rest.length, room) * lineHeight(style);
        rest = rest.slice(room);
      }
    }
  }

  #room(style: TextStyle): number {
    return Math.floor((PAGE.height - PAGE.bottom - this.y) / lineHeight(style));
  }

  /** Lines at a place of the present page; the flow stays where it is. */
  drawLines(element: Element, tag: Tag, lines: readonly Line[], style: TextStyle, colour: Colour, area: Area, y: number): void {
    this.canvas.tagged(element, tag, () => this.paint(lines, style, colour, area, y));
  }

  paint(lines: readonly Line[], style: TextStyle, colour: Colour, area: Area, y: number): void {
    for (const [i, line] of lines.entries()) {
      const baseline = y + i * lineHeight(style) + style.size * ASCENT;
      this.canvas.text(line.runs, this.#left(area, line.width), baseline, style.size, colour);
    }
  }

  /** Where a line starts, from the left of the page. */
  #left(area: Area, width: number): number {
    return this.dir === "ltr" ? area.start : PAGE.width - area.start - width;
  }

  /** Left edge of an area, for boxes and rules. */
  leftOf(area: Area): number {
    return this.dir === "ltr" ? area.start : PAGE.width - area.start - area.width;
  }
}
