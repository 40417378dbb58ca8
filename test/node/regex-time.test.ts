// Regular expressions in src/ take time in proportion to their input: a hostile text must not hold the isolate.
import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Literals behind a character or word that an expression may follow. */
const LITERAL = /(?<=[(=,:[!?&|{;]\s*|return\s)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)/g;
const SIZE = 32_768;
/** CPU time. A pass over the text takes a millisecond; one that starts again at every character half a second or more. */
const MAX_MS = 250;

/** Expressions that see only texts of a bounded length, with the reason. */
const SHORT_INPUT = new Map([
  ["^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$", "a search of at most 200 characters (patients/identity/search-tokens.ts)"],
  ["=+$", "the padding that the encoder itself writes (platform/base64.ts)"],
  ["\\(?([^()\\s]+):(\\d+):(\\d+)\\)?\\s*$", "a frame of our own stack, on the local server (platform/log.ts)"],
]);

function findExpressions(): Map<string, RegExp> {
  const found = new Map<string, RegExp>();
  for (const file of globSync("src/**/*.ts")) {
    for (const [, source = "", flags = ""] of readFileSync(file, "utf8").matchAll(LITERAL)) {
      found.set(`${file}: /${source}/${flags}`, new RegExp(source, flags));
    }
  }
  return found;
}

const UNITS = [
  "a",
  "A",
  "0",
  "9",
  " ",
  "\t",
  "@",
  ".",
  "-",
  "_",
  "+",
  "/",
  "\\",
  "%",
  "(",
  ",",
  "=",
  '"',
  "a.",
  "a@a.",
  "0.",
  "0 ",
];
const HOSTILE = UNITS.flatMap((unit) => {
  const run = unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE);
  return [run, `${run}\n!`, `a${run}\u0000`, `1@${run} `, `/${run}/x`];
});

/** Milliseconds of the slowest text. */
function slowest(expression: RegExp): number {
  let worst = 0;
  for (const text of HOSTILE) {
    const before = process.cpuUsage();
    expression.lastIndex = 0;
    expression.exec(text);
    worst = Math.max(worst, process.cpuUsage(before).user / 1000);
    if (worst > MAX_MS) return worst;
  }
  return worst;
}

it("none backtracks over a long text", () => {
  const expressions = findExpressions();
  expect(expressions.size).toBeGreaterThan(60);
  const slow = [...expressions]
    .filter(([, { source }]) => !SHORT_INPUT.has(source))
    .filter(([, expression]) => slowest(expression) > MAX_MS)
    .map(([name]) => name);
  expect(slow).toEqual([]);
}, 600_000);

it("is measured by something that sees one that does, and the list of exceptions is in use", () => {
  expect(slowest(/\.+$/)).toBeGreaterThan(MAX_MS);
  const sources = new Set([...findExpressions().values()].map(({ source }) => source));
  expect([...SHORT_INPUT.keys()].filter((source) => !sources.has(source))).toEqual([]);
}, 600_000);
