// Size of the scripts of a first visit.
import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { expect, test, waitForPage } from "./portal.ts";

const MOST_KIB = 300;

/** Scripts that a page loads, gzipped as production serves them, in KiB. */
async function scriptsOf(page: Page, path: string): Promise<number> {
  const sizes = new Map<string, Promise<number>>();
  page.on("response", (response) => {
    if (["script", "other"].includes(response.request().resourceType()) && /\.m?js$/.test(new URL(response.url()).pathname)) {
      sizes.set(
        response.url(),
        response.body().then((body) => gzipSync(body, { level: 9 }).length),
      );
    }
  });
  await page.goto(path);
  await waitForPage(page);
  expect(sizes.size).toBeGreaterThan(0);
  return (await Promise.all(sizes.values())).reduce((sum, size) => sum + size, 0) / 1024;
}

test("the first page of everybody needs at most 300 KiB of script", async ({ open, world }) => {
  const { nurse, doctor, manager } = world.people;
  for (const [as, path] of [
    [null, "/login"],
    [nurse, "/ward"],
    [doctor, "/patients"],
    [manager, "/admin"],
  ] as const) {
    const page = await open(as, { path: "/docs" });
    const kib = await scriptsOf(page, path);
    test.info().annotations.push({ type: "size", description: `${path}: ${kib.toFixed(0)} KiB` });
    expect(kib, path).toBeLessThanOrEqual(MOST_KIB);
  }
});
