// Ends a run of tests with what they noted (`annotate`) and the one line that counts them all.
export default class SummaryReporter {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const { message } of tests.flatMap((test) => test.annotations())) console.log(message);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const skipped = count("skipped") > 0 ? `, ${count("skipped")} skipped` : "";
    console.log(`${count("passed")} passed, ${count("failed") + broken} failed${skipped}`);
  }
}
