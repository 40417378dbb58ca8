// Reading reports for hours: the memory of a PDF is released when its page is left.
import type { Page } from "@playwright/test";
import { logIn } from "./api.ts";
import { createEcg, sendEcg } from "./ecg.ts";
import { isLong, patiently } from "./extent.ts";
import { type MemoryUsage, measureMemory } from "./memory.ts";
import { expect, test, waitForPage } from "./portal.ts";

const PDFS = isLong ? 50 : 16;
/** By then everything that is loaded once has been loaded. */
const WARM_UP = isLong ? 10 : 6;
const MIB = 1024 * 1024;
/** The rate limit is 100 requests per minute and user, which a short run does not reach. */
const EACH_MS = isLong ? 2_500 : 0;
/** The limits of nodes, listeners and memory beside the heap are those of forty reports. */
const SHARE = (PDFS - WARM_UP) / 40;

/** Opens the nth report of the list, waits until its page is drawn, and goes back. */
async function look(page: Page, nth: number): Promise<void> {
  const due = page.waitForTimeout(EACH_MS);
  await page.getByRole("table", { name: "Reports" }).getByRole("link").nth(nth).click();
  await expect(page).toHaveURL(/\/reports\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("region").filter({ has: page.locator("canvas") })).toHaveAttribute("aria-busy", "false");
  await expect.poll(() => page.locator("canvas").evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBeGreaterThan(300);
  await due;
  await page.goBack();
  await expect(page).toHaveURL(/\/patients\/.*\/reports$/);
  await expect(page.locator("canvas")).toHaveCount(0);
}

test("after many PDFs the page keeps no more than after the first, and no worker", async ({ open, world, nurse }) => {
  test.setTimeout(patiently(480_000));
  const patient = await world.newPatient();
  const sender = await logIn(await world.newPerson("nurse"));
  for (let i = 0; i < PDFS; i++) await sendEcg(sender, await createEcg(patient), patient);
  const page = await open(nurse, { path: `/patients/${patient.id}/reports` });
  await waitForPage(page);
  const links = page.getByRole("table", { name: "Reports" }).getByRole("link");
  const more = page.getByRole("button", { name: "Show more" });
  while (await more.isVisible()) {
    const before = await links.count();
    await more.click();
    await expect.poll(() => links.count()).toBeGreaterThan(before);
  }
  await expect(links).toHaveCount(PDFS);
  const workers = page.workers().length;
  const kept: MemoryUsage[] = [];
  for (let nth = 0; nth < PDFS; nth++) {
    if (nth === WARM_UP) kept.push(await measureMemory(page));
    await look(page, nth);
  }
  kept.push(await measureMemory(page));
  const [early, late] = kept;
  if (!early || !late) throw new Error("nothing was measured");
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  console.log(
    `heap ${mib(early.heap)} to ${mib(late.heap)} MiB, beside it ${mib(early.outside)} to ${mib(late.outside)} MiB, ` +
      `nodes ${early.nodes} to ${late.nodes}, listeners ${early.listeners} to ${late.listeners}`,
  );
  // The response cache of forty reports is small. Not by share: ten reports change the heap less than garbage collection does.
  expect(late.heap - early.heap).toBeLessThan(2 * MIB);
  expect(late.outside - early.outside).toBeLessThan(SHARE * MIB);
  expect(late.nodes - early.nodes).toBeLessThan(SHARE * 500);
  expect(late.listeners - early.listeners).toBeLessThan(SHARE * 100);
  await expect.poll(() => page.workers().length).toBe(workers);
});
