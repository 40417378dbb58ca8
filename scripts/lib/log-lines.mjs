// Log lines: one JSON object per line, with positions in `src/`.
import { basename } from "node:path";
import { sourcePosition } from "./source-positions.mjs";

/** The log line in a line of output, or null: wrangler prints other lines in between. */
export function parseLogLine(text) {
  if (!text.startsWith("{")) return null;
  try {
    const line = JSON.parse(text);
    return line.name === "edgecare" ? line : null;
  } catch {
    return null;
  }
}

const isOwn = (position) => position?.pathname.startsWith("src/") === true;

/**
 * Replaces every position in the bundle by the position in the source.
 * @param bundle the file that was deployed, with its source map; without it, the file that each position names
 */
export function withSourcePositions({ colno, ...line }, bundle) {
  const fileOf = (path) => (bundle && basename(path) === basename(bundle) ? bundle : path);
  const frames = [];
  const at = line.at?.replace(/([^()\s]+):(\d+):(\d+)/g, (found, path, row, column) => {
    const position = sourcePosition(fileOf(path), Number(row), Number(column));
    frames.push(position);
    return position ? `${position.pathname}:${position.lineno}` : found;
  });
  const position = frames.find(isOwn) ?? sourcePosition(fileOf(line.pathname), line.lineno, colno ?? 1);
  return { ...line, ...position, ...(at && { at }) };
}
