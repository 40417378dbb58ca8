// Emergency access: a doctor opens a record that is not theirs, reads it under the banner, and ends it; what is told and reviewed.
import type { Page } from "@playwright/test";
import { Secret, TOTP } from "otpauth";
import { logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { createEcg, sendEcg } from "./ecg.ts";
import { patiently } from "./extent.ts";
import { newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type Person, type World } from "./world.ts";

test.setTimeout(patiently(120_000));

const PHONE = { viewport: { width: 390, height: 844 } };
const REASON = "Unconscious after a fall; allergies are needed";

async function expectNoFaultsInBoth(page: Page): Promise<void> {
  for (const language of ["हिन्दी", "English"]) {
    await page.getByRole("button", { name: language, exact: true }).first().click();
    expect(await faultsOf(page)).toEqual([]);
  }
}

/** A patient outside the care teams of the doctor. */
const newStranger = ({ newPatient }: World, more: object = {}) => newPatient({ assigned_doctor_id: undefined, ...more });
/** A number that no other test uses. */
const newAbha = () => `91${String(Math.floor(Math.random() * 1e12)).padStart(12, "0")}`;

const startByApi = async (doctor: Person, patientId: string, reason = REASON) =>
  (await (await logIn(doctor)).ask("/emergency-access", { json: { patient_id: patientId, reason, purpose: "BTG" } })).data;

const makeOfficer = async ({ people, hospital }: World, { id }: Person) =>
  (await logIn(people.manager)).ask(`/hospitals/${hospital.hospital_id}/privacy-officers/${id}`, { method: "PUT" });

const banner = (page: Page) => page.getByRole("region", { name: "Emergency access" });

for (const context of [{}, PHONE]) {
  test(`a doctor opens a record that is not theirs, at ${"viewport" in context ? "390" : "1366"} px`, async ({ open }) => {
    const world = await newWorld();
    const { doctor } = world.people;
    const patient = await newStranger(world);
    const page = await open(doctor, { path: `/patients/${patient.id}`, context });
    await expect(page.getByText("Page not found, or you do not have access.")).toBeVisible();
    await expectNoFaultsInBoth(page);

    await page.getByRole("button", { name: "Emergency access…" }).click();
    const dialog = page.getByRole("dialog", { name: "Emergency access" });
    await expect(dialog).toContainText("for 60 minutes, read only");
    await expect(dialog).toContainText("Your account has no second step.");
    await dialog.getByLabel("Reason").fill("too short");
    await expect(dialog).toContainText("9 of at least 20 characters");
    await dialog.getByRole("button", { name: "Open the record" }).click();
    await expect(dialog.getByText("Write at least 20 characters.").first()).toBeVisible();
    expect(await faultsOf(page)).toEqual([]);
    await dialog.getByLabel("Reason").fill(REASON);
    await dialog.getByRole("button", { name: "Open the record" }).click();

    await expect(page.getByText(patient.name).first()).toBeVisible();
    await expect(banner(page)).toContainText(/Emergency access, ends in (60|59) min/);
    await expect(banner(page)).toContainText(REASON);
    const tabs = page.getByRole("navigation", { name: "Patient pages" });
    for (const tab of ["Vitals", "Alarms", "Limits", "Reports", "Documents", "History", "About", "Overview"]) {
      await tabs.getByRole("link", { name: tab, exact: true }).click();
      await waitForPage(page);
      await expect(banner(page)).toBeVisible();
      await expect(page.getByText("Page not found, or you do not have access.")).toHaveCount(0);
      await expect(page.getByText(/^(Enter|Pause) observations$/)).toHaveCount(0);
      expect([tab, await faultsOf(page)]).toEqual([tab, []]);
    }
    await expectNoFaultsInBoth(page);

    await banner(page).getByRole("button", { name: "End now" }).click();
    const ending = page.getByRole("dialog", { name: "End this emergency access?" });
    expect(await faultsOf(page)).toEqual([]);
    await ending.getByRole("button", { name: "End now" }).click();
    await expect(page.getByRole("heading", { name: "The emergency access is over" })).toBeVisible();
    await expect(page.getByText(/^It ended on /)).toBeVisible();
    await expect(page.getByText(patient.name)).toHaveCount(0);
    await expectNoFaultsInBoth(page);
    await page.getByRole("button", { name: "Read the record again" }).click();
    await expect(page.getByRole("button", { name: "Emergency access…" })).toBeVisible();
    await expect(page.getByText(patient.name)).toHaveCount(0);

    // The same reason does not do twice.
    await page.getByRole("button", { name: "Emergency access…" }).click();
    await dialog.getByLabel("Reason").fill(REASON.toUpperCase());
    await dialog.getByRole("button", { name: "Open the record" }).click();
    await expect(dialog.getByRole("alert")).toContainText("for the same reason within the last 24 hours");
  });
}

test("the second step is asked for first, and access is given without one", async ({ open }) => {
  const world = await newWorld();
  const { doctor } = world.people;
  const [own, first, second] = [await world.newPatient(), await newStranger(world), await newStranger(world)];
  const page = await open(doctor, { path: "/emergency" });
  const session = await logIn(doctor);
  const { secret } = (await session.ask("/auth/mfa/totp/enroll", { method: "POST" })).data;
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  await session.ask("/auth/mfa/totp/confirm", { json: { code: app.generate() } });
  await page.reload();
  await waitForPage(page);
  await expect(page.getByText("Your hospital allows it for its own records.")).toBeVisible();
  await expect(page.getByText("No emergency access yet.")).toBeVisible();
  await expectNoFaultsInBoth(page);

  const field = page.getByLabel("Patient number or record ID");
  const begin = async (ref: string) => {
    await field.fill(ref);
    await page.keyboard.press("Enter");
  };
  await begin("Vrinda");
  await expect(page.getByText("Enter a patient number, or the ID of a record.")).toBeVisible();
  const dialog = page.getByRole("dialog", { name: "Emergency access" });
  const question = page.getByRole("dialog", { name: "Confirm that it is you" });
  await begin(String(first.number));
  await expect(dialog).toContainText("You are asked for a second step first.");
  await dialog.getByLabel("Reason").fill(REASON);
  await dialog.getByRole("button", { name: "Open the record" }).click();
  await expect(question).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog.getByRole("alert")).toContainText("You can still open the record");
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Open without a second step" }).click();
  await expect(page).toHaveURL(new RegExp(`/patients/${first.id}$`));
  await expect(banner(page)).toContainText(/ends in (60|59) min/);
  await banner(page).getByRole("link", { name: "Details" }).click();
  await expect(page.getByText("No; reviewed first")).toBeVisible();
  await expectNoFaultsInBoth(page);

  await page.getByRole("link", { name: "All emergency accesses" }).click();
  await begin(second.id);
  await dialog.getByLabel("Reason").fill(REASON);
  await dialog.getByRole("button", { name: "Open the record" }).click();
  await question.getByLabel("Code of the authenticator app").fill(app.generate({ timestamp: Date.now() + 30_000 }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/patients/${second.id}$`));
  await expect(banner(page)).toBeVisible();

  // What is open needs none, and what is not there cannot be opened.
  await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name: "Emergency" }).click();
  const rows = page.getByRole("table", { name: "My emergency accesses" }).getByRole("row");
  await expect(rows.filter({ hasText: "Running, ends in" })).toHaveCount(2);
  await expect(rows.filter({ hasText: "without a second step" })).toHaveCount(1);
  await expectNoFaultsInBoth(page);
  await begin(String(own.number));
  await dialog.getByLabel("Reason").fill(REASON);
  await dialog.getByRole("button", { name: "Open the record" }).click();
  await question.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Open without a second step" }).click();
  await expect(page.getByText("This record is open to you already.")).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await begin("999999999");
  await dialog.getByLabel("Reason").fill(REASON);
  await dialog.getByRole("button", { name: "Open the record" }).click();
  await question.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Open without a second step" }).click();
  await expect(dialog.getByRole("alert").last()).toContainText("There is no record with this number or ID");
});

test("the banner counts down on a report too, and nothing of the record is left when the access is over", async ({ open }) => {
  const world = await newWorld();
  const { doctor } = world.people;
  const patient = await newStranger(world);
  const { report_id } = await sendEcg(world.clerk, await createEcg(patient), patient);
  const { emergency_access_id: id } = await startByApi(doctor, patient.id);
  const endIn = (seconds: number) => async (page: Page) => {
    const ends_at = new Date(Date.now() + seconds * 1_000).toISOString();
    await page.route(`**/emergency-access/${id}`, async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      await route.fulfill({ response, json: { ...body, data: { ...body.data, ends_at } } });
    });
  };
  const soon = await open(doctor, { path: `/reports/${report_id}`, before: endIn(150) });
  await waitForPage(soon);
  await expect(banner(soon)).toContainText("ends in 2 min");
  await expect(soon.getByRole("button", { name: "Correct…" })).toHaveCount(0);
  await expect(soon.locator("[aria-live=polite]")).toContainText("ends in less than five minutes");
  await expectNoFaultsInBoth(soon);

  for (const path of [`/reports/${report_id}`, `/patients/${patient.id}`]) {
    const page = await open(doctor, { path, before: endIn(15), context: PHONE });
    await expect(banner(page)).toContainText(/ends in \d+ s/);
    await expect(page.getByText(patient.name).first()).toBeVisible();
    await expect(page.getByRole("heading", { name: "The emergency access is over" })).toBeVisible({ timeout: patiently(20_000) });
    await expect(page.getByText(patient.name)).toHaveCount(0);
    await expect(banner(page)).toHaveCount(0);
  }

  // Ended elsewhere, or not allowed any more: the next read closes the page.
  const page = await open(doctor, { path: `/patients/${patient.id}` });
  await expect(banner(page)).toBeVisible();
  await (await logIn(doctor)).ask(`/emergency-access/${id}/end`, { method: "POST" });
  await page.getByRole("navigation", { name: "Patient pages" }).getByRole("link", { name: "Documents" }).click();
  await expect(page.getByRole("heading", { name: "The emergency access is over" })).toBeVisible();
  await expect(page.getByText("It has ended, or the hospital no longer allows it.")).toBeVisible();
  await expect(page.getByText(patient.name)).toHaveCount(0);
});

test("the banner is on a report of a restricted record for a nurse of its hospital", async ({ open }) => {
  const world = await newWorld();
  const { doctor, nurse } = world.people;
  const patient = await newStranger(world);
  const { report_id } = await sendEcg(world.clerk, await createEcg(patient), patient);
  const access = await startByApi(doctor, patient.id);
  // As the service answers for a restricted record, which an erasure alone makes.
  const answerAsRestricted = async (page: Page) => {
    await page.route(`**/patients/${patient.id}`, async (route) => {
      const response = await route.fetch();
      const body = await response.json();
      const data = { ...body.data, emergency_access_id: access.emergency_access_id };
      await route.fulfill({ response, json: { ...body, data } });
    });
    await page.route(`**/emergency-access/${access.emergency_access_id}`, (route) => route.fulfill({ json: { data: access } }));
  };
  const page = await open(nurse, { path: `/reports/${report_id}`, before: answerAsRestricted });
  await expect(banner(page)).toContainText(/ends in (60|59) min/);
  await expect(page.getByRole("button", { name: "Correct…" })).toHaveCount(0);
});

test("a privacy officer sees who opened what, and delays the patient's notice", async ({ open }) => {
  const world = await newWorld();
  const { doctor, manager, nurse } = world.people;
  const patient = await newStranger(world);
  const login = await newPatientLogin(world, patient);
  await makeOfficer(world, manager);
  const page = await open(manager, { path: `/patients/${patient.id}/about` });
  await waitForPage(page);
  await page.getByRole("heading", { name: "Delay of notices to the patient" }).click();
  await expect(page.getByText("No delay runs: the patient is notified at once.")).toBeVisible();
  await page.getByRole("button", { name: "Delay notices" }).click();
  const dialog = page.getByRole("dialog", { name: "Delay notices" });
  await dialog.getByLabel("Days").fill("31");
  await dialog.getByRole("button", { name: "Delay notices" }).click();
  await expect(dialog.getByText("Enter a whole number from 1 to 30.").first()).toBeVisible();
  await expect(dialog.getByText("Write at least 20 characters.").first()).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByLabel("Days").fill("१०");
  await dialog.getByLabel("Reason").fill("Another person reads her messages");
  await dialog.getByRole("button", { name: "Delay notices" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("Reason: Another person reads her messages")).toBeVisible();
  await expectNoFaultsInBoth(page);

  await startByApi(doctor, patient.id);
  await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name: "Emergency" }).click();
  const row = page
    .getByRole("table", { name: "Emergency accesses of the hospital" })
    .getByRole("row")
    .filter({ hasText: doctor.name });
  await expect(row).toContainText("without a second step");
  await expect(row).toContainText(REASON);
  await expect(page.getByLabel("Patient number or record ID")).toHaveCount(0);
  await expectNoFaultsInBoth(page);
  await row.getByRole("link", { name: "Details" }).click();
  await expect(page.getByText("Not yet")).toBeVisible();
  await expect(page.getByRole("button", { name: "End now" })).toHaveCount(0);
  await page.getByRole("main").getByRole("link", { name: "Privacy reviews" }).click();
  await page.getByRole("link", { name: "Open the review" }).click();
  await expect(page.getByText(REASON)).toBeVisible();
  await expect(page.getByText("No; reviewed first")).toBeVisible();
  await expect(page.getByLabel("Note")).toBeVisible();
  await expect(page.getByLabel("Answer")).toHaveCount(0);
  await expectNoFaultsInBoth(page);
  await page.getByRole("link", { name: "Open the emergency access" }).click();
  await expect(page).toHaveURL(/\/emergency\//);
  await page.getByRole("heading", { name: "Delay of notices to the patient" }).click();
  await page.getByRole("button", { name: "End the delay" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End the delay" }).click();
  await expect(page.getByText("No delay runs: the patient is notified at once.")).toBeVisible();

  const own = await open(login, { path: "/me/access" });
  await waitForPage(own);
  const record = own.getByLabel("Which record");
  await record.selectOption(await record.locator("option", { hasText: patient.name }).getAttribute("value"));
  const log = own.getByRole("table", { name: "Who saw my record" });
  await expect(log.getByRole("row").filter({ hasText: "opened your record in an emergency" })).toContainText("In an emergency.");

  const other = await open(nurse, { path: "/emergency", context: PHONE });
  await waitForPage(other);
  await expect(other.getByText("No emergency access yet.")).toBeVisible();
  await expectNoFaultsInBoth(other);
});

test("an administrator chooses how far emergency access reaches", async ({ open }) => {
  const world = await newWorld();
  const { doctor, manager } = world.people;
  const patient = await newStranger(world);
  await startByApi(doctor, patient.id);
  const page = await open(manager, { path: `/admin/hospitals/${world.hospital.hospital_id}` });
  await waitForPage(page);
  const card = page.locator("details").filter({ has: page.getByRole("heading", { name: "Emergency access", exact: true }) });
  await card.locator("summary").click();
  await expect(card.getByLabel("Records of this hospital")).toBeChecked();
  await card.getByLabel("No records").check();
  expect(await faultsOf(page)).toEqual([]);
  await card.getByRole("button", { name: "Save" }).click();
  await expect(card.getByRole("status")).toHaveText("Saved");
  await page.reload();
  await waitForPage(page);
  await card.locator("summary").click();
  await expect(card.getByLabel("No records")).toBeChecked();
  await expectNoFaultsInBoth(page);
  await page.goto("/emergency");
  await expect(page.getByText("Privacy officers see the emergency accesses of the hospital.")).toBeVisible();
  await expectNoFaultsInBoth(page);

  const reader = await open(doctor, { path: `/patients/${patient.id}` });
  await expect(reader.getByText("Your hospital does not allow emergency access.")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Emergency access…" })).toHaveCount(0);
});

test("a doctor opens the record of the same person at another hospital that allows it", async ({ open }) => {
  const [there, here] = [await newWorld(), await newWorld()];
  const abha_number = newAbha();
  const foreign = await there.newPatient({ abha_number });
  await newStranger(here, { abha_number });
  for (const { people, hospital } of [there, here])
    await (await logIn(people.manager)).ask(`/hospitals/${hospital.hospital_id}`, {
      method: "PATCH",
      json: { emergency_reach: "any_hospital" },
      headers: { "If-Match": `"${hospital.version}"` },
    });
  const page = await open(here.people.doctor, { path: "/emergency" });
  await waitForPage(page);
  await expect(page.getByText("those of other hospitals that allow it too")).toBeVisible();
  await page.getByLabel("Patient number or record ID").fill(String(foreign.number));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Emergency access" });
  await dialog.getByLabel("Reason").fill(REASON);
  await dialog.getByRole("button", { name: "Open the record" }).click();
  await expect(page).toHaveURL(new RegExp(`/patients/${foreign.id}$`));
  await expect(page.getByText(foreign.name).first()).toBeVisible();
  await expect(banner(page)).toContainText(REASON);
  const tabs = page.getByRole("navigation", { name: "Patient pages" });
  for (const tab of ["Vitals", "Alarms", "Limits", "Reports", "Documents", "History", "About"]) {
    await tabs.getByRole("link", { name: tab, exact: true }).click();
    await waitForPage(page);
    await expect(banner(page)).toBeVisible();
    await expect(page.getByText("Page not found, or you do not have access.")).toHaveCount(0);
    expect([tab, await faultsOf(page)]).toEqual([tab, []]);
  }
  await banner(page).getByRole("link", { name: "Details" }).click();
  await expect(page.getByText("of another hospital")).toBeVisible();
  await expectNoFaultsInBoth(page);
});
