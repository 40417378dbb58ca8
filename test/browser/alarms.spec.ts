// Alarms for a nurse: visible, audible, acknowledged once, and never shown as acknowledged when they are not.
import type { Page } from "@playwright/test";
import { TONES } from "../../portal/src/monitoring/alerts/sound-rules.ts";
import { installAudioProbe, recordedTones } from "./audio-probe.ts";
import { openBoard, patientRow, vitalCell } from "./board.ts";
import { isLong, patiently, within } from "./extent.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { probe, watchText } from "./probe.ts";
import { startSimulator } from "./simulator.ts";
import { desaturate, NORMAL_VALUES, newWorld } from "./world.ts";

/** Oscillators of one burst of a high alarm: ten pulses of three overtones. */
const BURST = 30;
/** Animation frames from the alarm's message until it is visible and announced. */
const MAX_FRAMES = 5;

const acknowledgeOf = (page: Page, patient: { name: string; id: string; number: number; birth: string }) =>
  patientRow(page, patient).getByRole("button", { name: /^Acknowledge/ });

test("a patient becomes septic: an alarm on the board, seen, acknowledged, and over when the patient is better", async ({
  open,
  world,
  nurse,
}) => {
  test.setTimeout(patiently(300_000));
  const patients = [];
  for (let i = 0; i < 3; i++) patients.push(await world.newPatient());
  const [septic, well] = patients;
  if (!septic || !well) throw new Error("no patients");
  const monitor = await world.newMonitor(septic);
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, septic);
  // One run per patient: other tests create patients meanwhile, so these numbers need not be consecutive.
  const simulators = patients.map(({ number }) => {
    const scenario = number === septic.number ? "sepsis" : "stable";
    const args = ["--patients", "1", "--rate", "2", "--start-id", String(number), "--scenario", scenario, "--seed", "1"];
    return startSimulator(world.people.clerk, args);
  });
  try {
    await expect(vitalCell(page, septic, "alarm")).toContainText(/HIGH|MED/, { timeout: 120_000 });
  } finally {
    for (const simulator of simulators) {
      await simulator.stop();
      await test.info().attach("simulator", { body: simulator.output() });
    }
  }
  await expect(vitalCell(page, well, "alarm")).toBeEmpty();
  const order = await page.locator("[data-row]").allTextContents();
  expect(order.indexOf(septic.name)).toBeLessThan(order.indexOf(well.name));
  await expect(async () => {
    await acknowledgeOf(page, septic).click({ timeout: 2_000 });
    await expect(acknowledgeOf(page, septic)).toHaveCount(0, { timeout: 2_000 });
  }).toPass();
  await expect(vitalCell(page, septic, "alarm")).toContainText(/✓ \d\d:\d\d you/);
  // The list is read from the database, which the patient's object delivers to after it has answered.
  const listAlerts = async () => (await world.clerk.ask(`/alerts?patient_id=${septic.id}`)).data;
  await expect(async () => {
    for (const alert of await listAlerts()) expect(alert).toMatchObject({ state: "acknowledged", acknowledged_by: nurse.id });
  }).toPass();

  // Limit alarms end by themselves at most 15 s after the first normal value. A score alarm would after five minutes, so the
  // nurse resolves it.
  await monitor.send(NORMAL_VALUES);
  for (const { alert_id } of (await listAlerts()).filter(({ rule }: { rule: string }) => rule === "news2")) {
    await page.goto(`/alarms/${alert_id}`);
    await page.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Resolve alarm" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  await page.goto("/ward");
  await openBoard(page, septic);
  await expect(vitalCell(page, septic, "alarm")).not.toContainText(/HIGH|MED/, { timeout: 60_000 });
});

test("two nurses acknowledge: both see who was first", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const colleague = await world.newPerson("nurse");
  const [mine, theirs] = [await open(nurse, { path: "/ward" }), await open(colleague, { path: "/ward" })];
  await openBoard(mine, patient);
  await openBoard(theirs, patient);
  await desaturate(monitor);
  await expect(acknowledgeOf(theirs, patient)).toBeVisible();
  await acknowledgeOf(mine, patient).click();
  await expect(vitalCell(mine, patient, "alarm")).toContainText(/✓/);
  await expect(vitalCell(theirs, patient, "alarm")).toContainText(new RegExp(`✓ \\d\\d:\\d\\d ${nurse.name}`));
  await expect(acknowledgeOf(theirs, patient)).toHaveCount(0);
});

test("an alarm is assigned, commented, snoozed and resolved on its page, and its history shows each action", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  await desaturate(await world.newMonitor(patient));
  const raised = async () => (await world.clerk.ask(`/alerts?patient_id=${patient.id}`)).data[0]?.alert_id;
  await expect.poll(raised).toBeTruthy();
  const page = await open(nurse, { path: `/alarms/${await raised()}` });
  await waitForPage(page);
  await page.getByRole("button", { name: "Assign" }).click();
  await page.getByRole("menuitem", { name: "To me" }).click();
  await expect(page.getByText("Assigned to you")).toBeVisible();
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await page.getByRole("textbox", { name: "Comment" }).fill("Probe moved to the other hand");
  await page.getByRole("button", { name: "Add comment" }).click();
  await expect(page.getByText("Probe moved to the other hand").last()).toBeVisible();
  await page.getByRole("button", { name: "Snooze" }).click();
  await page.getByRole("menuitem").first().click();
  await expect(page.getByText(/Snoozed until/).first()).toBeVisible();
  const told = (await world.clerk.ask(`/alerts/${await raised()}`)).data;
  expect(told).toMatchObject({ assigned_to: nurse.id, snoozed_until: expect.any(String) });
  await page.getByRole("button", { name: "Resolve", exact: true }).click();
  await page.getByRole("dialog", { name: "Resolve this alarm?" }).getByRole("button", { name: "Resolve alarm" }).click();
  const history = page.locator("main li:has(time)");
  for (const [i, what] of ["Raised", "Assigned · you", "Comment · you", "Snoozed · you", "Closed · you"].entries()) {
    await expect(history.nth(i)).toContainText(what);
  }
});

test("an acknowledgement without a response leaves the alarm active and shows an error within five seconds", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await desaturate(monitor);
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, patient);
  // Neither a response nor an error: the request hangs.
  await page.route("**/acknowledge", () => undefined);
  await acknowledgeOf(page, patient).click();
  const said = page.getByText("Not acknowledged: no response from the server. The alarm is still open.");
  await expect(said).toBeVisible(within(6_000));
  await expect(vitalCell(page, patient, "alarm")).toContainText("HIGH");
  await expect(vitalCell(page, patient, "alarm")).not.toContainText("you");
  const [alert] = (await world.clerk.ask(`/alerts?patient_id=${patient.id}`)).data;
  expect(alert.state).toBe("active");
  await page.unroute("**/acknowledge");
  await acknowledgeOf(page, patient).click();
  await expect(said).toHaveCount(0);
  await expect
    .poll(async () => (await world.clerk.ask(`/alerts/${alert.alert_id}`)).data)
    .toMatchObject({ state: "acknowledged", acknowledged_by: nurse.id });
});

test("a high alarm that ends unacknowledged stays listed until it is acknowledged", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, patient);
  await desaturate(monitor);
  await expect(vitalCell(page, patient, "alarm")).toContainText("HIGH");
  // A normal value that persists for 15 s ends the alarm.
  await monitor.send(NORMAL_VALUES);
  await expect(vitalCell(page, patient, "alarm")).toContainText(/Recovered/, { timeout: 60_000 });
  await acknowledgeOf(page, patient).click();
  await expect(vitalCell(page, patient, "alarm")).not.toContainText("HIGH");
});

test("a new high alarm is shown, announced to screen readers and sounded at once and repeatedly, by one of two tabs", async ({
  open,
}) => {
  // A hospital without other alarms, which would already sound.
  const world = await newWorld();
  const { nurse } = world.people;
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const page = await open(nurse, {
    path: "/ward",
    before: async (page) => {
      await installAudioProbe(page.context());
      await probe(page.context());
    },
  });
  await openBoard(page, patient);
  await allowSound(page);
  const other = await page.context().newPage();
  await other.goto("/alarms");
  await waitForPage(other);
  await page.bringToFront();
  const received = '"type":"alert"';
  const signs = [
    await watchText(vitalCell(page, patient, "alarm"), { received, shown: "HIGH" }),
    await watchText(page.locator("[aria-live=assertive]"), { received, shown: "SpO₂" }),
  ];
  const sent = Date.now();
  await desaturate(monitor);
  const sounded = async () => [await pulsesOf(page), await pulsesOf(other)];
  await expect.poll(async () => Math.max(...(await sounded()))).toBeGreaterThanOrEqual(BURST);
  const took = Date.now() - sent;
  for (const frames of signs) expect(await frames()).toBeLessThanOrEqual(MAX_FRAMES);
  if (isLong) expect(took).toBeLessThanOrEqual(2_000);
  // Two bursts, in one tab.
  await expect.poll(async () => Math.max(...(await sounded())), { timeout: 20_000 }).toBe(2 * BURST);
  expect(Math.min(...(await sounded()))).toBe(0);
});

test("blocked sound is reported before any alarm; a pause hides nothing, and a new high alarm ends it", async ({ open }) => {
  const world = await newWorld();
  const { nurse } = world.people;
  const [first, second] = [await world.newPatient(), await world.newPatient()];
  const monitors = [await world.newMonitor(first), await world.newMonitor(second)] as const;
  const page = await open(nurse, { path: "/ward", before: (page) => installAudioProbe(page, { blocked: true }) });
  await openBoard(page, first, second);
  await expect(page.getByRole("banner").getByRole("button", { name: /sound is blocked|Sound blocked/i })).toBeVisible();

  const able = await open(nurse, { path: "/ward", before: (page) => installAudioProbe(page) });
  await openBoard(able, first, second);
  await allowSound(able);
  await desaturate(monitors[0]);
  await expect.poll(() => pulsesOf(able)).toBeGreaterThan(0);
  await able.keyboard.press("Alt+Shift+M");
  await expect(able.getByText(/Paused until|paused on this device until/i).first()).toBeVisible();
  await expect(vitalCell(able, first, "alarm")).toContainText("HIGH");
  const paused = await pulsesOf(able);
  // Longer than the interval between two bursts.
  await able.waitForTimeout(TONES.high.everyMs + 1_000);
  expect(await pulsesOf(able)).toBe(paused);
  await desaturate(monitors[1]);
  await expect.poll(() => pulsesOf(able), within(3_000)).toBeGreaterThan(paused);
});

test("an acknowledged high alarm stays before a sensor's, and its text has the value now, the value when raised and the direction", async ({
  open,
  world,
  nurse,
}) => {
  // A child has no NEWS2, whose alarm would come first.
  const patient = await world.newPatient({ date_of_birth: "2016-03-04" });
  const monitor = await world.newMonitor(patient);
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, patient);
  await desaturate(monitor);
  const cell = vitalCell(page, patient, "alarm");
  await expect(cell).toContainText("HIGH");
  const list = await page.context().newPage();
  await list.goto("/alarms");
  const card = list.getByRole("article").filter({ hasText: patient.name });
  await expect(card).toContainText(/marked overdue in \d+:\d\d;/);
  await acknowledgeOf(page, patient).click();
  await expect(cell).toContainText(/✓/);
  await monitor.send({ spo2: 79 }, 0, ["leads_off"]);
  await expect(cell).toContainText(/\+\d more, 1 new/);
  await expect(cell).toContainText("HIGH");
  await expect(cell).not.toContainText("SENSOR");
  const text = /^SpO₂ 79 % now, 84 % when raised, down 5, critical limit \d+$/;
  await expect(cell.getByTitle(text)).toBeVisible();
  await list.goto("/alarms?state=acknowledged");
  await expect(card.getByRole("link", { name: text })).toBeVisible();
  await list.goto(`/patients/${patient.id}`);
  const line = list.getByRole("list", { name: "Open alarms" }).getByRole("listitem").first();
  await expect(line.getByRole("link", { name: text })).toBeVisible();
  await list.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await expect(list.getByText(/^SpO₂ अब 79 %, अलार्म के समय 84 %, 5 घटा/)).toBeVisible();
});

test("a new alarm flashes less than three times a second, and not at all where motion is reduced", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  await desaturate(await world.newMonitor(patient));
  const page = await open(nurse, { path: "/ward" });
  await openBoard(page, patient);
  const badge = vitalCell(page, patient, "alarm").locator("[data-flashing=true]");
  await expect(badge).toBeVisible();
  const durations = () =>
    badge.evaluate((element) => element.getAnimations({ subtree: true }).map((one) => Number(one.effect?.getTiming().duration)));
  const flashing = await durations();
  expect(flashing.length).toBeGreaterThan(0);
  for (const duration of flashing) expect(1_000 / duration).toBeLessThan(3);
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await durations()).toEqual([]);
  expect(await badge.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe("solid");
  await expect(vitalCell(page, patient, "alarm")).toContainText("NEW");
});

const pulsesOf = async (page: Page): Promise<number> => (await recordedTones(page)).length;

/** The click that a browser requires before a page may play sound. */
async function allowSound(page: Page): Promise<void> {
  const button = page.getByRole("banner").getByRole("button", { name: /Turn on|sound is blocked|Sound blocked/i });
  if (await button.isVisible()) await button.click();
}
