// Plain-text tables for the terminal.

const text = (value) => (value === null || value === undefined ? "" : String(value).replaceAll(/\s*\n\s*/g, " "));

/** Objects as aligned columns; the keys of the first are the headings. */
export function table(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => text(row[column]).length)));
  const line = (cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width));
  return [columns, rule, ...rows.map((row) => columns.map((column) => text(row[column])))].map(line).join("\n");
}
