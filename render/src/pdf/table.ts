// Tables: columns as wide as their text, rows over several pages, the heading again on each.
import type { Line, TextStyle } from "./break-lines.ts";
import { type Element, INK, MUTED, PAGE } from "./canvas.ts";
import { type Area, BODY, BOLD, CONTENT, type Flow, lineHeight, type Tag } from "./flow.ts";

const PADDING = 4;
const MIN_WIDTH = 40;
const HEAD: TextStyle = { ...BOLD, size: 9 };
const CELL: TextStyle = { ...BODY, size: 9 };

type Cell = { tag: Tag; scope?: "Row" | "Column"; lines: readonly Line[]; style: TextStyle; area: Area };

export function drawTable(flow: Flow, parent: Element, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const areas = columnAreas(flow, columns, rows);
  const table = flow.element(parent, "Table");
  const columnHeads = columns.map((text, i) => heading(cell(flow, "TH", text, HEAD, areas[i]), "Column"));
  drawRow(flow, table, columnHeads, null);
  for (const row of rows) {
    const cells = columns.map((_, i) => cell(flow, "TD", row[i] ?? "", CELL, areas[i]));
    drawRow(flow, table, cells, columnHeads);
  }
  flow.space(8);
}

/** Names and values, side by side. */
export function drawKeyValues(flow: Flow, parent: Element, items: readonly { key: string; value: string }[]): void {
  const table = flow.element(parent, "Table");
  const keys: Area = { start: CONTENT.start, width: CONTENT.width * 0.34 };
  const values: Area = { start: keys.start + keys.width, width: CONTENT.width - keys.width };
  for (const { key, value } of items) {
    drawRow(flow, table, [heading(cell(flow, "TH", key, BODY, keys), "Row"), cell(flow, "TD", value, BODY, values)], null);
  }
  flow.space(8);
}

function cell(flow: Flow, tag: Tag, text: string, style: TextStyle, area: Area = CONTENT): Cell {
  return { tag, lines: flow.breaker.lines(text, style, area.width - 2 * PADDING), style, area };
}

function heading(cell: Cell, scope: "Row" | "Column"): Cell {
  return { ...cell, scope };
}

/** @param columnHeads repeated if the row starts a page; null: none */
function drawRow(flow: Flow, table: Element, cells: readonly Cell[], columnHeads: readonly Cell[] | null): void {
  const row = flow.element(table, "TR");
  const elements = cells.map(({ tag, scope }) => flow.element(row, tag, scope ? { scope } : {}));
  let drawn = 0;
  const tallest = Math.max(...cells.map(({ lines }) => lines.length), 1);
  const height = lineHeight(cells[0]?.style ?? BODY);
  do {
    startRow(flow, height * Math.min(tallest - drawn, 3) + PADDING, columnHeads);
    const room = Math.max(1, Math.floor((PAGE.height - PAGE.bottom - flow.y - PADDING) / height));
    for (const [i, { tag, lines, style, area }] of cells.entries()) {
      const element = elements[i];
      const part = lines.slice(drawn, drawn + room);
      const inner = { start: area.start + PADDING, width: area.width - 2 * PADDING };
      const colour = tag === "TH" ? MUTED : INK;
      if (element && part.length > 0) flow.drawLines(element, tag, part, style, colour, inner, flow.y + PADDING / 2);
    }
    flow.space(Math.min(tallest - drawn, room) * height + PADDING);
    drawn += room;
  } while (drawn < tallest);
  flow.canvas.artifact("Layout", () => flow.canvas.rule(flow.leftOf(CONTENT), flow.y, CONTENT.width));
}

function startRow(flow: Flow, height: number, columnHeads: readonly Cell[] | null): void {
  if (flow.y + height <= PAGE.height - PAGE.bottom || flow.y <= PAGE.top) return;
  flow.newPage();
  if (!columnHeads) return;
  // Tagged where it stands first; here it only helps the eye.
  flow.canvas.artifact("Pagination", () => {
    for (const { lines, style, area } of columnHeads) {
      flow.paint(lines, style, MUTED, { start: area.start + PADDING, width: area.width }, flow.y + PADDING / 2);
    }
  });
  flow.space(lineHeight(BODY) * Math.max(...columnHeads.map(({ lines }) => lines.length)) + PADDING);
}

/** Widths in proportion to the widest text of each column, within bounds. */
function columnAreas(flow: Flow, columns: readonly string[], rows: readonly (readonly string[])[]): Area[] {
  const sample = rows.slice(0, 50);
  const wanted = columns.map((column, i) => {
    const widths = [widest(flow, column, HEAD), ...sample.map((row) => widest(flow, row[i] ?? "", CELL))];
    return Math.max(MIN_WIDTH, Math.min(Math.max(...widths), CONTENT.width / 2)) + 2 * PADDING;
  });
  const total = wanted.reduce((sum, width) => sum + width, 0);
  let start = CONTENT.start;
  return wanted.map((width) => {
    const area = { start, width: (width / total) * CONTENT.width };
    start += area.width;
    return area;
  });
}

function widest(flow: Flow, text: string, style: TextStyle): number {
  return Math.max(...flow.breaker.lines(text, style, CONTENT.width).map(({ width }) => width));
}
