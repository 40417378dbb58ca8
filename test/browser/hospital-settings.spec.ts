// Settings of a hospital that its page reads on demand: escalation of alarms and required channels.
import { faultsOf } from "./axe-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld } from "./world.ts";

test("an administrator sets who is notified of alarms and when, and which channels are required", async ({ open }) => {
  const { hospital, people } = await newWorld();
  const page = await open(people.manager, { path: `/admin/hospitals/${hospital.hospital_id}` });
  await waitForPage(page);
  const cardOf = (name: string) => page.locator("details").filter({ has: page.getByRole("heading", { name, exact: true }) });
  const read: string[] = [];
  page.on("request", (request) => void read.push(new URL(request.url()).pathname));

  const escalation = cardOf("Escalation of alarms");
  await escalation.locator("summary").click();
  await expect(escalation).toContainText("High alarms: minutes to each tier");
  await escalation.getByRole("button", { name: "Edit escalation" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Own minutes to escalation").check();
  await dialog.getByLabel("High alarms: minutes to each tier").fill("10, 3");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("each larger than the one before");
  await dialog.getByLabel("High alarms: minutes to each tier").fill("2, 7");
  await dialog.getByLabel("Own choice of recipients").check();
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(escalation).toContainText("2, 7");

  const required = cardOf("Required channels");
  expect(read.filter((path) => path.endsWith("/required-channels"))).toEqual([]);
  await required.locator("summary").click();
  const nursesByMail = required.getByRole("switch", { name: /E-?mail.*Nurse/i });
  await nursesByMail.click({ force: true });
  await expect(nursesByMail).toBeChecked();
  expect(await faultsOf(page)).toEqual([]);
  await page.reload();
  await waitForPage(page);
  await required.locator("summary").click();
  await expect(nursesByMail).toBeChecked();
});
