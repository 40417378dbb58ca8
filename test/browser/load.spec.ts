// A full ward for a minute: forty patients whose numbers all change. What an update costs the page, and whether it keeps what it used.
import type { Page } from "@playwright/test";
import { measureHeap } from "./memory.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { type Monitor, NORMAL_VALUES, newFullWard } from "./world.ts";

const PATIENTS = 40;
/** Until what is kept of each patient is full and the engine has compiled what is hot; after it the heap stands still. */
const WARM_UP_S = 60;
const MEASURED_S = 60;
/** Each monitor sends this often. */
const EVERY_MS = 2_000;
const MEDIAN_MS = 50;
const HEAP_SHARE = 0.05;

type Measured = { work: number[] };

test("forty live patients for a minute: the median update takes less than 50 ms, and the heap stays", async ({ open }) => {
  test.setTimeout(420_000);
  const { world, beds } = await newFullWard(PATIENTS);
  const monitors = beds.map(({ monitor }) => monitor);
  const page = await open(world.people.nurse, { path: "/ward", before: noteWork });
  await waitForPage(page);
  const sending = send(monitors);
  await expect(page.locator("[data-row]")).toHaveCount(PATIENTS, { timeout: 30_000 });
  await page.waitForTimeout(WARM_UP_S * 1_000);
  const before = await measureHeap(page);
  await page.evaluate(() => (window as unknown as { measured: Measured }).measured.work.splice(0));
  await page.waitForTimeout(MEASURED_S * 1_000);
  const { work } = await page.evaluate(() => (window as unknown as { measured: Measured }).measured);
  const after = await measureHeap(page);
  await sending.stop();
  const sorted = work.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
  console.log(
    `${sorted.length} updates: median ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms; heap ${mib(before)} to ${mib(after)} MiB`,
  );
  expect(sorted.length).toBeGreaterThan(MEASURED_S);
  expect(at(0.5)).toBeLessThan(MEDIAN_MS);
  expect(Math.abs(after / before - 1)).toBeLessThan(HEAP_SHARE);
});

/** Every monitor in turn, spread over the interval, each time with other numbers. */
function send(monitors: readonly Monitor[]): { stop: () => Promise<void> } {
  let going = true;
  const run = async (monitor: Monitor, index: number) => {
    await new Promise((resolve) => setTimeout(resolve, (index * EVERY_MS) / monitors.length));
    for (let n = index; going; n++) {
      const [calm = 0, rate = 0, air = 0] = [NORMAL_VALUES.heart_rate, NORMAL_VALUES.systolic, NORMAL_VALUES.respiratory_rate];
      const values = { ...NORMAL_VALUES, heart_rate: calm + (n % 9), systolic: rate + (n % 7), respiratory_rate: air + (n % 3) };
      const due = new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      await monitor.send({ ...values, spo2: 95 + (n % 4), temperature: 36.5 + (n % 5) / 10 }).catch(() => undefined);
      await due;
    }
  };
  const all = monitors.map(run);
  return {
    async stop() {
      going = false;
      await Promise.all(all);
    },
  };
}

/** Notes for each animation frame after a message how long the main thread was busy: scripts, layout and paint, until the next task. */
async function noteWork(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const measured: Measured = { work: [] };
    Object.assign(window, { measured });
    const { port1, port2 } = new MessageChannel();
    let began = 0;
    port1.onmessage = () => {
      measured.work.push(performance.now() - began);
      began = 0;
    };
    const original = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) =>
      original((time) => {
        if (began === 0) {
          began = performance.now();
          port2.postMessage(null);
        }
        callback(time);
      });
  });
}
