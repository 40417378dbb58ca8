// Held samples in the portal: filed for a patient, also after a lost response, or discarded, by those who may.
import type { Locator, Page } from "@playwright/test";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { withToken } from "./api.ts";
import { findFocusFault, tabTo } from "./focus-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import type { World } from "./world.ts";

/** Samples of a device that is assigned to nobody: one entry per request. */
async function sendHeld(device: { token: string }, ...values: number[]): Promise<void> {
  const samples = values.map((value, i) => ({
    ...{ code: CODES.heart_rate, value, unit: "/min" },
    effective_at: new Date(Date.now() - 60_000 * (i + 1)).toISOString(),
  }));
  const { data } = await withToken(device.token).ask("/observations", { json: { samples } });
  expect(data.results.map(({ status }: { status: string }) => status)).toEqual(values.map(() => "quarantined"));
}

const samplesOf = async ({ clerk }: World, id: string): Promise<number[]> =>
  (await clerk.ask(`/patients/${id}/observations?limit=100`)).data.map(({ value }: { value: number }) => value).sort();
const entry = (table: Locator, measurements: string) =>
  table.getByRole("checkbox", { name: new RegExp(`^Choose: received .*, ${measurements}$`) });

test("a nurse files one entry for a patient and discards another whose response is lost", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const device = await world.newDevice(null, "wearable");
  await sendHeld(device, 91, 92);
  await sendHeld(device, 191);
  const page = await open(nurse, { path: "/uploads" });
  await page.getByRole("link", { name: "Held measurements" }).click();
  await expect(page).toHaveURL(/\/uploads\/held\?state=held$/);
  await page.goto(`/uploads/held?state=held&device=${device.id}`);
  await waitForPage(page);
  const table = page.getByRole("table", { name: "Held measurements" });
  await expect(table.getByRole("checkbox")).toHaveCount(2);
  await expect(table.getByText("Device assigned to nobody")).toHaveCount(2);
  const file = page.getByRole("button", { name: "File…" });
  await expect(file).toBeDisabled();

  await table
    .getByRole("button", { name: /^Show values/ })
    .last()
    .click();
  await expect(page.getByRole("dialog").getByRole("row").filter({ hasText: "Heart rate" })).toHaveCount(2);
  await page.keyboard.press("Escape");

  await entry(table, "2 measurements").check();
  await file.click();
  const dialog = page.getByRole("dialog");
  const confirm = dialog.getByRole("button", { name: "File measurements" });
  await dialog.getByRole("searchbox").fill(String(patient.number));
  await dialog.getByRole("button", { name: `Choose ${patient.name}, no. ${patient.number}` }).click();
  await dialog.getByLabel("Reason").fill("Bed 4, confirmed by the ward");
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel(`Type ${patient.number} to confirm.`).fill(String(patient.number));
  await confirm.click();
  await expect(page.getByText("1 of 1 entries done. Finished.")).toBeVisible();
  await expect(page.getByText("Filed: 2 new, 0 already in the record.")).toBeVisible();
  expect(await samplesOf(world, patient.id)).toEqual([91, 92]);
  await expect(table.getByRole("checkbox")).toHaveCount(1);
  await page.getByRole("main").getByRole("button", { name: "Close" }).click();

  await page.route("**/observations/quarantine/discard", (route) => route.fetch().then(() => route.abort()), { times: 1 });
  await entry(table, "1 measurement").check();
  await page.getByRole("button", { name: "Discard…" }).click();
  await dialog.getByLabel("Reason").fill("Test of the device");
  await dialog.getByRole("button", { name: "Discard measurements" }).click();
  await expect(page.getByText("0 of 1 entries done.", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("1 of 1 entries done. Finished.")).toBeVisible();
  await expect(page.getByRole("cell", { name: "Discarded" })).toBeVisible();
  const { data } = await world.clerk.ask(`/observations/quarantine?device_id=${device.id}`);
  expect(data.map(({ state }: { state: string }) => state)).toEqual(["discarded", "filed"]);

  await page.goto(`/patients/${patient.id}/vitals?code=heart_rate&range=1h`);
  await waitForPage(page);
  await expect(page.getByRole("figure", { name: /^Heart rate, .*; lowest 91, highest 92 / })).toBeVisible();
});

test("all that wait of a device are filed by keyboard, ten per request", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const device = await world.newDevice(null, "wearable");
  for (let i = 0; i < 12; i++) await sendHeld(device, 60 + i);
  const page = await open(nurse, { path: `/uploads/held?device=${device.id}` });
  await waitForPage(page);
  const press = async (name: string, within: Page | Locator = page) => {
    await tabTo(page, within.getByRole("button", { name }));
    await page.keyboard.press("Enter");
  };
  await press("Choose all that wait");
  await expect(page.getByText("12 entries chosen")).toBeVisible();
  await press("File…");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await tabTo(page, dialog.getByRole("searchbox"), { back: true });
  await page.keyboard.type(String(patient.number));
  await press(`Choose ${patient.name}, no. ${patient.number}`, dialog);
  await tabTo(page, dialog.getByLabel(`Type ${patient.number} to confirm.`));
  await page.keyboard.type(String(patient.number));
  await tabTo(page, dialog.getByLabel("Reason"));
  await page.keyboard.type("Bed 4");
  await press("File measurements", dialog);
  const progress = page.getByText("12 of 12 entries done. Finished.");
  await expect(progress).toBeFocused();
  expect(await findFocusFault(page)).toBeNull();
  await press("Close", page.getByRole("main"));
  await expect(progress).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => document.activeElement?.closest("main") != null)).toBe(true);
  expect(await samplesOf(world, patient.id)).toEqual(Array.from({ length: 12 }, (_, i) => 60 + i));
});

test("a doctor, who may not file them, sees no link and no list", async ({ open, world }) => {
  const page = await open(world.people.doctor, { path: "/uploads" });
  await waitForPage(page);
  await expect(page.getByRole("link", { name: "Quarantine" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Held measurements" })).toHaveCount(0);
  await page.goto("/uploads/held");
  await expect(page.getByText("Page not found, or you do not have access.").first()).toBeVisible();
});
