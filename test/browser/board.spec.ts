// The ward board: forty patients on one screen, stale and missing values on every page, changed limits, and any time of day.
import type { Page } from "@playwright/test";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { expectLive, openBoard, readCellStates, vitalCell } from "./board.ts";
import { patiently, within } from "./extent.ts";
import { findOverflows } from "./overflow-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { desaturate, NORMAL_VALUES, newFullWard, type Patient } from "./world.ts";

const PATIENTS = 40;
const SCREENS = [
  { width: 1920, height: 1080 },
  { width: 1366, height: 768 },
] as const;
const LANGUAGES = { hi: "हिन्दी", en: "English" } as const;
/** A heart rate limit that also moves the critical limit. */
const HIGHER = { high: 135, critical_high: 140 };

test("forty patients without scrolling, on a large and a small screen, in both languages", async ({ open }) => {
  test.setTimeout(patiently(240_000));
  const { world, beds } = await newFullWard(PATIENTS);
  const [own, silent, odd, ill, seen, unknown, ...calm] = beds;
  if (!own || !silent || !odd || !ill || !seen || !unknown) throw new Error("no patients");
  const limit = (patient: Patient, code: string, json: object) =>
    world.clerk.ask(`/patients/${patient.id}/alert-rules/${code}`, { method: "PUT", json });
  await silent.monitor.send({ ...NORMAL_VALUES, systolic: 181, diastolic: 111 });
  for (const { patient } of [own, silent]) {
    await limit(patient, CODES.heart_rate, { ...HIGHER, silence_s: 30 });
    await limit(patient, CODES.systolic, { low: 95, high: 190 });
    await limit(patient, CODES.diastolic, { high: 115 });
    await limit(patient, CODES.temperature, { high: 38.5 });
  }
  await desaturate(ill.monitor);
  await desaturate(seen.monitor);
  await expect
    .poll(async () => (await world.clerk.ask(`/alerts?patient_id=${seen.patient.id}`)).data.length, { timeout: 20_000 })
    .toBeGreaterThan(0);
  for (const { alert_id } of (await world.clerk.ask(`/alerts?patient_id=${seen.patient.id}`)).data) {
    await world.clerk.ask(`/alerts/${alert_id}/acknowledge`, { method: "POST" });
  }
  const page = await open(world.people.nurse, { path: "/ward" });
  await waitForPage(page);
  await expect(page.locator("[data-row]")).toHaveCount(PATIENTS);
  await expectLive(page);
  for (const screen of SCREENS) {
    await page.setViewportSize(screen);
    for (const [language, label] of Object.entries(LANGUAGES)) {
      await page.getByRole("button", { name: label, exact: true }).first().click();
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      await own.monitor.send({ ...NORMAL_VALUES, heart_rate: 118, systolic: 188, diastolic: 112, temperature: 38.4 });
      await odd.monitor.send({ ...NORMAL_VALUES, spo2: 104 });
      await Promise.all(calm.map(({ monitor }) => monitor.send({ ...NORMAL_VALUES, heart_rate: 104 })));
      await expect(vitalCell(page, own.patient, "blood_pressure")).toContainText("✎");
      await expect(vitalCell(page, odd.patient, "spo2").locator("del")).toBeVisible();
      await expect(vitalCell(page, silent.patient, "heart_rate")).toHaveAttribute("data-state", "stale", { timeout: 35_000 });
      await expect(vitalCell(page, unknown.patient, "heart_rate")).toHaveAttribute("data-state", "missing");
      await expect(vitalCell(page, ill.patient, "alarm").getByRole("button")).toBeInViewport({ ratio: 1 });
      await expect(page.locator("tbody tr")).toHaveCount(PATIENTS);
      expect(await findOverflows(page), `${screen.width} ${language}`).toEqual([]);
    }
  }
  // Control: content that does not fit is detected.
  await page.setViewportSize({ width: 1366, height: 560 });
  expect((await findOverflows(page)).join()).toMatch(/scrolls by.*beyond the screen/);
});

const tileOf = (page: Page, name: string) => page.locator("li[data-state]").filter({ hasText: name });

test("changed limits appear beside the value at once, on the board and the patient's page, and disappear when reset", async ({
  open,
  world,
  nurse,
}) => {
  const ward = await world.newWard("Ward of moved limits");
  const [patient, other] = [await world.newPatient({ ward_id: ward.id }), await world.newPatient({ ward_id: ward.id })];
  const monitor = await world.newMonitor(patient);
  await (await world.newMonitor(other)).send(NORMAL_VALUES);
  const board = await open(nurse, { path: ward.path });
  await openBoard(board, patient, other);
  const page = await board.context().newPage();
  await page.goto(`/patients/${patient.id}`);
  await waitForPage(page);
  await monitor.send(NORMAL_VALUES);
  await expect(tileOf(page, "Heart rate")).toHaveAttribute("data-state", "live");
  const soon = within(2_000);
  const rate = vitalCell(board, patient, "heart_rate");
  await expect(rate).not.toContainText("✎");

  const own = `/patients/${patient.id}/alert-rules/${CODES.heart_rate}`;
  const { version } = (await world.clerk.ask(own, { method: "PUT", json: HIGHER })).data;
  await expect(rate).toContainText("✎ 40–135", soon);
  await expect(rate).toContainText("Patient limits: 40–135");
  await expect(tileOf(page, "Heart rate")).toContainText("✎ Patient limits: 40–135", soon);
  await expect(vitalCell(board, other, "heart_rate")).not.toContainText("✎");
  await expect(tileOf(page, "Temperature")).not.toContainText("✎");

  const whole = `/wards/${ward.id}/alert-rules/${CODES.respiratory_rate}`;
  const head = board.locator("thead th").filter({ hasText: "RR" });
  await expect(head).not.toContainText("✎");
  const put = (await world.admin.ask(whole, { method: "PUT", json: { high: 22 } })).data;
  await expect(head).toContainText("RR ✎", soon);
  await expect(tileOf(page, "Respiratory rate")).toContainText("Ward limits: 8–22", soon);

  await world.clerk.ask(own, { method: "DELETE", headers: { "If-Match": `"${version}"` } });
  await expect(rate).not.toContainText("✎", soon);
  await expect(tileOf(page, "Heart rate")).not.toContainText("✎", soon);
  await world.admin.ask(whole, { method: "DELETE", headers: { "If-Match": `"${put.version}"` } });
  await expect(head).not.toContainText("✎", soon);
  await expect(tileOf(page, "Respiratory rate")).not.toContainText("✎", soon);
});

type Seen = { day: number; offset: number; rate: string | null; updated: string | null; silent: string | null };

test("midnight and clocks that are put on or back change no freshness", async ({ open, world, nurse }) => {
  test.setTimeout(patiently(150_000));
  const ward = await world.newWard("Ward by night");
  const [watched, silent] = [await world.newPatient({ ward_id: ward.id }), await world.newPatient({ ward_id: ward.id })];
  const [monitor, once] = [await world.newMonitor(watched), await world.newMonitor(silent)];
  const page = await open(nurse, { context: { timezoneId: undefined } });
  const tools = await page.context().newCDPSession(page);
  const setZone = (timezoneId: string) => tools.send("Emulation.setTimezoneOverride", { timezoneId });
  await setZone("Etc/GMT-1");
  await page.goto(ward.path);
  await once.send(NORMAL_VALUES);
  const sent = Date.now();
  await monitor.send(NORMAL_VALUES);
  await openBoard(page, watched, silent);
  await expect(vitalCell(page, watched, "heart_rate")).toHaveAttribute("data-state", "live");
  // In this browser's time zone, midnight is some seconds away.
  await setZone(zoneWhereItIs(23 * 3_600 + 59 * 60 + 54));
  await page.evaluate(note, [watched.name, silent.name] as const);
  const sendFor = async (ms: number) => {
    for (const until = Date.now() + ms; Date.now() < until; await page.waitForTimeout(1_500)) await monitor.send(NORMAL_VALUES);
  };
  const midnight = () => page.evaluate(() => new Date().getHours() === 0);
  expect(await midnight()).toBe(false);
  while (!(await midnight())) await sendFor(1_500);
  await sendFor(3_000);
  // The clock is moved forward and back: the hour changes without time passing.
  for (const zone of ["Etc/GMT-1", "Etc/GMT-2", "Etc/GMT-1"]) {
    await setZone(zone);
    await sendFor(3_000);
  }
  const seen = await page.evaluate(() => (window as unknown as { seen: Seen[] }).seen);
  expect(new Set(seen.map(({ day }) => day)).size).toBeGreaterThan(1);
  expect(seen.map(({ offset }) => offset)).toEqual(expect.arrayContaining([-60, -120]));
  expect([...new Set(seen.map(({ rate }) => rate))]).toEqual(["live"]);
  for (const { updated } of seen) expect(updated).toMatch(/^\d s$/);
  // A silent patient's values age second by second, and for no other reason.
  const ages = seen.map(({ silent }) => secondsIn(silent));
  expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  expect(Math.abs((ages.at(-1) ?? 0) - (Date.now() - sent) / 1_000)).toBeLessThan(60);
  await expect
    .poll(() => readCellStates(page, silent), { timeout: 40_000 })
    .toMatchObject({ heart_rate: "late", temperature: "live" });
});

/** "47 s", "1 min" */
const secondsIn = (age: string | null): number => Number.parseInt(age ?? "", 10) * (age?.includes("min") ? 60 : 1);

/** @param seconds since local midnight, now */
function zoneWhereItIs(seconds: number): string {
  const now = Math.floor(Date.now() / 1_000) % 86_400;
  const ahead = ((((seconds - now + 43_200) % 86_400) + 86_400) % 86_400) - 43_200;
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const size = Math.abs(ahead);
  return `GMT${ahead < 0 ? "-" : "+"}${two(size / 3_600)}:${two((size / 60) % 60)}:${two(size % 60)}`;
}

/** In the page: records the text of two rows four times per second. */
function note([watched, silent]: readonly [string, string]): void {
  const seen: Seen[] = [];
  Object.assign(window, { seen });
  const cellsOf = (name: string) => {
    const link = [...document.querySelectorAll("[data-row]")].find(({ textContent }) => textContent === name);
    return link?.closest("tr")?.querySelectorAll("td");
  };
  const HEART_RATE = 1;
  const UPDATED = 7;
  setInterval(() => {
    const now = new Date();
    seen.push({
      day: now.getDate(),
      offset: now.getTimezoneOffset(),
      rate: cellsOf(watched)?.[HEART_RATE]?.getAttribute("data-state") ?? null,
      updated: cellsOf(watched)?.[UPDATED]?.textContent ?? null,
      silent: cellsOf(silent)?.[UPDATED]?.textContent ?? null,
    });
  }, 250);
}
