// A misfiled report in the portal: its time is corrected, it is moved to the right patient, and marked as entered in error.
import { createEcg } from "./ecg.ts";
import { expect, test, waitForPage } from "./portal.ts";

test("a nurse uploads with the time, moves the report to the right patient and marks it as entered in error", async ({
  open,
  world,
  nurse,
}) => {
  const [wrong, right] = [await world.newPatient(), await world.newPatient()];
  const { pdf } = await createEcg(right);
  const page = await open(nurse, { path: `/patients/${wrong.id}/reports` });
  await page.getByRole("link", { name: "Upload a report" }).click();
  await waitForPage(page);
  const opened = page.waitForEvent("filechooser");
  await page.getByLabel("PDF file").click();
  await (await opened).setFiles({ name: "ecg_0412.pdf", mimeType: "application/pdf", buffer: pdf });
  const next = page.getByRole("button", { name: "Next", exact: true });
  await expect(page.locator("canvas").first()).toBeVisible();
  await next.click();
  await expect(page.getByText(wrong.name).first()).toBeVisible();
  await next.click();
  await page.getByRole("radio", { name: "Enter it" }).check();
  await page.getByLabel("Measured", { exact: true }).fill("2026-01-02T03:04");
  await next.click();
  await page.getByRole("button", { name: "Upload report", exact: true }).click();
  await page.getByRole("link", { name: "Open the report" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(wrong.name);
  const [filed] = (await world.clerk.ask(`/reports?patient_id=${wrong.id}`)).data;
  expect(filed.effective_at).toMatch(/^2026-01-0[12]T/);

  await page.getByRole("button", { name: "Move to another patient" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("searchbox").fill(String(right.number));
  await dialog.getByRole("button", { name: new RegExp(`${right.name}.*${right.number}`) }).click();
  await dialog.getByLabel(`Type ${right.number} to confirm.`).fill(String(right.number));
  await dialog.getByLabel("Reason").fill("Two patients of one name");
  await dialog.getByRole("button", { name: "Move report" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(right.name);
  await expect(page.getByText("Moved here from another record")).toBeVisible();
  await expect(page.getByText("Two patients of one name")).toBeVisible();

  await page.getByRole("button", { name: "Mark as entered in error" }).click();
  await dialog.getByLabel("Reason").fill("Test print");
  await dialog.getByRole("button", { name: "Mark as entered in error" }).click();
  await expect(page.getByText("Entered in error: do not use this report.")).toBeVisible();
  expect((await world.clerk.ask(`/reports?patient_id=${right.id}`)).data).toEqual([]);

  await page.goto(`/patients/${wrong.id}/reports`);
  await waitForPage(page);
  await expect(page.getByText(/A report was moved from here to another record/)).toBeVisible();
});
