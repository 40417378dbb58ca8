// A patient asks about an access, a privacy officer answers, and the patient reads the answer; who is a privacy officer.
import type { Page } from "@playwright/test";
import { logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { askAboutRead, newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type Patient } from "./world.ts";

/** The record of this account at the hospital, not the one that it registered with. */
async function chooseRecord(page: Page, patient: Patient): Promise<void> {
  const record = page.getByLabel("Which record");
  if ((await record.count()) === 0) return;
  const value = await record.locator("option", { hasText: patient.name }).getAttribute("value");
  await record.selectOption(value);
}

test("a patient's question is answered by a privacy officer", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const login = await newPatientLogin(world, patient);
  const { doctor, manager } = world.people;
  await (await logIn(manager)).ask(`/hospitals/${world.hospital.hospital_id}/privacy-officers/${doctor.id}`, { method: "PUT" });
  await (await logIn(nurse)).ask(`/patients/${patient.id}`);

  const own = await open(login, { path: "/me/access" });
  await waitForPage(own);
  await chooseRecord(own, patient);
  const row = own.getByRole("table", { name: "Who saw my record" }).getByRole("row").filter({ hasText: "Nurse" });
  await row
    .filter({ hasText: "opened your record" })
    .getByRole("button", { name: /^I did not expect/ })
    .click();
  const dialog = own.getByRole("dialog", { name: "Ask about this access" });
  await dialog.getByLabel("Your question (optional)").fill("x");
  await dialog.getByRole("button", { name: "Send question" }).click();
  await expect(dialog.getByText("Write at least 3 characters, or nothing.").first()).toBeVisible();
  await dialog.getByLabel("Your question (optional)").fill("I was not there that day.");
  expect(await faultsOf(own)).toEqual([]);
  await dialog.getByRole("button", { name: "Send question" }).click();
  await expect(dialog).toBeHidden();
  await expect(row.getByText(/^You asked about this on/)).toBeVisible();

  const page = await open(doctor, { path: "/privacy" });
  await waitForPage(page);
  await expect(page.getByRole("navigation").getByRole("link", { name: "Privacy reviews" })).toHaveCount(1);
  expect(await faultsOf(page)).toEqual([]);
  await page
    .getByRole("table", { name: "Privacy reviews" })
    .getByRole("row")
    .filter({ hasText: nurse.name })
    .getByRole("link", { name: "Open the review" })
    .click();
  await expect(page.getByText("I was not there that day.")).toBeVisible();
  await expect(page.getByText("“opened your record”")).toBeVisible();
  await expect(page.getByRole("link", { name: "All privacy reviews" })).toHaveAttribute("href", "/privacy");
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Close the review" }).click();
  await expect(page.getByText("Check the following fields")).toBeVisible();
  await expect(page.getByText("Write at least 3 characters.").first()).toBeVisible();
  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await expect(page.getByText("कम से कम 3 अक्षर लिखें।").first()).toBeVisible();
  await expect(page.getByText("Write at least 3 characters.")).toHaveCount(0);
  await page.getByRole("button", { name: "English", exact: true }).first().click();
  await page.getByLabel("Outcome").selectOption({ label: "Explained" });
  await page.getByLabel("Answer").fill("The nurse prepared your visit.");
  await page.getByRole("button", { name: "Close the review" }).click();
  await expect(page.getByRole("heading", { name: "Result" })).toBeVisible();

  await own.reload();
  await waitForPage(own);
  await row.getByText("Answered: Explained").click();
  await expect(row.getByText("The nurse prepared your visit.")).toBeVisible();
  await own.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await expect(own.getByText("उत्तर मिला: कारण समझाया गया")).toBeVisible();
  expect(await faultsOf(own)).toEqual([]);
});

test("a privacy officer does not close a review of their own access", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const login = await newPatientLogin(world, patient);
  const path = `/hospitals/${world.hospital.hospital_id}/privacy-officers/${nurse.id}`;
  await (await logIn(world.people.manager)).ask(path, { method: "PUT" });
  await (await logIn(nurse)).ask(`/patients/${patient.id}`);
  const review = await askAboutRead(login, patient, "Who was this?");
  const page = await open(nurse, { path: `/privacy/${review}` });
  await waitForPage(page);
  await expect(page.getByText("This review is about your own access.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Close the review" })).toHaveCount(0);
});

test("an administrator makes a nurse a privacy officer, and ends it", async ({ open }) => {
  // Other tests add people to the shared hospital.
  const world = await newWorld();
  const { nurse } = world.people;
  const page = await open(world.people.manager, { path: `/admin/hospitals/${world.hospital.hospital_id}` });
  await waitForPage(page);
  const row = page.getByRole("table", { name: "Staff" }).getByRole("row").filter({ hasText: nurse.name });
  await row.getByRole("button", { name: "Make privacy officer" }).click();
  const dialog = page.getByRole("dialog");
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Make privacy officer" }).click();
  await expect(row).toContainText("Privacy officer");
  await row.getByRole("button", { name: "End as privacy officer" }).click();
  await dialog.getByRole("button", { name: "End as privacy officer" }).click();
  await expect(row.getByRole("button", { name: "Make privacy officer" })).toBeVisible();
  await expect(page.getByRole("navigation").getByRole("link", { name: "Privacy reviews" })).toHaveCount(0);
});
