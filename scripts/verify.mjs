// `npm run verify`: run the long form of every check, one after another, and print a table of results.
import { parseArgs } from "node:util";
import { duration, figuresIn, runStep, stepsFrom } from "./lib/steps.mjs";
import { table } from "./lib/table.mjs";

const BUDGET_S = 3_600;
const TESTS = "^\\d+ passed, \\d+ failed.*$";

/** @type {import("./lib/steps.mjs").Step[]} */
const STEPS = [
  { name: "check", command: "npm run --silent check" },
  { name: "test", command: "npm test", env: { VERIFY: "1" }, figures: [TESTS] },
  { name: "guards", command: "npm run guards", figures: ["^\\d+ guards removed, .*$"] },
  { name: "coverage", command: "npm run coverage", figures: ["^All files.*$"] },
  { name: "browser", command: "npm run test:browser", env: { PATIENCE: "2" }, figures: [TESTS, "^ *\\d+ passed \\(.*$"] },
  { name: "axe", command: "npm run test:axe", env: { PATIENCE: "2" }, figures: [TESTS, "^ *\\d+ passed \\(.*$"] },
  { name: "torture", command: "npm run bench:torture", figures: ["^\\d+ kills, .*: .*$"] },
  { name: "audit-torture", command: "npm run bench:torture:audit", figures: ["^\\d+ kills, .*: .*$"] },
  { name: "documents", command: "node scripts/verify-documents.mjs", figures: ["^documents: .*$", "^\\w+: skipped.*$"] },
  {
    name: "fuzz",
    command: "npm run fuzz -- --seeds 3 --requests 10000",
    figures: ["^\\d+ runs, .*$", "^heap of the Worker: .*$"],
  },
  { name: "live", command: "npm run bench:live", figures: ["^\\| *\\d.*\\|$"] },
  { name: "growth", command: "npm run bench", figures: ["^\\d+ reads measured;.*$"] },
  { name: "cost", command: "npm run cost", figures: ["^without bedside monitors: .*$", "^with bedside monitors: .*$"] },
  { name: "alarms", command: "npm run alarms", figures: ["^No recordings at .*$"] },
];

const USAGE = `usage: npm run verify -- [--only STEP]... [--list]`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    // The tests of this command supply other steps.
    steps: { type: "string" },
  },
});

const all = values.steps ? stepsFrom(values.steps) : STEPS;
const unknown = values.only.filter((name) => !all.some((step) => step.name === name));
const chosen = values.only.length > 0 ? all.filter(({ name }) => values.only.includes(name)) : all;

async function verify() {
  const rows = [];
  let total = 0;
  for (const step of chosen) {
    console.log(`\n=== ${step.name}: ${step.command}`);
    const { code, seconds, output } = await runStep(step);
    total += seconds;
    const result = code === 0 ? "passed" : `failed (${code})`;
    rows.push({ step: step.name, result, duration: duration(seconds), figures: figuresIn(output, step.figures).join("; ") });
  }
  const failed = rows.filter(({ result }) => result !== "passed").length;
  const over = total > BUDGET_S ? `, ${duration(total - BUDGET_S)} over the budget of ${duration(BUDGET_S)}` : "";
  console.log(`\n${table(rows)}\n\n${rows.length - failed} passed, ${failed} failed, in ${duration(total)}${over}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown step: ${unknown.join(", ")}. Steps: ${all.map(({ name }) => name).join(", ")}`);
  console.error(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else if (values.list) console.log(table(all.map(({ name, command }) => ({ step: name, command }))));
else await verify();
