// Size of the scripts of a first visit.
import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { expect, test, waitForPage } from "./portal.ts";

const MOST_KIB = 300;

/** Records the scripts that a page loads, gzipped as production serves them. @returns their sum in KiB once the page is shown */
function watchScripts(page: Page): () => Promise<number> {
  const sizes = new Map<string, Promise<number>>();
  page.on("response", (response) => {
    if (["script", "other"].includes(response.request().resourceType()) && /\.m?js$/.test(new URL(response.url()).pathname)) {
      sizes.set(
        response.url(),
        response.body().then((body) => gzipSync(body, { level: 9 }).length),
      );
    }
  });
  return async () => {
    await waitForPage(page);
    expect(sizes.size).toBeGreaterThan(0);
    return (await Promise.all(sizes.values())).reduce((sum, size) => sum + size, 0) / 1024;
  };
}

test("the first page of everybody needs at most 300 KiB of script", async ({ open, world }) => {
  const { nurse, doctor, manager } = world.people;
  for (const [as, path] of [
    [null, "/login"],
    [nurse, "/ward"],
    [doctor, "/patients"],
    [manager, "/admin"],
  ] as const) {
    let kibOf = async () => Number.NaN;
    await open(as, {
      path,
      before: async (page) => {
        kibOf = watchScripts(page);
      },
    });
    const kib = await kibOf();
    test.info().annotations.push({ type: "size", description: `${path}: ${kib.toFixed(0)} KiB` });
    expect(kib, path).toBeLessThanOrEqual(MOST_KIB);
  }
});
