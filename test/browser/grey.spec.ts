// Alarm urgency without colour perception.
import type { Page } from "@playwright/test";
import { toMeasurement } from "../../cli/simulate/source.ts";
import { withToken } from "./api.ts";
import { openBoard, vitalCell } from "./board.ts";
import { analyzePicture, contrastRatio, shapeDifference } from "./picture.ts";
import { expect, test } from "./portal.ts";
import { desaturate, NORMAL_VALUES, type Patient, type World } from "./world.ts";

const PRIORITIES = ["high", "medium", "low", "technical"] as const;
const MINUTE = 60_000;
const READABLE = 4.5;
/** Minimum share of cells in which two shapes must differ. */
const APART = 0.08;

/** Four patients, each with one alarm of a different priority. */
async function alarmed(world: World, wardId: string): Promise<Patient[]> {
  const patients: Patient[] = [];
  for (const _ of PRIORITIES) patients.push(await world.newPatient({ ward_id: wardId }));
  const [high, medium, low, technical] = patients;
  if (!high || !medium || !low || !technical) throw new Error("no patients");
  await desaturate(await world.newMonitor(high));
  await (await world.newMonitor(medium)).send({ ...NORMAL_VALUES, diastolic: 112 });
  // Half an hour far from the usual values of hours, but always within the limits.
  const now = Date.now();
  const hours = Array.from({ length: 240 }, (_, i) => ({ at: now - (240 - i) * MINUTE, value: i < 205 ? 72 : 108 }));
  await world.writeDown(
    low,
    hours.map(({ at, value }) => ({ vital: "heart_rate", value, at })),
  );
  const { token } = await world.newMonitor(technical);
  const sample = { ...toMeasurement("heart_rate", 72), effective_at: new Date().toISOString() };
  await withToken(token).ask("/observations", { json: { samples: [sample], conditions: ["leads_off"] } });
  return patients;
}

test("without colours each priority has its own shape and word, and can be read, in both themes", async ({
  open,
  world,
  nurse,
}) => {
  const ward = await world.newWard("Ward of all alarms");
  const patients = await alarmed(world, ward.id);
  const page = await open(nurse, { path: ward.path, context: { deviceScaleFactor: 4 } });
  await openBoard(page, ...patients);
  const badges = PRIORITIES.map((priority, i) => {
    const patient = patients[i];
    if (!patient) throw new Error("no patient");
    return vitalCell(page, patient, "alarm").locator(`[data-priority=${priority}]`);
  });
  for (const badge of badges) await expect(badge).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await seeGrey(page, false);
    const coloured = await analyzePicture(page.context(), page.locator("[data-priority=high]").last());
    expect(coloured.isGrey).toBe(false);
    await seeGrey(page, true);
    const words: (string | null)[] = [];
    const shapes: string[] = [];
    for (const badge of badges) {
      const whole = await analyzePicture(page.context(), badge);
      expect(whole.isGrey).toBe(true);
      expect(contrastRatio(whole.ink, whole.ground)).toBeGreaterThanOrEqual(READABLE);
      const shape = badge.locator("span").first();
      shapes.push((await analyzePicture(page.context(), shape)).shape);
      words.push(await badge.textContent());
    }
    expect(words.map((text) => /HIGH|MED|LOW|SENSOR/.exec(text ?? "")?.[0])).toEqual(["HIGH", "MED", "LOW", "SENSOR"]);
    for (const [i, one] of shapes.entries()) {
      for (const other of shapes.slice(i + 1)) expect(shapeDifference(one, other), `${one}\n${other}`).toBeGreaterThan(APART);
    }
  }
});

async function seeGrey(page: Page, grey: boolean): Promise<void> {
  const tools = await page.context().newCDPSession(page);
  await tools.send("Emulation.setEmulatedVisionDeficiency", { type: grey ? "achromatopsia" : "none" });
  if (!grey) await tools.detach();
}
