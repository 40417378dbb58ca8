// Playwright reporter: slowest spec files, total time against the budget, and one line with all counts.
import { basename } from "node:path";
import type { FullConfig, FullResult, Reporter, Suite } from "@playwright/test/reporter";

/** Budget of `npm run test:browser` on two cores. */
const BUDGET_S = 10 * 60;
const SLOWEST_FILES = 10;

/** @param seconds a whole number */
const minutes = (seconds: number): string => `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;

export default class Summary implements Reporter {
  #all: Suite | null = null;

  printsToStdio(): boolean {
    return false;
  }

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#all = suite;
  }

  onEnd({ duration }: FullResult): void {
    const tests = this.#all?.allTests() ?? [];
    const secondsByFile = new Map<string, number>();
    for (const { location, results } of tests) {
      const file = basename(location.file);
      const seconds = results.reduce((sum, result) => sum + result.duration / 1_000, 0);
      secondsByFile.set(file, (secondsByFile.get(file) ?? 0) + seconds);
    }
    const slowest = [...secondsByFile].sort(([, a], [, b]) => b - a).slice(0, SLOWEST_FILES);
    console.log("\nSlowest spec files, in worker seconds:");
    for (const [file, seconds] of slowest) console.log(`${seconds.toFixed(0).padStart(6)}  ${file}`);
    const total = Math.round(duration / 1_000);
    const over = total - BUDGET_S;
    console.log(`Total ${minutes(total)}${over > 0 ? `: ${minutes(over)} over the budget of ${minutes(BUDGET_S)}` : ""}`);

    for (const test of tests.filter((test) => test.outcome() === "flaky"))
      console.log(`needed a second try: ${basename(test.location.file)} › ${test.title}`);
    const count = (...outcomes: readonly ReturnType<(typeof tests)[number]["outcome"]>[]) =>
      tests.filter((test) => outcomes.includes(test.outcome())).length;
    const skipped = count("skipped");
    console.log(
      `${count("expected", "flaky")} passed, ${count("unexpected")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    );
  }
}
