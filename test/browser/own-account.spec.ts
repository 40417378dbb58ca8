// From registration to one's own record: a stranger registers, claims a record, and sees what staff corrects and who looked.
import { faultsOf } from "./axe-check.ts";
import { tabTo } from "./focus-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { uniqueText } from "./world.ts";

const PASSWORD = "lanterns over seven hills";

test("a stranger registers, claims a record, and sees the corrected address and who looked", async ({ open, world, nurse }) => {
  const patient = await world.newPatient({ address: "12 Lake Road, Pune" });
  const { data: issued } = await world.clerk.ask(`/patients/${patient.id}/claim-codes`, { method: "POST" });

  const page = await open(null, { path: "/login" });
  await page.getByRole("link", { name: "Register" }).click();
  await expect(page).toHaveURL(/\/register$/);
  await page.getByLabel("Full name").fill("Sarala Bose");
  await page.getByLabel("E-mail").fill(`${uniqueText()}@example.org`);
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByLabel("Year").fill("1964");
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("alert")).toContainText("At least 15 characters");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Hello, Sarala" })).toBeVisible();

  await page.getByRole("navigation").getByRole("link", { name: "My details" }).first().click();
  await waitForPage(page);
  await expect(page.getByText(/^1964, age /)).toBeVisible();
  const claim = async (day: string) => {
    await page.getByLabel("Code from the hospital").fill(issued.code);
    await page.getByLabel("Day").fill(day);
    await page.getByLabel("Month").selectOption("03");
    await page.getByLabel("Year").fill("1964");
    await page.getByRole("button", { name: "Add record" }).click();
  };
  await claim("5");
  await expect(page.getByRole("alert")).toContainText("birth date or phone number");
  await claim("4");
  await expect(page.getByText("12 Lake Road, Pune")).toBeVisible();
  await expect(page.locator("dd").filter({ hasText: patient.name })).toBeVisible();

  const desk = await open(nurse, { path: `/patients/${patient.id}/history` });
  await expect(desk.getByText("Sarala Bose").first()).toBeVisible();
  await expect(desk.getByText("1 failed attempt, the last")).toBeVisible();
  await desk.getByRole("link", { name: "About" }).click();
  await desk.getByRole("button", { name: "Correct details" }).click();
  await desk.getByLabel("Address").fill("4 Hill Street, Pune");
  await desk.getByLabel("Reason").fill("Moved");
  await desk.getByRole("button", { name: "Save" }).click();
  await expect(desk.getByRole("table", { name: "Changes" })).toContainText("4 Hill Street, Pune");

  await page.reload();
  const record = page.getByLabel("Which record");
  const own = await record.locator("option", { hasText: patient.name }).getAttribute("value");
  await record.selectOption(own);
  const changes = page.getByRole("table", { name: "Changes" });
  await expect(changes).toContainText("12 Lake Road, Pune");
  await expect(changes).toContainText("4 Hill Street, Pune");
  await expect(changes).toContainText("Reason: Moved");
  await page.getByRole("link", { name: "Who saw my record" }).click();
  await expect(page.getByRole("table", { name: "Who saw my record" })).toContainText("changed something in your record");
});

test("two who correct one record see both values before anything is overwritten", async ({ open, world, nurse }) => {
  const patient = await world.newPatient({ address: "12 Lake Road, Pune", phone: "+91 80000 11111" });
  const page = await open(nurse, { path: `/patients/${patient.id}/about` });
  await page.getByRole("button", { name: "Correct details" }).click();
  await page.getByLabel("Address").fill("4 Hill Street, Pune");
  const change = { address: "9 Mill Lane, Pune", phone: "+91 80000 22222" };
  await world.clerk.ask(`/patients/${patient.id}`, { method: "PATCH", json: change, headers: { "If-Match": "*" } });
  await page.getByRole("button", { name: "Save" }).click();
  const both = page.getByRole("table", { name: "Saved and own values" });
  await expect(both).toContainText("9 Mill Lane, Pune");
  await expect(both).toContainText("4 Hill Street, Pune");
  // Where nothing was typed, the saved value is taken.
  await expect(page.getByLabel("Phone")).toHaveValue("+91 80000 22222");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Correct details" })).toBeVisible();
  const { data } = await world.clerk.ask(`/patients/${patient.id}`);
  expect([data.address, data.phone]).toEqual(["4 Hill Street, Pune", "+91 80000 22222"]);
});

test("a record is made inactive with a reason, and monitoring ends", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/about` });
  const frame = page.getByRole("region", { name: "Patient", exact: true });
  await page.getByRole("button", { name: "Make inactive" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Make inactive" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Reason");
  await dialog.getByLabel("Reason").fill("Moved away");
  await dialog.getByRole("button", { name: "Make inactive" }).click();
  await expect(frame).toContainText("Inactive record");
  await expect(frame).toContainText("Not monitored");
  await expect(page.getByRole("table", { name: "Changes" })).toContainText("Reason: Moved away");
});

test("a similar record is shown before a patient is registered, and saving needs a word", async ({ open, world, nurse }) => {
  const patient = await world.newPatient({ phone: "+91 80000 33333" });
  const page = await open(nurse, { path: "/patients" });
  await page.getByRole("button", { name: "New patient" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("First name").fill("Ravi");
  await dialog.getByLabel("Phone").fill("80000 33333");
  await dialog.getByRole("button", { name: "Register patient" }).click();
  await expect(dialog.getByRole("alert")).toContainText("may be of the same person");
  await expect(dialog.getByRole("link", { name: new RegExp(patient.name) })).toBeVisible();
  await dialog.getByRole("button", { name: "Register another patient" }).click();
  await expect(dialog.getByText("Required.").first()).toBeVisible();
  await dialog.getByLabel("Why is it another person?").fill("Her son");
  await dialog.getByRole("button", { name: "Register another patient" }).click();
  await expect(page.getByRole("region", { name: "Patient", exact: true })).toContainText("Ravi");
});

test("forms and dialogs fit on 320 px in both languages, and need no pointer", async ({ open, world, nurse }) => {
  const phone = { context: { viewport: { width: 320, height: 700 } } };
  const patient = await world.newPatient({ phone: "+91 80000 44444", address: "12 Lake Road, Pune" });
  const door = await open(null, { path: "/register", ...phone });
  await door.getByRole("button", { name: "Register" }).click();
  for (const language of ["हिन्दी", "English"]) {
    await door.getByRole("button", { name: language, exact: true }).click();
    expect(await faultsOf(door)).toEqual([]);
  }

  const page = await open(nurse, { path: `/patients/${patient.id}/about`, ...phone });
  await waitForPage(page);
  const edit = page.getByRole("button", { name: "Correct details" });
  await tabTo(page, edit);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("First name")).toBeFocused();
  await world.clerk.ask(`/patients/${patient.id}`, {
    method: "PATCH",
    json: { address: `9 Mill Lane${"-and-on".repeat(20)}` },
    headers: { "If-Match": "*" },
  });
  await tabTo(page, page.getByLabel("Address"));
  await page.keyboard.type(" 411001");
  await tabTo(page, page.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("table", { name: "Saved and own values" })).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await tabTo(page, page.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await expect(edit).toBeFocused();
  expect(await faultsOf(page)).toEqual([]);

  await page.goto("/patients");
  await page.getByRole("button", { name: "New patient" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("First name").fill("Ravi");
  await dialog.getByLabel("Phone").fill("80000 44444");
  await dialog.getByRole("button", { name: "Register patient" }).click();
  await expect(dialog.getByRole("alert")).toContainText("may be of the same person");
  expect(await faultsOf(page)).toEqual([]);
});
