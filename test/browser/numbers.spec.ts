// A typed number that can be read in two ways is asked about where it is typed, in both languages, and counts for nothing until then.
import { expect, test, waitForPage } from "./portal.ts";

test("a number with one comma before three digits is asked about, and takes the reading that is chosen", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/observations/new` });
  await waitForPage(page);
  const temperature = page.getByLabel("Temperature", { exact: true });
  await temperature.fill("36,600");
  const question = page.getByRole("status").filter({ hasText: "Did you mean 36600 or 36.6?" });
  await expect(question).toBeVisible();
  await question.getByRole("button", { name: "36.6", exact: true }).click();
  await expect(temperature).toHaveValue("36.6");
  await expect(question).toHaveCount(0);

  await page.getByRole("button", { name: "हिन्दी" }).click();
  const field = page.getByLabel("तापमान", { exact: true });
  await field.fill("३६,६००");
  await expect(page.getByRole("status").filter({ hasText: "आपका मतलब 36600 है या 36.6?" })).toBeVisible();
  await field.fill("३६,६");
  await expect(page.getByRole("status").filter({ hasText: "आपका मतलब" })).toHaveCount(0);
});
