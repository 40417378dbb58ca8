// Old, missing or invalid values are never shown as live, for every kind of failure of connection, sensor or clock.
import type { Page } from "@playwright/test";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { connectionLostBanner, expectLive, openBoard, patientRow, readCellStates, vitalCell, watchForLoss } from "./board.ts";
import { isLong, patiently } from "./extent.ts";
import { expect, test } from "./portal.ts";
import { probe, watchText } from "./probe.ts";
import { NORMAL_VALUES } from "./world.ts";

const ALL_STALE = {
  heart_rate: "stale",
  respiratory_rate: "stale",
  spo2: "stale",
  blood_pressure: "stale",
  temperature: "stale",
  updated: "stale",
};
/** The page draws with the next animation frame; the probe may count before or after it. */
const MAX_FRAMES = 2;

test("a value is on the screen with the next animation frame, 19 times of 20", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const page = await open(nurse, { path: "/ward", before: probe });
  await openBoard(page, patient);
  const cell = vitalCell(page, patient, "heart_rate");
  await monitor.send({ heart_rate: 60 });
  await expect(cell).toContainText("60");
  const tookFrames: number[] = [];
  const tookMs: number[] = [];
  for (let rate = 61; rate <= 100; rate++) {
    const frames = await watchText(cell, { received: `"value":${rate}`, shown: String(rate) });
    const sent = Date.now();
    await monitor.send({ heart_rate: rate });
    tookFrames.push(await frames());
    tookMs.push(Date.now() - sent);
  }
  const p95 = (took: number[]) => took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.95)] ?? Number.NaN;
  console.log(`sample to screen: p95 ${p95(tookFrames)} animation frames, ${p95(tookMs)} ms`);
  expect(tookFrames).not.toContain(Number.NaN);
  expect(p95(tookFrames)).toBeLessThanOrEqual(MAX_FRAMES);
  if (isLong) expect(p95(tookMs)).toBeLessThanOrEqual(1_000);
});

test("a line that is cut: a bar, and every value stale, within 5 s; live again when it is back", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await monitor.send(NORMAL_VALUES);
  const page = await open(nurse, { path: "/ward", before: probe });
  await openBoard(page, patient);
  await expect(vitalCell(page, patient, "spo2")).toHaveAttribute("data-state", "live");
  await expect(vitalCell(page, patient, "news2")).toHaveText("0");
  const isLostInTime = await watchForLoss(page);
  await page.context().setOffline(true);
  await isLostInTime();
  expect(await readCellStates(page, patient)).toEqual(ALL_STALE);
  await expect(vitalCell(page, patient, "news2")).not.toHaveText(/\d/);
  await page.context().setOffline(false);
  await expectLive(page);
  await expect(connectionLostBanner(page)).toHaveCount(0);
  await monitor.send({ ...NORMAL_VALUES, heart_rate: 81 });
  await expect(vitalCell(page, patient, "heart_rate")).toHaveText(/^81/);
  await expect(vitalCell(page, patient, "heart_rate")).toHaveAttribute("data-state", "live");
});

test("a half-open connection: a bar, and every value stale, within 5 s", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await monitor.send(NORMAL_VALUES);
  const line = { drops: false };
  const page = await open(nurse, {
    path: "/ward",
    before: async (page) => {
      await page.routeWebSocket(/\/live\?/, (socket) => {
        const server = socket.connectToServer();
        const dropped = line.drops;
        socket.onMessage((message) => (line.drops && !dropped ? undefined : server.send(message)));
        server.onMessage((message) => (line.drops && !dropped ? undefined : socket.send(message)));
      });
      // Registered after it, so that the probe sees the messages that are let through.
      await probe(page);
    },
  });
  await openBoard(page, patient);
  await expect(vitalCell(page, patient, "spo2")).toHaveAttribute("data-state", "live");
  const isLostInTime = await watchForLoss(page);
  line.drops = true;
  await isLostInTime();
  expect(await readCellStates(page, patient)).toEqual(ALL_STALE);
  // The next socket works normally.
  await expectLive(page);
  await expect(connectionLostBanner(page)).toHaveCount(0);
});

const tileOf = (page: Page, name: string) => page.locator("li[data-state]").filter({ hasText: name });

test("one vital that falls silent turns stale alone and the score loses its number, on board, patient's page and list", async ({
  open,
  world,
  nurse,
}) => {
  test.setTimeout(patiently(120_000));
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const { ward_id } = (
    await world.admin.ask("/wards", { json: { name: `Ward ${patient.number}`, hospital_id: world.hospital.hospital_id } })
  ).data;
  await world.admin.ask(`/wards/${ward_id}/alert-rules/${CODES.spo2}`, { method: "PUT", json: { silence_s: 30 } });
  await world.clerk.ask(`/patients/${patient.id}`, {
    method: "PATCH",
    json: { ward_id },
    headers: { "If-Match": '"1"' },
  });
  const unknown = await world.newPatient();
  const page = await open(nurse, { path: `/ward?ward=${ward_id}` });
  const chart = await page.context().newPage();
  await chart.goto(`/patients/${patient.id}`);
  const list = await page.context().newPage();
  await list.goto("/patients?show=monitored");
  await openBoard(page, patient);
  let sent = 0;
  // A value received more than 7.5 s ago is late.
  await expect(async () => {
    sent = Date.now();
    await monitor.send(NORMAL_VALUES);
    await Promise.all([
      expect(vitalCell(page, patient, "news2")).toHaveText("0"),
      expect(tileOf(chart, "Oxygen saturation")).toHaveAttribute("data-state", "live", { timeout: 5_000 }),
      expect(patientRow(list, patient).getByRole("cell").nth(3)).toHaveText("0"),
    ]);
  }).toPass();
  const { spo2: _, ...others } = NORMAL_VALUES;
  await expect(async () => {
    await monitor.send(others);
    await expect(vitalCell(page, patient, "spo2")).toHaveAttribute("data-state", "stale", { timeout: 3_000 });
  }).toPass({ timeout: 60_000, intervals: [0] });
  expect(Date.now() - sent).toBeGreaterThan(30_000);
  expect(await readCellStates(page, patient)).toEqual({
    heart_rate: "live",
    respiratory_rate: "live",
    spo2: "stale",
    blood_pressure: "live",
    temperature: "live",
    updated: "live",
  });
  await expect(vitalCell(page, patient, "news2").locator("[data-not-current]")).toHaveText("0");
  await expect(tileOf(chart, "Oxygen saturation")).toHaveAttribute("data-state", "stale");
  await expect(tileOf(chart, "Oxygen saturation")).toContainText(/No data for \d/);
  for (const name of ["Heart rate", "Respiratory rate", "Blood pressure", "Temperature"]) {
    await expect(tileOf(chart, name)).toHaveAttribute("data-state", /^(live|late)$/);
  }
  await expect(patientRow(list, patient).getByRole("cell").nth(3).locator("[data-not-current]")).toHaveText("0");
  await expect(patientRow(list, unknown)).toContainText("No data yet");
  await chart.goto(`/patients/${unknown.id}`);
  await expect(tileOf(chart, "Heart rate")).toContainText("Not measured yet");
  const states = await chart
    .locator("li[data-state]")
    .evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute("data-state")));
  expect(new Set(states)).toEqual(new Set(["missing"]));
});

test("zero is 0, the impossible is struck through and not scored, and nothing is never drawn as live", async ({
  open,
  world,
  nurse,
}) => {
  const [still, odd, unknown] = [await world.newPatient(), await world.newPatient(), await world.newPatient()];
  await (await world.newMonitor(still)).send({ ...NORMAL_VALUES, heart_rate: 0 });
  const { spo2: _, ...others } = NORMAL_VALUES;
  await (await world.newMonitor(odd)).send({ ...others, spo2: 104 });
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, still, odd, unknown);
  await expect(vitalCell(page, still, "heart_rate")).toHaveText(/^0/);
  await expect(vitalCell(page, still, "alarm")).toContainText("HIGH");
  await expect(vitalCell(page, odd, "spo2")).toHaveAttribute("data-state", "invalid");
  await expect(vitalCell(page, odd, "spo2").locator("del")).toHaveText("104");
  await expect(vitalCell(page, odd, "spo2")).toContainText("invalid");
  await expect(vitalCell(page, odd, "news2")).not.toHaveText(/^\d/);
  expect(new Set(Object.values(await readCellStates(page, unknown)))).toEqual(new Set(["missing"]));
  await expect(vitalCell(page, unknown, "heart_rate")).toContainText("⋯");
  // Unknown has priority over normal.
  const names = await page.locator("[data-row]").allTextContents();
  const calm = await world.newPatient();
  await (await world.newMonitor(calm)).send(NORMAL_VALUES);
  await expect(patientRow(page, calm)).toBeVisible({ timeout: 20_000 });
  await expect(async () => {
    const order = await page.locator("[data-row]").allTextContents();
    expect(order.indexOf(unknown.name)).toBeLessThan(order.indexOf(calm.name));
    expect(order.indexOf(still.name)).toBeLessThan(order.indexOf(unknown.name));
  }).toPass({ timeout: 20_000 });
  expect(names).toContain(unknown.name);
});

for (const hours of [-1, 1]) {
  test(`a PC clock that is ${hours} h off changes no age`, async ({ open, world, nurse }) => {
    const patient = await world.newPatient();
    await (await world.newMonitor(patient)).send(NORMAL_VALUES);
    const page = await open(nurse, {
      path: "/ward",
      before: (page) =>
        page.addInitScript((offset) => {
          const RealDate = Date;
          window.Date = class extends RealDate {
            constructor(...args: [] | [number | string]) {
              if (args.length === 0) super(RealDate.now() + offset);
              else super(...args);
            }
            static override now = () => RealDate.now() + offset;
          } as DateConstructor;
        }, hours * 3_600_000),
    });
    await openBoard(page, patient);
    await expect(vitalCell(page, patient, "updated")).toHaveText(/^\d+ s$/);
    await expect(vitalCell(page, patient, "updated")).toHaveAttribute("data-state", "live");
    await expect(vitalCell(page, patient, "news2")).toHaveText("0");
  });
}

test("rows stay where they are under the pointer, and say how many would move", async ({ open, world, nurse }) => {
  const [first, second] = [await world.newPatient(), await world.newPatient()];
  const monitors = [await world.newMonitor(first), await world.newMonitor(second)] as const;
  for (const monitor of monitors) await monitor.send(NORMAL_VALUES);
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, first, second);
  const order = () => page.locator("[data-row]").allTextContents();
  await patientRow(page, first).hover();
  const before = await order();
  await monitors[1].send({ ...NORMAL_VALUES, spo2: 84 });
  await expect(vitalCell(page, second, "alarm")).toContainText("HIGH");
  expect(await order()).toEqual(before);
  await expect(page.getByText(/\d moved, reorder/)).toBeVisible();
  await page.mouse.move(5, 5);
  await expect.poll(async () => (await order()).indexOf(second.name) < (await order()).indexOf(first.name)).toBe(true);
});
