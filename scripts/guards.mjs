// `npm run guards`: remove the guards of access one at a time, run their tests and print which test missed each. Fails for a guard that
// none misses. vitest.config.ts removes the guard that WITHOUT_GUARD names.
import { parseArgs } from "node:util";
import { GUARDS } from "./lib/guards.mjs";
import { duration, failedTests, runStep } from "./lib/steps.mjs";
import { table } from "./lib/table.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    // The tests of this command supply another one.
    command: { type: "string", default: "vitest run --project worker" },
  },
});
const USAGE = "usage: npm run guards -- [--only NAME]... [--list]";

const unknown = values.only.filter((name) => !GUARDS.some((guard) => guard.name === name));
const chosen = values.only.length > 0 ? GUARDS.filter(({ name }) => values.only.includes(name)) : GUARDS;

async function runWithout({ name, tests }) {
  console.log(`\n=== without: ${name}`);
  const { code, seconds, output } = await runStep({
    command: `${values.command} ${tests.join(" ")}`,
    env: { WITHOUT_GUARD: name },
  });
  const failed = failedTests(output);
  // A file that does not load has no failed test.
  const isMissed = code !== 0 && failed.length > 0;
  return { guard: name, "missed by": isMissed ? failed[0] : "NO TEST", duration: duration(seconds) };
}

async function run() {
  const rows = [];
  for (const guard of chosen) rows.push(await runWithout(guard));
  const unmissed = rows.filter((row) => row["missed by"] === "NO TEST").length;
  console.log(`\n${table(rows)}\n\n${rows.length} guards removed, ${unmissed} missed by no test`);
  process.exitCode = unmissed > 0 ? 1 : 0;
}

if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`Unknown guard: ${unknown.join(", ")}`);
  console.error(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else if (values.list)
  console.log(table(chosen.map(({ name, file, tests }) => ({ guard: name, file, tests: tests.join(" ") }))));
else await run();
