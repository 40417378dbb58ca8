// Preview of limits: the form shows the server's counts, and the server counts all recorded values.
import type { Locator, Page } from "@playwright/test";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { expect, test, waitForPage } from "./portal.ts";
import type { Patient, World } from "./world.ts";

const MINUTE = 60_000;
/** Of an adult; alarms start at the value without delay (docs/alarms.md). */
const HIGH = 110;
const CALM = 75;
/** Each for twenty minutes, with normal values between them, over half a day. */
const PEAKS = [98, 113, 96, 118, 98, 112, 104];

/** Readings of a cuff every ten minutes. */
function measured(): { value: number; at: number }[] {
  const values = PEAKS.flatMap((peak) => [CALM, CALM, CALM, peak, peak]).concat(CALM);
  const start = Date.now() - values.length * 10 * MINUTE;
  return values.map((value, i) => ({ value, at: start + i * 10 * MINUTE }));
}

/** Alarms of a high limit: how often the value reaches it. */
const risesTo = (limit: number): number =>
  measured().filter(({ value }, i, all) => value >= limit && (all[i - 1]?.value ?? 0) < limit).length;

async function withPressures(world: World): Promise<Patient> {
  const patient = await world.newPatient();
  const samples = measured().map((sample) => ({ vital: "diastolic" as const, ...sample }));
  await world.writeDown(patient, samples);
  return patient;
}

type Counts = { before: { alarms: number }; after: { alarms: number } };
const tried = async ({ clerk }: World, { id }: Patient, limits: object): Promise<Counts> =>
  (await clerk.ask(`/patients/${id}/alert-rules/preview`, { json: { code: CODES.diastolic, limits } })).data;

/** Opens the form with another high limit and waits for its preview. */
async function ask(page: Page, limit: number): Promise<Locator> {
  await page.getByRole("button", { name: "Change limits: Diastolic blood pressure" }).click();
  await page.getByLabel("High limit: source", { exact: true }).selectOption("own");
  await page.getByLabel("High limit: custom value", { exact: true }).fill(String(limit));
  await page.getByRole("button", { name: "Review" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("table")).toBeVisible();
  return dialog;
}

const totals = (dialog: Locator): Promise<string[]> =>
  dialog.getByRole("row").filter({ hasText: "Total" }).getByRole("cell").allTextContents();

const CHANGES = [
  { limit: 115, title: "raise the high limit from 110 to 115?", said: "It would have hidden 2 alarms in 24 h." },
  { limit: 95, title: "lower the high limit from 110 to 95?", said: "It would have added 4 alarms in 24 h." },
  { limit: 112, title: "raise the high limit from 110 to 112?", said: "The number of alarms in 24 h stays the same: 3." },
] as const;

test("what the form says of other limits is what the server counts, and what a recount finds", async ({ open, world, nurse }) => {
  const patient = await withPressures(world);
  expect([HIGH, 115, 95, 112].map(risesTo)).toEqual([3, 1, 7, 3]);
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  for (const { limit, title, said } of CHANGES) {
    const dialog = await ask(page, limit);
    await expect(page.getByRole("dialog", { name: `Diastolic blood pressure: ${title}` })).toBeVisible();
    await expect(dialog).toContainText(said);
    const { before, after } = await tried(world, patient, { high: limit });
    expect(await totals(dialog)).toEqual([String(before.alarms), String(after.alarms)]);
    expect([before.alarms, after.alarms]).toEqual([risesTo(HIGH), risesTo(limit)]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  // The preview has saved nothing.
  const { rules } = (await world.clerk.ask(`/patients/${patient.id}/alert-rules`)).data;
  expect(rules.find(({ code }: { code: string }) => code === CODES.diastolic)).toMatchObject({ limits: { high: HIGH } });
});

test("the preview also matches when own limits are reset, and when they are saved", async ({ open, world, nurse }) => {
  const patient = await withPressures(world);
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  const dialog = await ask(page, 115);
  await dialog.getByRole("button", { name: "Raise limit" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Reset limits to default: Diastolic blood pressure" }).click();
  const question = page.getByRole("dialog", { name: "Diastolic blood pressure: reset limits to default?" });
  await expect(question).toContainText("It would have added 2 alarms in 24 h.");
  const { before, after } = await tried(world, patient, { high: HIGH });
  expect(await totals(question)).toEqual([String(before.alarms), String(after.alarms)]);
  expect([before.alarms, after.alarms]).toEqual([risesTo(115), risesTo(HIGH)]);
});
