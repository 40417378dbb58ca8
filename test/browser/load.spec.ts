// A full ward: forty patients with changing values. The cost of an update, and whether memory stays stable.
import type { Page } from "@playwright/test";
import { isLong, patiently } from "./extent.ts";
import { measureHeap } from "./memory.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { type Monitor, NORMAL_VALUES, newFullWard } from "./world.ts";

const PATIENTS = 40;
const EVERY_MS = isLong ? 2_000 : 1_000;
/** Rounds of each monitor until the sixty kept samples per patient are full and hot code is compiled. */
const WARM_UP_ROUNDS = isLong ? 30 : 10;
/** Rounds of each monitor between two heap measurements. */
const ROUNDS = isLong ? 10 : 4;
const LOOKS = 3;
/** Main thread time per update: wall time, so checked only on an idle machine. */
const MAX_MEDIAN_MS = 50;
/** Heap growth over all measurements. */
const MAX_GROWTH = 0.05;

type Measured = { work: number[] };

test("forty live patients: the heap stays, and the median update takes less than 50 ms in long runs", async ({ open }) => {
  test.setTimeout(patiently(420_000));
  const { world, beds } = await newFullWard(PATIENTS);
  const monitors = beds.map(({ monitor }) => monitor);
  const page = await open(world.people.nurse, { path: "/ward", before: noteWork });
  await waitForPage(page);
  const sending = send(monitors);
  await expect(page.locator("[data-row]")).toHaveCount(PATIENTS, { timeout: 30_000 });
  await sending.rounds(WARM_UP_ROUNDS);
  const before = await measureHeap(page);
  await page.evaluate(() => (window as unknown as { measured: Measured }).measured.work.splice(0));
  const growth = await growthOver(page, sending.rounds);
  const { work } = await page.evaluate(() => (window as unknown as { measured: Measured }).measured);
  const sorted = work.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
  console.log(
    `${work.length} updates: median ${at(0.5).toFixed(1)} ms, p95 ${at(0.95).toFixed(1)} ms; ` +
      `heap ${(before / 1024 / 1024).toFixed(1)} MiB, growth ${growth.map((bytes) => `${(bytes / 1024).toFixed(0)} KiB`).join(", ")}`,
  );
  expect(work.length).toBeGreaterThan(LOOKS * ROUNDS);
  if (isLong) expect(at(0.5)).toBeLessThan(MAX_MEDIAN_MS);
  expect(Math.min(...growth) * LOOKS).toBeLessThan(MAX_GROWTH * before);
  if (isLong) {
    // Control: memory that is kept per message is detected.
    await page.evaluate(keepSomething);
    const leaking = await growthOver(page, sending.rounds);
    expect(Math.min(...leaking) * LOOKS).toBeGreaterThan(MAX_GROWTH * before);
  }
  await sending.stop();
});

/** Heap growth in bytes per measurement. A leak grows every time; compiled code and caches grow once. */
async function growthOver(page: Page, rounds: (more: number) => Promise<void>): Promise<number[]> {
  const heaps = [await measureHeap(page)];
  for (let look = 0; look < LOOKS; look++) {
    await rounds(ROUNDS);
    heaps.push(await measureHeap(page));
  }
  return heaps.slice(1).map((heap, i) => heap - (heaps[i] ?? 0));
}

/** In the page: leaks some hundred bytes per drawn frame. */
function keepSomething(): void {
  const kept: unknown[] = [];
  Object.assign(window, { kept });
  const keep = () => {
    kept.push(new Array(400).fill(kept.length + 0.5));
    requestAnimationFrame(keep);
  };
  keep();
}

/** Every monitor in turn, spread over the interval, with new values each time. `rounds`: waits for this many rounds. */
function send(monitors: readonly Monitor[]): { rounds: (more: number) => Promise<void>; stop: () => Promise<void> } {
  let going = true;
  const sent = monitors.map(() => 0);
  const run = async (monitor: Monitor, index: number) => {
    await new Promise((resolve) => setTimeout(resolve, (index * EVERY_MS) / monitors.length));
    for (let n = index; going; n++) {
      const [calm = 0, rate = 0, air = 0] = [NORMAL_VALUES.heart_rate, NORMAL_VALUES.systolic, NORMAL_VALUES.respiratory_rate];
      const values = { ...NORMAL_VALUES, heart_rate: calm + (n % 9), systolic: rate + (n % 7), respiratory_rate: air + (n % 3) };
      const due = new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      await monitor.send({ ...values, spo2: 95 + (n % 4), temperature: 36.5 + (n % 5) / 10 }).catch(() => undefined);
      sent[index] = n - index + 1;
      await due;
    }
  };
  const all = monitors.map(run);
  return {
    async rounds(more) {
      const wanted = Math.min(...sent) + more;
      while (Math.min(...sent) < wanted) await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async stop() {
      going = false;
      await Promise.all(all);
    },
  };
}

/** Records per animation frame after a message how long the main thread was busy: scripts, layout and paint. */
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
