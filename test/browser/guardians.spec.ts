// Guardians in the portal: a code, two members of staff, what the person sees, and the end by either side.
import { logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, uniqueText } from "./world.ts";

const PHONE = { viewport: { width: 390, height: 844 } } as const;

/** A hospital of its own with a patient, and the login of somebody who becomes the guardian. */
async function newScene(names: Set<string>) {
  const own = await newWorld();
  for (const name of own.names) names.add(name);
  const patient = await own.newPatient();
  const guardianLogin = { email: `guardian-${uniqueText()}@example.org`, password: "lanterns over seven hills" };
  await own.admin.ask("/auth/register", { json: { ...guardianLogin, full_name: "Meera Bose" } });
  return { own, patient, guardianLogin };
}

test("a guardian shows a code, staff records them with it, and a colleague confirms", async ({ open, world }) => {
  const { own, patient, guardianLogin } = await newScene(world.names);

  const theirs = await open(guardianLogin, { path: "/me/guardians", context: PHONE });
  await waitForPage(theirs);
  await expect(theirs.getByText("You are nobody's guardian.")).toBeVisible();
  await theirs.getByRole("button", { name: "Create a code" }).click();
  const shown = theirs.getByRole("dialog", { name: "Your code" });
  const code = await shown.getByLabel("Code of the guardian").inputValue();
  expect(await faultsOf(theirs)).toEqual([]);
  await shown.getByRole("button", { name: "Close" }).last().click();

  const staff = await open(own.people.nurse, { path: `/patients/${patient.id}/about` });
  await waitForPage(staff);
  await staff.getByRole("button", { name: "Record a guardian" }).click();
  const dialog = staff.getByRole("dialog", { name: "Record a guardian" });
  await dialog.getByRole("button", { name: "Record", exact: true }).click();
  await expect(dialog.getByText("Enter twelve letters A to Z and digits 2 to 7.").first()).toBeVisible();
  expect(await faultsOf(staff)).toEqual([]);
  await dialog.getByLabel("Code of the guardian").fill(code);
  await dialog.getByLabel("Relationship").selectOption({ label: "Legal guardian" });
  await dialog.getByLabel("Ground").selectOption({ label: "Cannot decide" });
  await dialog.getByLabel("Reason").fill("Order of the district court, seen.");
  await dialog.getByLabel("Until the end of").fill(`${new Date().getFullYear() + 2}-05-01`);
  await dialog.getByRole("button", { name: "Record", exact: true }).click();
  await expect(dialog).toBeHidden();
  const main = staff.getByRole("main");
  await expect(main.getByText("To be confirmed")).toBeVisible();
  await expect(main.getByText("You recorded it. A colleague has to confirm it.")).toBeVisible();
  await expect(staff.getByRole("button", { name: "Confirm: Meera Bose" })).toHaveCount(0);
  expect(await faultsOf(staff)).toEqual([]);

  const colleague = await open(own.people.manager, { path: `/patients/${patient.id}/about` });
  await waitForPage(colleague);
  await colleague.getByRole("button", { name: "Confirm: Meera Bose" }).click();
  await colleague.getByRole("dialog").getByRole("button", { name: "Confirm", exact: true }).click();
  await expect(colleague.getByRole("main").getByText("Decides", { exact: true })).toBeVisible();
});

test("the person sees who decides and asks the hospital, and the guardian lays it down", async ({ open, world }) => {
  const { own, patient, guardianLogin } = await newScene(world.names);
  const personLogin = await newPatientLogin(own, patient);
  const { code } = (await (await logIn(guardianLogin)).ask("/guardian-codes", { method: "POST" })).data;
  const json = {
    code,
    relationship: "legal_guardian",
    ground: "cannot_decide",
    reason: "Order of the district court, seen.",
    until: new Date(Date.now() + 300 * 86_400_000).toISOString(),
  };
  const [nurse, manager] = [await logIn(own.people.nurse), await logIn(own.people.manager)];
  const { guardianship_id } = (await nurse.ask(`/patients/${patient.id}/guardians`, { json })).data;
  await manager.ask(`/guardianships/${guardianship_id}/confirm`, { method: "POST" });

  const persons = await open(personLogin, { path: "/me/guardians", context: PHONE });
  await waitForPage(persons);
  await expect(persons.getByText(`Meera Bose, at ${own.hospital.name}`)).toBeVisible();
  await expect(persons.getByText("Order of the district court")).toHaveCount(0);
  // Whoever cannot decide asks the hospital.
  await expect(persons.getByRole("button", { name: "End the guardianship of Meera Bose?" })).toHaveCount(0);
  await persons.getByRole("button", { name: "Ask the hospital about Meera Bose" }).click();
  const asking = persons.getByRole("dialog");
  await asking.getByLabel("Your question (optional)").fill("I can decide again.");
  expect(await faultsOf(persons)).toEqual([]);
  await asking.getByRole("button", { name: "Send question" }).click();
  await expect(persons.getByText(/^You asked about this on/)).toBeVisible();
  const { data: notices } = await (await logIn(personLogin)).ask("/notifications");
  const named = notices.filter(({ kind }: { kind: string }) => kind.startsWith("guardian."));
  expect(named.map((one: { guardian_name: string }) => one.guardian_name)).toEqual(["Meera Bose", "Meera Bose"]);
  await persons.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await expect(persons.getByRole("heading", { name: "मेरे लिए कौन निर्णय करता है" })).toBeVisible();
  expect(await faultsOf(persons)).toEqual([]);

  const theirs = await open(guardianLogin, { path: "/me/guardians", context: PHONE });
  await waitForPage(theirs);
  await expect(theirs.getByText(`${patient.name}, at ${own.hospital.name}`)).toBeVisible();
  await theirs.getByRole("button", { name: /^Decide no more for/ }).click();
  await theirs.getByRole("dialog").getByRole("button", { name: "Lay down", exact: true }).click();
  await expect(theirs.getByRole("main").getByText("Ended", { exact: true })).toBeVisible();
  expect(await faultsOf(theirs)).toEqual([]);
});

/** Records and confirms a guardian. @returns the guardianship's id */
async function newGuardian({ own, patient, guardianLogin }: Awaited<ReturnType<typeof newScene>>, isConfirmed: boolean) {
  const { code } = (await (await logIn(guardianLogin)).ask("/guardian-codes", { method: "POST" })).data;
  const json = {
    ...{ code, relationship: "parent", ground: "minor", reason: "Birth certificate seen." },
    until: new Date(Date.now() + 300 * 86_400_000).toISOString(),
  };
  const { data } = await (await logIn(own.people.nurse)).ask(`/patients/${patient.id}/guardians`, { json });
  const manager = await logIn(own.people.manager);
  if (isConfirmed) await manager.ask(`/guardianships/${data.guardianship_id}/confirm`, { method: "POST" });
  return { id: String(data.guardianship_id), guardianId: String(data.guardian_id), manager };
}

test("a consent leaves the screen of a guardian who decides no more", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { own, patient, guardianLogin } = scene;
  const { id, manager } = await newGuardian(scene, true);
  const day = (fromNow: number) => new Date(Date.now() + fromNow * 86_400_000).toISOString();
  const json = {
    ...{ patient_id: patient.id, purpose: "CAREMGT", kinds: ["observations"], reason: "Earlier values wanted" },
    ...{ data_from: day(-60), data_until: day(1), expires_at: day(90) },
  };
  const { consent_id } = (await (await logIn(own.people.doctor)).ask("/consents", { json })).data;
  const page = await open(guardianLogin, { path: `/me/consents/${consent_id}` });
  const main = page.getByRole("main");
  await expect(main).toContainText("Earlier values wanted");
  await manager.ask(`/guardianships/${id}/end`, { json: { reason: "The child is of age." } });
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("dialog", { name: "Deny this request?" }).getByRole("button", { name: "Deny", exact: true }).click();
  await expect(page.getByText("Page not found, or you do not have access.")).toBeVisible();
  await expect(main).not.toContainText("Earlier values wanted");
  await expect(main).not.toContainText(own.hospital.name);
});

test("a guardian who joined the staff is not offered to confirm themselves", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { own, patient, guardianLogin } = scene;
  const { guardianId } = await newGuardian(scene, false);
  await own.admin.ask(`/hospitals/${own.hospital.hospital_id}/members/${guardianId}`, { method: "PUT", json: { role: "nurse" } });
  const colleague = await open(own.people.manager, { path: `/patients/${patient.id}/about` });
  await expect(colleague.getByRole("button", { name: "Confirm: Meera Bose" })).toBeVisible();
  const theirs = await open(guardianLogin, { path: `/patients/${patient.id}/about` });
  await expect(theirs.getByRole("button", { name: "End: Meera Bose" })).toBeVisible();
  await expect(theirs.getByRole("button", { name: "Confirm: Meera Bose" })).toHaveCount(0);
});
