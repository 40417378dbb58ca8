// Variants of the production bundle for the torture test of the audit log.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAX_LATE_MS = 40;
/** How long the twin's events are missing. */
const APPEND_DELAY_MS = 2_000;
const APPEND = "async function appendAll(logs, db, events, quota = null) {";

/** @throws Error unless the text is there exactly once */
function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`the bundle must contain ${JSON.stringify(from)} exactly once`);
  return text.replace(from, () => to);
}

/** Segments close after `openMs` instead of an hour. */
const closeAfter = (code: string, openMs: number) =>
  replaceOnce(code, "var MAX_OPEN_MS = HOUR_MS;", `var MAX_OPEN_MS = ${openMs};`);

/** Responses leave late, so that kills fall between the effect of a request and its answer. */
const answerLate = (code: string) =>
  replaceOnce(
    code,
    "releaseBody(c.req.raw);",
    `releaseBody(c.req.raw);
    await scheduler.wait(Math.random() * ${MAX_LATE_MS});`,
  );

/** Known-bad twin: a read answers at once, and appends its event behind the response. It is faultless until it is killed. */
const answerFirst = (code: string) =>
  `import { waitUntil as afterResponse } from "cloudflare:workers";\n${replaceOnce(
    code,
    APPEND,
    `async function appendAll(...args) {
  afterResponse(scheduler.wait(${APPEND_DELAY_MS}).then(() => appendDurably(...args)));
}
${APPEND.replace("appendAll", "appendDurably")}`,
  )}`;

/**
 * Writes variants of a bundle to a new folder.
 * @param openMs how long segments stay open  @returns the folder, and the files of the product and of its twin
 */
export function writeVariants(bundle: string, openMs: number): { folder: string; product: string; twin: string } {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-bundles-"));
  const code = answerLate(closeAfter(readFileSync(bundle, "utf8"), openMs));
  const [product, twin] = [join(folder, "product.js"), join(folder, "answer-first.js")];
  writeFileSync(product, code);
  writeFileSync(twin, answerFirst(code));
  return { folder, product, twin };
}
