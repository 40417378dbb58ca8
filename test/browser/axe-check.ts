// Accessibility of what a page shows now, in any state that a test has brought it to.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import type { AxeResults, RunOptions } from "axe-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of accessibility, and how far the page scrolls sideways. */
export async function faultsOf(page: Page): Promise<unknown[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: RunOptions) => Promise<AxeResults> } };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    const { scrollWidth, clientWidth } = document.documentElement;
    return [...violations.map(({ id, nodes }) => [id, nodes[0]?.html]), ...(scrollWidth > clientWidth ? [scrollWidth] : [])];
  });
}
