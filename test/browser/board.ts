// Reads the ward board in tests.
import { expect, type Locator, type Page } from "@playwright/test";
import { waitForPage } from "./portal.ts";
import { watchAlert } from "./probe.ts";
import type { Patient } from "./world.ts";

const COLUMNS = [
  "news2",
  "heart_rate",
  "respiratory_rate",
  "spo2",
  "blood_pressure",
  "temperature",
  "trend",
  "updated",
  "due",
  "alarm",
] as const;
type Column = (typeof COLUMNS)[number];

export const patientRow = (page: Page, { name }: Patient): Locator => page.getByRole("row").filter({ hasText: name });
export const vitalCell = (page: Page, patient: Patient, column: Column): Locator =>
  patientRow(page, patient).locator("td").nth(COLUMNS.indexOf(column));

/** The state of each cell of a row: live, late, stale, missing or invalid. */
export async function readCellStates(page: Page, patient: Patient): Promise<Record<string, string | null>> {
  const columns = ["heart_rate", "respiratory_rate", "spo2", "blood_pressure", "temperature", "updated"] as const;
  const found = await Promise.all(
    columns.map(async (column) => [column, await vitalCell(page, patient, column).getAttribute("data-state")] as const),
  );
  return Object.fromEntries(found);
}

const LOST = "Values are not live";
/** The page has one heartbeat per second and reports a lost connection after four silent ones: at the fifth or sixth. */
const MAX_BEATS = 6;
export const connectionLostBanner = (page: Page): Locator => page.getByRole("alert").filter({ hasText: LOST });

/** Watches a probed page. @returns a function that waits for the connection bar within five seconds */
export async function watchForLoss(page: Page): Promise<() => Promise<void>> {
  const beats = await watchAlert(page, LOST);
  return async () => {
    expect(await beats()).toBeLessThanOrEqual(MAX_BEATS);
    await expect(connectionLostBanner(page)).toBeVisible();
  };
}

/** Waits until the board shows this patient and is connected. */
export async function openBoard(page: Page, ...patients: readonly Patient[]): Promise<void> {
  await waitForPage(page);
  for (const patient of patients) await expect(patientRow(page, patient)).toBeVisible();
  await expectLive(page);
}

const pill = (page: Page): Locator =>
  page
    .getByRole("banner")
    .getByRole("status")
    .filter({ hasText: /(^|\s)Live$/ });
export const expectLive = (page: Page): Promise<void> => expect(pill(page)).toBeVisible();
