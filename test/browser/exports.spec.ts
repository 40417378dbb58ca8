// Exports in the portal: a report as a document, and a whole record with its progress.
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { createEcg, sendEcg } from "./ecg.ts";
import { expect, test, waitForPage } from "./portal.ts";

async function downloaded(page: Page, name: string | RegExp): Promise<{ name: string; start: string }> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  const file = await download;
  const bytes = await readFile(await file.path());
  return { name: file.suggestedFilename(), start: bytes.subarray(0, 4).toString("latin1") };
}

test("staff export a report as PDF and as Word document", async ({ open, world }) => {
  const patient = await world.newPatient();
  const { report_id } = await sendEcg(world.clerk, await createEcg(patient), patient);
  const page = await open(world.people.manager, { path: `/reports/${report_id}` });
  await waitForPage(page);
  expect(await downloaded(page, "Export as PDF")).toEqual({ name: expect.stringMatching(/^report-\d+\.pdf$/), start: "%PDF" });
  expect(await downloaded(page, "Export as Word document")).toEqual({
    name: expect.stringMatching(/^report-\d+\.docx$/),
    start: "PK\u0003\u0004",
  });
});

test("an administrator exports a record, sees that it is ready, and downloads it", async ({ open, world }) => {
  const patient = await world.newPatient();
  await sendEcg(world.clerk, await createEcg(patient), patient);
  const page = await open(world.people.manager, { path: `/patients/${patient.id}` });
  await waitForPage(page);
  await page.getByRole("link", { name: "Export record" }).click();
  await page.getByLabel("Language of the PDF").selectOption({ label: "हिन्दी" });
  await page.getByRole("button", { name: "Start export" }).click();
  await expect(page.getByText(/^Ready, until/)).toBeVisible({ timeout: 30_000 });
  const file = await downloaded(page, /^Download the export of/);
  expect(file).toEqual({ name: expect.stringMatching(/^record-\d+\.zip$/), start: "PK\u0003\u0004" });
});
