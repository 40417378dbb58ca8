// Vitest reporter: notes of the tests, reasons of skipped tests, slowest files, and one line with all counts.

/** Seconds for all of `npm test` on two otherwise idle cores. Reported, not enforced: a slow machine proves nothing. */
const BUDGET = 9 * 60;
const SLOWEST = 10;

const clock = (seconds) => `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Worker time of a file: set-up, imports and tests. */
function secondsOf(module) {
  const { prepareDuration, environmentSetupDuration, setupDuration, collectDuration, duration } = module.diagnostic();
  return (prepareDuration + environmentSetupDuration + setupDuration + collectDuration + duration) / 1000;
}

function printSkipped(tests) {
  const reasons = Map.groupBy(tests, (test) => test.result().note ?? `no reason given: ${test.module.relativeModuleId}`);
  for (const [reason, of] of reasons) console.log(`${of.length} skipped: ${reason}`);
}

function printTimes(modules) {
  const timed = modules.map((module) => ({ module, seconds: secondsOf(module) })).sort((a, b) => b.seconds - a.seconds);
  const total = (of) => of.reduce((sum, { seconds }) => sum + seconds, 0);
  console.log(`The ${SLOWEST} slowest of ${modules.length} files, in worker seconds:`);
  for (const { module, seconds } of timed.slice(0, SLOWEST))
    console.log(`${seconds.toFixed(1).padStart(7)}  ${module.relativeModuleId}`);
  for (const [project, of] of Map.groupBy(timed, ({ module }) => module.project.name))
    console.log(`${total(of).toFixed(1).padStart(7)}  all ${of.length} of project ${project}`);
}

/** By how much the whole run, measured from the start of the process, exceeds its budget. */
function printBudget() {
  const took = performance.now() / 1000;
  const over = took - BUDGET;
  const verdict = over > 0 ? `${clock(over)} over the budget` : "within budget";
  console.log(`${clock(took)}, ${verdict} (${clock(BUDGET)})`);
}

export default class SummaryReporter {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const { message } of tests.flatMap((test) => test.annotations())) console.log(message);
    const inState = (state) => tests.filter((test) => test.result().state === state);
    const skipped = inState("skipped");
    printSkipped(skipped);
    for (const test of tests.filter((test) => test.diagnostic()?.flaky))
      console.log(`needed a second try: ${test.module.relativeModuleId} › ${test.fullName}`);
    if (!process.env.VERIFY) console.log(`sampled cases: repeat them with SAMPLE_SEED=${process.env.SAMPLE_SEED}`);
    if (modules.length > SLOWEST) {
      printTimes(modules);
      // `npm run verify` has its own budget.
      if (!process.env.VERIFY) printBudget();
    }
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const more = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
    console.log(`${inState("passed").length} passed, ${inState("failed").length + broken} failed${more}`);
  }
}
