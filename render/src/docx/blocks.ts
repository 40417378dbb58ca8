// Blocks of a document model as paragraphs and tables of WordprocessingML.
import {
  BorderStyle,
  HeadingLevel,
  type IParagraphOptions,
  type IRunOptions,
  PageBreak,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from "docx";
import type { DocumentBlock, TextDirection } from "../../../src/care/exports/document-model.ts";

export type Body = Paragraph | Table;
export type Style = Pick<IRunOptions, "bold" | "color" | "size">;

export const RED = "b00020";
export const MUTED = "555b66";
/** Names of the two lists in the document's numbering. */
export const BULLETS = "bullets";
export const NUMBERS = "numbers";

const HEADINGS = { 1: HeadingLevel.HEADING_1, 2: HeadingLevel.HEADING_2, 3: HeadingLevel.HEADING_3 } as const;
/** XML 1.0 cannot hold these, not even escaped. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const LINE_BREAK = /\r\n|[\r\n\u2028\u2029\u0085]/u;

/** Makes paragraphs in the direction of the document. */
export class Writer {
  readonly #isRightToLeft: boolean;
  /** Each ordered list counts from 1. */
  #lists = 0;

  constructor(dir: TextDirection) {
    this.#isRightToLeft = dir === "rtl";
  }

  paragraph(text: string, style: Style = {}, options: IParagraphOptions = {}): Paragraph {
    return new Paragraph({ ...options, bidirectional: this.#isRightToLeft, children: this.#runs(text, style) });
  }

  notice(text: string, isWarning: boolean): Paragraph {
    const colour = isWarning ? RED : MUTED;
    const border = { start: { style: BorderStyle.SINGLE, size: 12, space: 8, color: colour } };
    return this.paragraph(
      text,
      { color: colour, bold: isWarning },
      { border: { left: border.start }, spacing: { before: 120, after: 120 } },
    );
  }

  block(block: DocumentBlock): Body[] {
    switch (block.type) {
      case "heading":
        return [this.paragraph(block.text, {}, { heading: HEADINGS[block.level], keepNext: true })];
      case "paragraph":
        return [this.paragraph(block.text, {}, { spacing: { after: 120 } })];
      case "key_values":
        return this.#keyValues(block.items);
      case "table":
        return this.#table(block.columns, block.rows);
      case "list":
        return this.#list(block.items, block.ordered);
      case "page_break":
        return [new Paragraph({ children: [new PageBreak()] })];
      case "notice":
        return [this.notice(block.text, block.level === "warning")];
    }
  }

  #runs(text: string, style: Style): TextRun[] {
    return text
      .normalize("NFC")
      .split(LINE_BREAK)
      .map((line, i) => {
        const breaks = i > 0 ? { break: 1 } : {};
        return new TextRun({ ...style, ...breaks, text: line.replace(FORBIDDEN, ""), rightToLeft: this.#isRightToLeft });
      });
  }

  #list(items: readonly string[], isOrdered: boolean): Paragraph[] {
    if (isOrdered) this.#lists++;
    const numbering = { reference: isOrdered ? NUMBERS : BULLETS, level: 0, instance: this.#lists };
    return items.map((item) => this.paragraph(item, {}, { numbering }));
  }

  #keyValues(items: readonly { key: string; value: string }[]): Body[] {
    const rows = items.map(
      ({ key, value }) => new TableRow({ children: [this.#cell(key, { color: MUTED }), this.#cell(value)] }),
    );
    return this.#spaced(rows);
  }

  #table(columns: readonly string[], rows: readonly (readonly string[])[]): Body[] {
    const heading = new TableRow({ tableHeader: true, children: columns.map((text) => this.#cell(text, { bold: true })) });
    const body = rows.map((row) => new TableRow({ cantSplit: true, children: columns.map((_, i) => this.#cell(row[i] ?? "")) }));
    return this.#spaced([heading, ...body]);
  }

  #cell(text: string, style: Style = {}): TableCell {
    return new TableCell({ margins: { left: 80, right: 80, top: 40, bottom: 40 }, children: [this.paragraph(text, style)] });
  }

  /** Two tables without a paragraph between them would be one. */
  #spaced(rows: TableRow[]): Body[] {
    if (rows.length === 0) return [];
    const width = { size: 100, type: WidthType.PERCENTAGE };
    return [new Table({ rows, width, visuallyRightToLeft: this.#isRightToLeft }), new Paragraph({})];
  }
}
