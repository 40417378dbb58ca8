// `npm run steady`: repeat both test suites without a failure, some runs with one core kept busy. Resumes from its log.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { versionHere } from "./lib/development.mjs";
import { duration, failedTests, figuresIn, runStep, stepsFrom } from "./lib/steps.mjs";
import { table } from "./lib/table.mjs";

const TESTS = ["^\\d+ passed, \\d+ failed.*$", "^ *\\d+ passed \\(.*$"];
const unit = { name: "test", command: "npm test", figures: TESTS };
const browser = { name: "browser", command: "npm run test:browser", figures: TESTS };
const busy = { busy: true, env: { PATIENCE: "2" } };
/** Five runs of `npm test` and three of the browser tests; two of each with a process that keeps one core busy. */
const RUNS = [
  unit,
  unit,
  browser,
  unit,
  { ...unit, ...busy },
  { ...browser, ...busy },
  { ...unit, ...busy },
  { ...browser, ...busy },
];

const { values } = parseArgs({
  options: {
    log: { type: "string", default: ".wrangler/steady.jsonl" },
    status: { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    // The tests of this command supply other runs.
    steps: { type: "string" },
  },
});
const USAGE = `usage: npm run steady -- [--status] [--again] [--log FILE]
  --status  print a summary of the log and run nothing
  --again   start a new count even if the last one is not finished`;

const runs = values.steps ? stepsFrom(values.steps) : RUNS;
const label = ({ name, busy }) => (busy ? `${name}, one core busy` : name);

/** Entries of the log, one JSON object per line; ignores a truncated line. */
function entries() {
  const lines = existsSync(values.log) ? readFileSync(values.log, "utf8").split("\n") : [];
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

function record(entry) {
  mkdirSync(dirname(values.log), { recursive: true });
  // Terminates a truncated line first.
  const cut = existsSync(values.log) && !/(^|\n)$/.test(readFileSync(values.log, "utf8"));
  appendFileSync(values.log, `${cut ? "\n" : ""}${JSON.stringify(entry)}\n`);
}

/** Passes in a row since the last failure, restart or code change. */
function passesInARow(commit) {
  const all = entries();
  const from = all.findLastIndex((entry) => entry.result !== "passed" || entry.commit !== commit);
  return all.slice(from + 1).length;
}

function summary() {
  const rows = entries().map(({ at, commit, run, result, seconds, figures, failed }) => ({
    at,
    commit,
    run,
    result,
    duration: seconds === undefined ? "" : duration(seconds),
    details: [...(figures ?? []), ...(failed ?? [])].join("; "),
  }));
  return rows.length > 0 ? table(rows) : "No runs yet.";
}

async function steady() {
  const { commit } = versionHere();
  if (values.again) record({ at: new Date().toISOString(), commit, run: "", result: "restarted" });
  for (let done = passesInARow(commit) % runs.length; done < runs.length; done++) {
    const run = runs[done];
    console.log(`\n=== run ${done + 1} of ${runs.length}: ${label(run)}`);
    const { code, seconds, output } = await runStep(run);
    const passed = code === 0;
    record({
      at: new Date().toISOString(),
      commit,
      run: label(run),
      result: passed ? "passed" : "failed",
      seconds: Math.round(seconds * 10) / 10,
      figures: figuresIn(output, run.figures),
      ...(!passed && { failed: failedTests(output) }),
    });
    if (!passed) return false;
  }
  return true;
}

if (values.help || values.status) {
  console.log(values.help ? USAGE : summary());
} else {
  const held = await steady();
  console.log(`\n${summary()}\n`);
  console.log(held ? `${runs.length} runs in a row without a failure.` : "A run failed: the next start begins a new series.");
  process.exitCode = held ? 0 : 1;
}
