// Observations due: a nurse sees whose set is due, records a refusal and a pause, and sees the new due time without a reload.
import { expect, test, waitForPage } from "./portal.ts";
import { NORMAL_VALUES } from "./world.ts";

const VITALS = [
  "heart_rate",
  "spo2",
  "respiratory_rate",
  "systolic",
  "diastolic",
  "temperature",
  "consciousness",
  "inspired_oxygen",
] as const;

test("a nurse sees who is due, and a refusal and a pause move it", async ({ open, world, nurse }) => {
  const { clerk, newPatient, ward } = world;
  const [never, charted] = [await newPatient(), await newPatient()];
  const at = Date.now();
  await world.writeDown(
    charted,
    VITALS.map((vital) => ({ vital, value: NORMAL_VALUES[vital] ?? 0, at })),
  );
  const page = await open(nurse, { path: `/ward/due?ward=${ward.ward_id}` });
  await waitForPage(page);
  const row = (name: string) => page.getByRole("row").filter({ hasText: name });
  await expect(row(never.name)).toContainText("never charted");
  await expect(row(charted.name)).toContainText(/due \d\d:\d\d/);
  const names = await page.locator("tbody th").allTextContents();
  const placeOf = (name: string) => names.findIndex((text) => text.includes(name));
  expect(placeOf(never.name)).toBeLessThan(placeOf(charted.name));

  const json = { effective_at: new Date().toISOString(), samples: [], confirmed_score: null, partial_reason: "refused" };
  await clerk.ask(`/patients/${never.id}/observation-sets`, { json });
  await expect(row(never.name)).toContainText("refused");
  await expect(row(never.name)).toContainText(/due \d\d:\d\d/);

  await row(never.name).getByRole("link", { name: never.name, exact: true }).click();
  await page.getByRole("button", { name: "Pause observations" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("alert")).toContainText("Still open: due");
  await dialog.getByLabel("Reason").selectOption("dialysis");
  await dialog.getByRole("button", { name: "Pause observations" }).click();
  await expect(page.getByText(/paused until \d\d:\d\d, dialysis/)).toBeVisible();
  await page.goto(`/ward?ward=${ward.ward_id}`);
  await expect(row(never.name)).toContainText(/paused to \d\d:\d\d/);
  await clerk.ask(`/patients/${never.id}/observation-pause`, { method: "DELETE" });
  await expect(row(never.name)).toContainText("due now");
});
