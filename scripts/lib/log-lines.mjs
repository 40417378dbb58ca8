// Log lines of the local product: JSON objects, one per line, whose positions name files of `src/`.
import { sourcePosition } from "./source-positions.mjs";

/** The log line in a line of output, or null: wrangler writes lines of its own beside them. */
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

/** The line with every position of the bundle replaced by the position in the source. */
export function withSourcePositions({ colno, ...line }) {
  const frames = [];
  const at = line.at?.replace(/([^()\s]+):(\d+):(\d+)/g, (found, path, row, column) => {
    const position = sourcePosition(path, Number(row), Number(column));
    frames.push(position);
    return position ? `${position.pathname}:${position.lineno}` : found;
  });
  const position = frames.find(isOwn) ?? sourcePosition(line.pathname, line.lineno, colno ?? 1);
  return { ...line, ...position, ...(at && { at }) };
}
