// Rows of the printed tables.
export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}
