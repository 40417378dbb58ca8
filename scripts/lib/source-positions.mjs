// Source positions of a bundle, from the source map that esbuild writes beside it.
import { readFileSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const maps = new Map();

/** The source map of a bundle, read again after a rebuild; null if there is none. */
function mapOf(bundle) {
  const file = `${bundle}.map`;
  try {
    const { mtimeMs } = statSync(file);
    if (maps.get(file)?.mtimeMs !== mtimeMs)
      maps.set(file, { mtimeMs, map: new SourceMap(JSON.parse(readFileSync(file, "utf8"))) });
    return maps.get(file).map;
  } catch {
    return null;
  }
}

/** @returns `{ pathname, lineno }` of the source, or null if the map lacks the position; lines and columns count from 1 */
export function sourcePosition(pathname, line, column) {
  const bundle = pathname.startsWith("file://") ? fileURLToPath(pathname) : pathname;
  const { fileName, lineNumber } = mapOf(bundle)?.findOrigin(line, column) ?? {};
  if (!fileName) return null;
  const source = fileName.startsWith("file://") ? fileURLToPath(fileName) : resolve(dirname(bundle), fileName);
  return { pathname: relative(process.cwd(), source), lineno: lineNumber };
}
