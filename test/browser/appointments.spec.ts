// Appointments in the portal: a person asks for a free time, staff confirm it, and the person cancels it.
import { logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type World } from "./world.ts";

const DAY_MS = 86_400_000;
const ALL_DAY = [1, 2, 3, 4, 5, 6, 7].map((day) => [day, 540, 600]);

/** Patients may book the doctor of the world from nine to ten every day. */
async function openDoctor({ admin, people, hospital }: World): Promise<void> {
  const json = { user_id: people.doctor.id, hospital_id: hospital.hospital_id, specialty: "Cardiology" };
  const { practitioner_id } = (await admin.ask("/practitioners", { json })).data;
  const doctor = await logIn(people.doctor);
  await doctor.ask(`/practitioners/${practitioner_id}/availability`, {
    method: "PUT",
    json: { schedules: [{ weekly: ALL_DAY, bookable_by: "patients" }] },
    headers: { "If-Match": "*" },
  });
}

test("a person asks for a time, staff confirm it, and who comes second reads that it was taken", async ({ open, world }) => {
  const own = await newWorld();
  for (const name of own.names) world.names.add(name);
  await openDoctor(own);
  const patient = await own.newPatient();
  const login = await newPatientLogin(own, patient);
  const day = new Date(Date.now() + 3 * DAY_MS).toISOString().slice(0, 10);

  const theirs = await open(login, { path: "/me/appointments" });
  await waitForPage(theirs);
  await theirs.getByLabel("Doctor or nurse").selectOption({ index: 1 });
  await theirs.getByLabel("Day").fill(day);
  await theirs.getByRole("button", { name: "Book", exact: true }).click();
  await expect(theirs.getByText("Choose a free time.").first()).toBeVisible();
  const nine = theirs.getByRole("radio").first();
  await nine.check();
  expect(await faultsOf(theirs)).toEqual([]);

  // Staff take the time while the person still looks at it.
  const staff = await open(own.people.nurse, { path: `/patients/${patient.id}/appointments` });
  await waitForPage(staff);
  await staff.getByLabel("Doctor or nurse").selectOption({ index: 1 });
  await staff.getByLabel("Day").fill(day);
  await staff.getByRole("radio").first().check();
  await staff.getByRole("button", { name: "Book", exact: true }).click();
  await expect(staff.getByRole("table").getByText("Booked")).toBeVisible();
  await theirs.getByRole("button", { name: "Book", exact: true }).click();
  await expect(theirs.getByText("That time was just taken. Choose another one.").first()).toBeVisible();

  await theirs.reload();
  await waitForPage(theirs);
  await theirs.getByLabel("Doctor or nurse").selectOption({ index: 1 });
  await theirs.getByLabel("Day").fill(day);
  await theirs.getByRole("radio").first().check();
  await theirs.getByLabel("Reason").fill("Follow-up");
  await theirs.getByRole("button", { name: "Book", exact: true }).click();
  await expect(theirs.getByRole("table").getByText("Requested")).toBeVisible();

  await staff.reload();
  await staff.getByRole("row").filter({ hasText: "Requested" }).getByRole("link").click();
  await staff.getByRole("button", { name: "Confirm" }).click();
  await expect(staff.getByRole("main").getByText("Booked")).toBeVisible();

  await theirs.reload();
  await waitForPage(theirs);
  await theirs.getByRole("row").filter({ hasText: "Booked" }).getByRole("link").last().click();
  await theirs.getByRole("button", { name: "Cancel the appointment" }).click();
  await theirs.getByRole("dialog").getByRole("button", { name: "Cancel the appointment" }).click();
  await expect(theirs.getByRole("main").getByText("Cancelled", { exact: true })).toBeVisible();
  expect(await faultsOf(theirs)).toEqual([]);
});
