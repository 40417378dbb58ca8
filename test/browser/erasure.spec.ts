// Retention, legal holds and erasure: a patient asks, a second administrator decides, and both read how long the record is kept.
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { WHOLE_BROWSER } from "./chromium.ts";
import { patiently } from "./extent.ts";
import { addAuthenticator, addPasskey, keepRecoveryCodes } from "./passkeys.ts";
import { newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type Patient } from "./world.ts";

test.use({ launchOptions: { executablePath: process.env["CHROMIUM"] ?? WHOLE_BROWSER, args: ["--no-sandbox"] } });
test.setTimeout(patiently(120_000));

const PHONE = { viewport: { width: 390, height: 844 } };

/** The record of this account at the hospital, not the one that it registered with. */
async function chooseRecord(page: Page, patient: Patient): Promise<void> {
  const record = page.getByLabel("Which record");
  const value = await record.locator("option", { hasText: patient.name }).getAttribute("value");
  await record.selectOption(value);
}

async function expectNoFaultsInBoth(page: Page): Promise<void> {
  for (const language of ["हिन्दी", "English"]) {
    await page.getByRole("button", { name: language, exact: true }).first().click();
    expect(await faultsOf(page)).toEqual([]);
  }
}

/** Fills in the reason of the open dialog and sends it. */
async function giveReason(page: Page, title: string, reason: string, submit = title): Promise<void> {
  const dialog = page.getByRole("dialog", { name: title });
  await dialog.getByRole("textbox").fill("x");
  await dialog.getByRole("button", { name: submit, exact: true }).click();
  await expect(dialog.getByText("Write at least 3 characters.").first()).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("textbox").fill(reason);
  await dialog.getByRole("button", { name: submit, exact: true }).click();
  await expect(dialog).toHaveCount(0);
}

test("a patient asks for erasure, a second administrator approves, and a hold keeps the record", async ({ open }) => {
  const world = await newWorld();
  const patient = await world.newPatient({ monitoring: "off" });
  const own = await open(await newPatientLogin(world, patient), { path: "/me/details", context: PHONE });
  await waitForPage(own);
  await own.getByRole("link", { name: "Ask for my record to be erased" }).click();
  await chooseRecord(own, patient);
  await expect(own.getByText("Nobody has asked for this record to be erased.")).toBeVisible();
  await expectNoFaultsInBoth(own);
  await own.getByRole("button", { name: "Ask for erasure" }).click();
  await giveReason(own, "Ask for erasure", "I have moved abroad.", "Send request");
  await expect(own.getByText("The hospital has not decided yet.")).toBeVisible();
  await expect(own.getByText("I have moved abroad.")).toBeVisible();
  await expect(own.getByRole("button", { name: "Ask for erasure" })).toHaveCount(0);

  const page = await open(world.people.manager, { path: "/account/security" });
  await waitForPage(page);
  await addAuthenticator(page);
  await addPasskey(page, "Desk");
  await keepRecoveryCodes(page);
  await page.goto("/admin/erasures?state=requested");
  await waitForPage(page);
  const row = page.getByRole("table", { name: "Erasures" }).getByRole("row").filter({ hasText: "outside the staff" });
  await expect(row).toContainText("Nothing has changed; somebody else must decide.");
  await expectNoFaultsInBoth(page);
  await row.getByRole("link", { name: "Open the request" }).click();
  await expect(page.getByText("I have moved abroad.")).toBeVisible();
  await expectNoFaultsInBoth(page);
  await page.getByRole("button", { name: "Approve erasure" }).click();
  const dialog = page.getByRole("dialog", { name: "Approve the erasure of this record?" });
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Approve erasure" }).click();
  await expect(dialog).toHaveCount(0);
  // The minimum of India, which is the country of the test's hospital.
  const year = Number(new Date().toLocaleDateString("en-CA", { timeZone: "Asia/Kolkata" }).slice(0, 4)) + 3;
  await expect(page.getByText(new RegExp(`^Restricted until \\d+ \\w+ ${year}\\.`))).toBeVisible();

  await page.getByRole("button", { name: "Set legal hold" }).click();
  await giveReason(page, "Set legal hold", "A court asked for the record.");
  await expect(page.getByText(/^Restricted while the legal hold is open, at least until/)).toBeVisible();
  await expect(page.getByText("A court asked for the record.")).toBeVisible();

  await own.reload();
  await waitForPage(own);
  await chooseRecord(own, patient);
  await expect(own.getByText("The date of the erasure is not known yet.")).toBeVisible();
  await expectNoFaultsInBoth(own);

  await page.goto("/admin/holds");
  await waitForPage(page);
  await page.getByRole("table", { name: "Legal holds" }).getByRole("button", { name: "Release legal hold" }).click();
  await giveReason(page, "Release legal hold", "The case is closed.");
  await expect(page.getByText(/^Released on .*The case is closed\.$/)).toBeVisible();
  await expectNoFaultsInBoth(page);
});

test("who requested an erasure does not approve it, and a refused sign-in question changes nothing", async ({ open }) => {
  const world = await newWorld();
  const patient = await world.newPatient({ monitoring: "off" });
  const page = await open(world.people.manager, { path: `/patients/${patient.id}/about` });
  await waitForPage(page);
  await page.getByRole("heading", { name: "Legal hold and erasure" }).click();
  await expect(page.getByText("Nobody has requested the erasure of this record.")).toBeVisible();
  await expectNoFaultsInBoth(page);
  await page.getByRole("button", { name: "Request erasure" }).click();
  await giveReason(page, "Request erasure", "Asked for by letter.");
  await page.getByRole("link", { name: "Open the request" }).click();
  await expect(page.getByText("You requested this. Somebody else must approve it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve erasure" })).toHaveCount(0);

  // Without a second step nobody rejects.
  await page.getByRole("button", { name: "Reject request" }).click();
  const dialog = page.getByRole("dialog", { name: "Reject request" });
  await dialog.getByRole("textbox").fill("Withdrawn by letter.");
  await dialog.getByRole("button", { name: "Reject request" }).click();
  await expect(page.getByRole("dialog", { name: "Confirm that it is you" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog.getByRole("alert")).toContainText("not confirmed that it is you");
  const [erasure] = (await (await logIn(world.people.manager)).ask(`/erasures?patient_id=${patient.id}`)).data;
  expect(erasure.state).toBe("requested");
});

test("a hospital sets longer periods than its country requires, and never shorter ones", async ({ open }) => {
  const { people } = await newWorld();
  const page = await open(people.manager, { path: "/admin/retention" });
  await waitForPage(page);
  const periods = page.getByRole("table", { name: "Retention periods" });
  const reports = periods.getByRole("row").filter({ hasText: "Reports" });
  await expect(reports.getByRole("cell")).toHaveText(["Reports", "3 years", "Not set", "3 years"]);
  await expect(
    page.getByRole("table", { name: "Past their period" }).getByRole("row").filter({ hasText: "Reports" }),
  ).toContainText(/3 years.*0$/);
  await expectNoFaultsInBoth(page);
  await page.getByRole("button", { name: "Change retention periods" }).click();
  const dialog = page.getByRole("dialog", { name: "Change retention periods" });
  await dialog.getByLabel("Reports").fill("2");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText("Enter a whole number from 3 to 100.").first()).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByLabel("Reports").fill("१२");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(reports.getByRole("cell")).toHaveText(["Reports", "3 years", "12 years", "12 years"]);
  await expect(
    page.getByRole("table", { name: "Past their period" }).getByRole("row").filter({ hasText: "Reports" }),
  ).toContainText("12 years");
});

const CERTIFICATE = {
  ...{ requested_at: "2026-01-05T09:30:00.000Z", approved_at: "2026-01-06T09:30:00.000Z" },
  ...{ started_at: "2026-01-07T09:30:00.000Z", erased_at: "2026-01-07T09:31:00.000Z" },
  counts: [
    { store: "d1.reports", count: 3 },
    { store: "r2.files", count: 0 },
  ],
  list_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  signed_text: "edgecare/erasure/1\n",
  signature: { algorithm: "Ed25519", key_id: "a1", public_key: "AA", value: "AA" },
};

// No record of a test is old enough to be erased, so the answers of the service are written here.
test("the certificate of an erasure shows its counts and is saved as it is", async ({ open }) => {
  const world = await newWorld();
  const patient = await world.newPatient({ monitoring: "off" });
  const manager = await logIn(world.people.manager);
  const { data } = await manager.ask(`/patients/${patient.id}/erasure`, { json: { reason: "Asked for by letter." } });
  const { erasure_id, patient_id, hospital_id } = data;
  const certificate = { erasure_id, patient_id, hospital_id, ...CERTIFICATE };
  const erased = { ...data, state: "erased", reason: null, erased_at: CERTIFICATE.erased_at, waits_for: null };
  const page = await open(world.people.manager, {
    path: `/admin/erasures/${erasure_id}`,
    context: PHONE,
    before: async (before) => {
      await before.route(`**/api/v1/erasures/${erasure_id}`, (route) => route.fulfill({ json: { data: erased } }));
      await before.route(`**/api/v1/erasures/${erasure_id}/certificate`, (route) =>
        route.fulfill({ json: { data: certificate } }),
      );
    },
  });
  await waitForPage(page);
  await expect(page.getByText("Erased on 7 Jan 2026.")).toBeVisible();
  const counts = page.getByRole("table", { name: "Deleted" });
  await expect(counts.getByRole("row").filter({ hasText: "d1.reports" })).toContainText("3");
  await expect(counts.getByRole("row").filter({ hasText: "r2.files" })).toContainText("0");
  await expect(page.getByText("This page has not verified it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve erasure" })).toHaveCount(0);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save certificate as JSON" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`erasure-${erasure_id}.json`);
  expect(JSON.parse(readFileSync(await file.path(), "utf8"))).toEqual(certificate);
  await expectNoFaultsInBoth(page);
});
