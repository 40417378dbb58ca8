// One record behind all parts of a patient's page: what one part changes, the others show without a reload.
import { expect, test, waitForPage } from "./portal.ts";
import { NORMAL_VALUES } from "./world.ts";

const WARD = "Ward of the new monitor";

test("monitoring that is switched on in a patient's page changes the frame around it", async ({ open, world, nurse }) => {
  const ward = await world.newWard(WARD);
  const patient = await world.newPatient({ monitoring: "off", ward_id: null });
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  const frame = page.getByRole("region", { name: "Patient", exact: true });
  await expect(frame).toContainText("Not monitored");
  await expect(frame).not.toContainText(WARD);
  // A reload would lose it.
  await page.evaluate(() => document.body.setAttribute("data-same-document", ""));

  const form = page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: "Monitoring", exact: true }) })
    .last();
  await form.getByLabel("Monitoring", { exact: true }).selectOption("ward");
  await form.getByLabel("Ward", { exact: true }).selectOption(ward.id);
  await form.getByRole("button", { name: "Save" }).click();
  await expect(frame).not.toContainText("Not monitored");
  await expect(frame).toContainText(WARD);

  await (await world.newMonitor(patient)).send(NORMAL_VALUES);
  await expect(frame).toContainText("Live", { timeout: 20_000 });
  await expect(page.locator("body[data-same-document]")).toHaveCount(1);
});
