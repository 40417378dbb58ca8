// Ends a run with the one line that counts its tests.
import type { Reporter, TestCase, TestResult } from "@playwright/test/reporter";

export default class Summary implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };

  printsToStdio(): boolean {
    return false;
  }

  onTestEnd(_test: TestCase, { status }: TestResult): void {
    this.#counts[status === "passed" || status === "skipped" ? status : "failed"]++;
  }

  onEnd(): void {
    const { passed, failed, skipped } = this.#counts;
    console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  }
}
