// The portal's part of docs/trust-story.md: a patient shares less than was asked on a phone, and the doctor's open page ends with the consent.
import { logIn } from "./api.ts";
import { newTextFile, sendDocument } from "./document-files.ts";
import { createEcg, sendEcg } from "./ecg.ts";
import { claimRecord, newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld } from "./world.ts";

const PHONE = { viewport: { width: 390, height: 844 } } as const;
const DAY_MS = 86_400_000;
const fromNow = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

test("a doctor's open page of a shared record ends when the patient ends the consent on the phone", async ({ open, world }) => {
  const [a, b] = [await newWorld(), await newWorld()];
  const [atA, atB] = [await a.newPatient(), await b.newPatient()];
  for (const name of [...a.names, ...b.names]) world.names.add(name);
  const login = await newPatientLogin(a, atA);
  await claimRecord(await logIn(login), b, atB);
  await sendEcg(a.clerk, await createEcg(atA), atA);
  await sendDocument(a.clerk, newTextFile(), { patient_id: atA.id, title: "Letter of A" });
  const doctor = await logIn(b.people.doctor);
  const json = {
    patient_id: atB.id,
    purpose: "CAREMGT",
    kinds: ["report:ecg", "documents"],
    data_from: fromNow(-60),
    data_until: fromNow(1),
    expires_at: fromNow(90),
    reason: "Chest pain, earlier findings wanted",
  };
  const { consent_id: id } = (await doctor.ask("/consents", { json })).data;

  const phone = await open(login, { path: `/me/consents/${id}`, context: PHONE });
  await waitForPage(phone);
  await phone.getByRole("checkbox", { name: new RegExp(a.hospital.name) }).check();
  await phone.getByRole("checkbox", { name: "Reports: ECG" }).uncheck();
  await phone.getByRole("button", { name: "Share these records" }).click();
  await expect(phone.getByText("The records are shared.")).toBeFocused();

  const page = await open(b.people.doctor, { path: `/patients/${atB.id}/other-hospitals/${id}/${atA.id}` });
  const frame = page.getByRole("region", { name: `${a.hospital.name}: read only, until` });
  // What the patient left out is not offered.
  await expect(frame.getByRole("navigation", { name: "Shared records" }).getByRole("link")).toHaveCount(1);
  await frame.getByRole("link", { name: "Letter of A" }).click();
  await expect(frame.getByRole("heading", { name: "Letter of A" })).toBeVisible();

  await phone.getByRole("button", { name: "End this consent" }).click();
  await phone.getByRole("dialog").getByRole("button", { name: "End this consent" }).click();
  await expect(phone.getByText("The consent is ended.")).toBeFocused();
  // As when somebody returns to the tab; without that the page asks every minute.
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await expect(page.getByText("The patient's consent has ended.")).toBeVisible();
  await expect(frame).toHaveCount(0);
});
