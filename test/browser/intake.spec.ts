// Intake in the portal: staff make a link, somebody without an account answers, and staff register the patient.
import { faultsOf } from "./axe-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, uniqueText } from "./world.ts";

test("answers of a link become a patient, with what staff chose alone", async ({ open, world }) => {
  const own = await newWorld();
  for (const name of own.names) world.names.add(name);
  const last = `Bose ${uniqueText()}`;
  const staff = await open(own.people.nurse, { path: "/intake-review" });
  await waitForPage(staff);
  await staff.getByText("Send an intake link").click();
  await staff.getByRole("checkbox", { name: "Allergies" }).check();
  await staff.getByLabel("One more question").fill("Do you smoke?");
  await staff.getByRole("button", { name: "Make the link" }).click();
  const address = await staff.getByLabel("The link. It is shown here alone.").inputValue();
  expect(await faultsOf(staff)).toEqual([]);

  const { pathname, hash } = new URL(address);
  const form = await open(null, { path: `${pathname}${hash}` });
  await expect(form.getByText(`${own.hospital.name} asks you for the following.`)).toBeVisible();
  await form.getByRole("button", { name: "Send" }).click();
  await expect(form.getByText("Answer at least one question.").first()).toBeVisible();
  await form.getByLabel("First name").fill("Sarala");
  await form.getByLabel("Last name").fill(last);
  await form.getByLabel("Date of birth").fill("1964-03-04");
  await form.getByLabel("Allergies").fill("Penicillin\nDust");
  await form.getByLabel("Do you smoke?").fill("No");
  expect(await faultsOf(form)).toEqual([]);
  await form.getByRole("button", { name: "Send" }).click();
  await expect(form.getByText("Your answers were sent.")).toBeVisible();
  const again = await open(null, { path: `${pathname}${hash}` });
  await expect(again.getByText("This link was used, was withdrawn or has expired.")).toBeVisible();

  await staff.reload();
  await staff.getByRole("row").filter({ hasText: last }).getByRole("link").click();
  await expect(staff.getByText("Do you smoke?: No")).toBeVisible();
  await staff.getByRole("button", { name: "Register a new patient" }).click();
  await expect(staff.getByText("Choose at least one answer.").first()).toBeVisible();
  for (const name of ["First name", "Last name", "Date of birth"])
    await staff.getByRole("checkbox", { name: `Take over: ${name}` }).check();
  expect(await faultsOf(staff)).toEqual([]);
  await staff.getByRole("button", { name: "Register a new patient" }).click();
  await expect(staff.getByText("Taken over: First name, Last name, Date of birth")).toBeVisible();
  await staff.getByRole("link", { name: "Open the record" }).click();
  await expect(staff.getByText(last).first()).toBeVisible();
  await expect(staff.getByText("Penicillin")).toHaveCount(0);
});
