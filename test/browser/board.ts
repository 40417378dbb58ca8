// The board of a ward, as tests read it.
import { expect, type Locator, type Page } from "@playwright/test";
import { waitForPage } from "./portal.ts";
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
  "alarm",
] as const;
type Column = (typeof COLUMNS)[number];

export const patientRow = (page: Page, { name }: Patient): Locator => page.getByRole("row").filter({ hasText: name });
export const vitalCell = (page: Page, patient: Patient, column: Column): Locator =>
  patientRow(page, patient).locator("td").nth(COLUMNS.indexOf(column));

/** What each cell of a row is: live, late, stale, missing or invalid. */
export async function readCellStates(page: Page, patient: Patient): Promise<Record<string, string | null>> {
  const columns = ["heart_rate", "respiratory_rate", "spo2", "blood_pressure", "temperature", "updated"] as const;
  const found = await Promise.all(
    columns.map(async (column) => [column, await vitalCell(page, patient, column).getAttribute("data-state")] as const),
  );
  return Object.fromEntries(found);
}

export const connectionLostBanner = (page: Page): Locator => page.getByRole("alert").filter({ hasText: "Numbers are not live" });

/** The board with this patient on it, and the line up. */
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
