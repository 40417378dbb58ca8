// Ends a run with the one line that counts its tests.
import type { FullConfig, Reporter, Suite } from "@playwright/test/reporter";

export default class Summary implements Reporter {
  #all: Suite | null = null;

  printsToStdio(): boolean {
    return false;
  }

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#all = suite;
  }

  onEnd(): void {
    const outcomes = this.#all?.allTests().map((test) => test.outcome()) ?? [];
    const count = (...which: readonly (typeof outcomes)[number][]) => outcomes.filter((one) => which.includes(one)).length;
    const [skipped, twice] = [count("skipped"), count("flaky")];
    const more = `${skipped > 0 ? `, ${skipped} skipped` : ""}${twice > 0 ? `, ${twice} needed two tries` : ""}`;
    console.log(`${count("expected", "flaky")} passed, ${count("unexpected")} failed${more}`);
  }
}
