// Settings of a ward: the form that chooses EdgeCare's own NEWS2 profile and trend mark, and what it says about the choice.
import { expect, test, waitForPage } from "./portal.ts";
import { NORMAL_VALUES, uniqueText } from "./world.ts";

const REASON = "Fewer repeats at night";
const HOUR_MS = 3_600_000;
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

test("the sustained profile is chosen with a reason, and the ward says that it is not the RCP's", async ({ open, world }) => {
  const name = `Ward ${uniqueText()}`;
  await world.newWard(name);
  const page = await open(world.people.manager, { path: `/admin/hospitals/${world.hospital.hospital_id}` });
  await waitForPage(page);
  const row = page.getByRole("row").filter({ hasText: name });
  const dialog = page.getByRole("dialog");
  const openSettings = () => row.getByRole("button", { name: "Settings" }).click();
  await openSettings();
  await expect(dialog).not.toContainText("Profile chosen by");
  await dialog.getByLabel("How patients are watched").selectOption("spot");
  await dialog.getByLabel("Minutes of grace").fill("90");
  await dialog.getByLabel("When NEWS2 alarms sound").selectOption("sustained");
  await dialog.getByRole("button", { name: "Save" }).click();
  const problems = dialog.getByRole("alert");
  await expect(problems).toBeFocused();
  await expect(problems).toContainText("Enter a whole number from 0 to 60.");
  await problems.getByRole("link", { name: /^Reason/ }).click();
  await page.keyboard.type(REASON);
  await dialog.getByLabel("Minutes of grace").fill("\u0968\u0966");
  await dialog.getByLabel("Alarm when a set is overdue").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(row).toContainText("EdgeCare profile, not RCP");

  await openSettings();
  await expect(dialog.getByLabel("Minutes of grace")).toHaveValue("20");
  await expect(dialog.getByLabel("Reason")).toHaveValue(REASON);
  await expect(dialog.getByLabel("Alarm when a set is overdue")).toBeChecked();
  await expect(dialog).toContainText(`Profile chosen by ${world.people.manager.name}`);
  await dialog.getByLabel("When NEWS2 alarms sound").selectOption("rcp");
  await expect(dialog.getByLabel("Reason")).toHaveCount(0);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row).not.toContainText("EdgeCare profile, not RCP");
});

test("how a patient is watched is set beside the score, and is the ward's until then", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  const mode = page.getByLabel("How the patient is watched");
  await expect(mode).toHaveValue("ward");
  await mode.selectOption("spot");
  await page.locator("form").filter({ has: mode }).getByRole("button", { name: "Save" }).click();
  await expect
    .poll(async () => (await world.clerk.ask(`/patients/${patient.id}/monitoring`)).data)
    .toMatchObject({ observation_mode: "spot", spo2_scale: 1, pregnant: false });
  await expect(mode).toHaveValue("spot");
});

test("the trend mark is chosen with a reason, and the board and the patient's page show it", async ({ open, world }) => {
  const name = `Ward ${uniqueText()}`;
  const ward = await world.newWard(name);
  const patient = await world.newPatient({ ward_id: ward.id });
  const page = await open(world.people.manager, { path: `/admin/hospitals/${world.hospital.hospital_id}` });
  await waitForPage(page);
  const row = page.getByRole("row").filter({ hasText: name });
  const dialog = page.getByRole("dialog");
  await row.getByRole("button", { name: "Settings" }).click();
  await dialog.getByLabel("How patients are watched").selectOption("spot");
  await dialog.getByLabel("Show the trend mark").check();
  await dialog.getByLabel("Reason for the trend mark").fill(REASON);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("EdgeCare trend, not NEWS2");

  const board = await open(world.people.nurse, { path: ward.path });
  await waitForPage(board);
  const entry = board.getByRole("row").filter({ hasText: patient.name });
  await expect(entry).toContainText("Trend unknown (EdgeCare trend, not NEWS2)");
  const now = Date.now();
  const write = (values: object, at: number) =>
    world.writeDown(
      patient,
      VITALS.map((vital) => ({ vital, value: { ...NORMAL_VALUES, ...values }[vital] ?? 0, at })),
    );
  await write({}, now - 12.1 * HOUR_MS);
  await write({ respiratory_rate: 22, heart_rate: 115, temperature: 38.5 }, now);
  await expect(entry).toContainText("Trend up (EdgeCare trend, not NEWS2)");
  await board.goto(`/patients/${patient.id}`);
  await expect(board.getByText("scores smoothed over time 2.5")).toBeVisible();
});
