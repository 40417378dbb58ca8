// Checks the import rules of src/: folders import downwards only, no cycles, and no SQL in route files.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";

/** Folders from top to bottom: a file may import from its own folder and from those below. */
export const ROOMS = [
  "service",
  "erasure",
  "organization",
  "devices",
  "monitoring",
  "care",
  "emergency-access",
  "privacy",
  "document-requests",
  "consents",
  "reports",
  "documents",
  "accounts",
  "patients",
  "notifications",
  "audit",
  "http",
  "access",
  "audit-log",
  "platform",
];
/** The Worker's entry and the route map are above every folder. */
const ENTRY = ["index.ts", "app.ts", "protected-routers.ts", "cron.ts", "care-jobs.ts"];
const ROUTES = /(^|[/-])routes\.ts$/;

const roomOf = (file) => file.split("/")[0] ?? "";
/** A lower number is higher up; -1 for an entry file. */
const levelOf = (file) => (ENTRY.includes(file) ? -1 : ROOMS.indexOf(roomOf(file)));

/** Relative imports of a source text, including type imports, as paths of the same tree. */
function importsOf(file, source) {
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g);
  return [...found].map(([, name]) => (name.startsWith(".") ? normalize(join(dirname(file), name)) : name));
}

/**
 * @param {Map<string, string>} sources source texts by path below src/
 * @returns {string[]} one message per violation
 */
export function brokenRules(sources) {
  const problems = [];
  const graph = new Map();
  for (const [file, source] of sources) {
    const imports = importsOf(file, source);
    graph.set(
      file,
      imports.filter((target) => sources.has(target)),
    );
    if (!ENTRY.includes(file) && levelOf(file) < 0)
      problems.push(`${file}: no room of this name; rooms are listed in scripts/lint-imports.mjs`);
    for (const target of imports) {
      if (sources.has(target) && levelOf(target) < levelOf(file)) {
        problems.push(`${file} imports ${target}: rooms import downwards only (${ROOMS.join(" > ")})`);
      }
      if (ROUTES.test(target) && sources.has(target) && !ENTRY.includes(file)) {
        problems.push(
          `${file} imports ${target}: only app.ts and protected-routers.ts mount routes; put shared schemas into a file of their own`,
        );
      }
      if (ROUTES.test(file) && (target.startsWith("drizzle-orm") || target === "platform/db/client.ts")) {
        problems.push(`${file} imports ${target}: routes call functions; those speak SQL`);
      }
    }
  }
  for (const cycle of cyclesOf(graph)) problems.push(`import cycle: ${cycle.join(" > ")}`);
  return problems;
}

/**
 * @param {Map<string, string>} sources source texts by path below verifier/
 * @returns {string[]} one message per import from outside: the verifier shares no code with what it verifies
 */
export function dependentImports(sources) {
  return [...sources].flatMap(([file, source]) =>
    importsOf(file, source)
      .filter((target) => !sources.has(target) && !target.startsWith("node:"))
      .map((target) => `verifier/${file} imports ${target}: the verifier imports nothing but itself and Node's modules`),
  );
}

/** Strongly connected components of more than one file (Tarjan). */
function cyclesOf(graph) {
  const order = new Map();
  const low = new Map();
  const stack = [];
  const cycles = [];
  const visit = (file) => {
    order.set(file, order.size);
    low.set(file, order.get(file));
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== order.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    if (component.length > 1 || graph.get(file)?.includes(file)) cycles.push(component.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const read = (folder) =>
    new Map(globSync("**/*.ts", { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
  const files = read("src");
  const problems = [...brokenRules(files), ...dependentImports(read("verifier"))];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
  console.log(`imports: ${files.size} files in src follow the order of rooms`);
}
