// Consents in the portal: a hospital asks, the person narrows, grants, denies and ends, and staff reads what is shared, and no more.
import type { Page } from "@playwright/test";
import { type Caller, type Login, logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { newTextFile, sendDocument } from "./document-files.ts";
import { createEcg, sendEcg } from "./ecg.ts";
import { claimRecord, newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type Patient, type World } from "./world.ts";

const PHONE = { viewport: { width: 390, height: 844 } } as const;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Hospital `b` asks a person who has records at `a` and `b`. */
type Scene = { a: World; b: World; atA: Patient; atB: Patient; login: Login; person: Caller };

async function newScene(names: Set<string>): Promise<Scene> {
  const [a, b] = [await newWorld(), await newWorld()];
  const [atA, atB] = [await a.newPatient(), await b.newPatient()];
  const login = await newPatientLogin(a, atA);
  const person = await logIn(login);
  await claimRecord(person, b, atB);
  for (const name of [...a.names, ...b.names]) names.add(name);
  return { a, b, atA, atB, login, person };
}

/** "2026-11-30" in the hospitals' zone. */
const day = (fromNow: number): string => new Date(Date.now() + 5.5 * HOUR_MS + fromNow * DAY_MS).toISOString().slice(0, 10);
const startOf = (date: string): string => new Date(Date.parse(`${date}T00:00:00+05:30`)).toISOString();
const endOf = (date: string): string => new Date(Date.parse(`${date}T23:59:59.999+05:30`)).toISOString();

const KINDS = ["report:ecg", "report:cpap", "observations", "documents"];

async function ask({ b, atB }: Scene, change: object = {}): Promise<string> {
  const doctor = await logIn(b.people.doctor);
  const json = {
    patient_id: atB.id,
    purpose: "CAREMGT",
    kinds: KINDS,
    data_from: startOf(day(-60)),
    data_until: endOf(day(1)),
    expires_at: endOf(day(90)),
    reason: "Chest pain, earlier ECGs wanted",
    ...change,
  };
  return (await doctor.ask("/consents", { json })).data.consent_id;
}

const read = async (as: Caller, id: string) => (await as.ask(`/consents/${id}`)).data;
const grant = ({ person, atA }: Scene, id: string, change: object = {}) =>
  person.ask(`/consents/${id}/grant`, { json: { patient_ids: [atA.id], ...change } });

const submit = (page: Page) => page.getByRole("button", { name: "Share these records" });
const summaryOf = (page: Page) => page.getByRole("alert").filter({ hasText: "Check the following fields" });

test("a person reads who asks and why, shares less than was asked on a phone, and ends it", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b, atA, atB, login, person } = scene;
  const id = await ask(scene);
  const page = await open(login, { path: "/me/consents", context: PHONE });
  await waitForPage(page);
  await expect(page.getByText("You share no records now.")).toBeVisible();
  await page.getByRole("link", { name: `Request of ${b.hospital.name}` }).click();
  await waitForPage(page);
  const main = page.getByRole("main");
  for (const text of [b.people.doctor.name, "Chest pain, earlier ECGs wanted", "Treatment and care", "Reports: CPAP"])
    await expect(main).toContainText(text);

  // What was asked is chosen, of no record; the record at the hospital that asks is not among them.
  const records = page.getByRole("group", { name: "Your records to share" });
  await expect(records.getByRole("checkbox", { name: new RegExp(a.hospital.name) })).not.toBeChecked();
  await expect(records.getByRole("checkbox", { name: new RegExp(`No\\. ${atB.number}$|${b.hospital.name}`) })).toHaveCount(0);
  const kinds = page.getByRole("group", { name: "What is shared" });
  await expect(kinds.getByRole("checkbox", { checked: true })).toHaveCount(KINDS.length);
  await expect(kinds.getByRole("checkbox")).toHaveCount(KINDS.length);

  await page.getByLabel("Last day of access").fill(day(91));
  await submit(page).click();
  await expect(summaryOf(page)).toContainText("Choose at least one record.");
  await expect(summaryOf(page)).toContainText("This is more than was asked for.");
  expect(await faultsOf(page)).toEqual([]);
  expect(await read(person, id)).toMatchObject({ status: "requested" });

  await records.getByRole("checkbox", { name: new RegExp(a.hospital.name) }).check();
  await kinds.getByRole("checkbox", { name: "Reports: CPAP" }).uncheck();
  await page.getByLabel("Data from this day on").fill(day(-30));
  await page.getByLabel("Last day of access").fill(day(30));
  await submit(page).click();
  await expect(page.getByText("The records are shared.")).toBeFocused();
  expect(await read(person, id)).toMatchObject({
    status: "granted",
    kinds: KINDS.filter((kind) => kind !== "report:cpap"),
    data_from: startOf(day(-30)),
    data_until: endOf(day(1)),
    expires_at: endOf(day(30)),
    erase_at: endOf(day(30)),
    shared: [{ patient_id: atA.id, hospital_name: a.hospital.name }],
  });

  await page.getByRole("button", { name: "End this consent" }).click();
  const dialog = page.getByRole("dialog", { name: "End this consent?" });
  await expect(dialog).toContainText(`From now on ${b.hospital.name} cannot open the shared records.`);
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "End this consent" }).click();
  await expect(page.getByText("The consent is ended.")).toBeFocused();
  await expect(page.getByRole("button", { name: "End this consent" })).toHaveCount(0);
  expect(await read(person, id)).toMatchObject({ status: "revoked" });

  await page.getByRole("link", { name: "All consents" }).click();
  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await page.getByText("समाप्त और अस्वीकृत").click();
  await expect(main.getByText("समाप्त की गई")).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
});

test("a request is denied after a question, and a second answer changes nothing and says so", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { b, login, person, a } = scene;
  const [denied, raced] = [await ask(scene), await ask(scene)];
  const page = await open(login, { path: `/me/consents/${denied}` });
  await page.getByRole("button", { name: "Deny" }).click();
  const dialog = page.getByRole("dialog", { name: "Deny this request?" });
  await expect(dialog).toContainText(`${b.hospital.name} does not see your records`);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(await read(person, denied)).toMatchObject({ status: "requested" });
  await page.getByRole("button", { name: "Deny" }).click();
  await dialog.getByRole("button", { name: "Deny", exact: true }).click();
  await expect(page.getByText("The request is denied.")).toBeFocused();
  expect(await read(person, denied)).toMatchObject({ status: "denied" });

  await page.goto(`/me/consents/${raced}`);
  await page.getByRole("checkbox", { name: new RegExp(a.hospital.name) }).check();
  await person.ask(`/consents/${raced}/deny`, { method: "POST" });
  await submit(page).click();
  await expect(page.getByText("Another answer came first.")).toBeFocused();
  await expect(page.getByRole("main")).toContainText("Denied");
  await expect(submit(page)).toHaveCount(0);
});

test("staff asks, and reads exactly what the patient shares, marked as the other hospital's, until it ends", async ({
  open,
  world,
}) => {
  const scene = await newScene(world.names);
  const { a, b, atA, atB, person } = scene;
  const ecg = await sendEcg(a.clerk, await createEcg(atA), atA);
  await sendDocument(a.clerk, newTextFile(), { patient_id: atA.id, title: "Letter of A" });
  await a.writeDown(atA, [{ vital: "heart_rate", value: 88, at: Date.now() - HOUR_MS }]);
  const path = `/patients/${atB.id}/other-hospitals`;
  const page = await open(b.people.doctor, { path: `/patients/${atB.id}` });
  await page.getByRole("link", { name: "Ask for them, or read what is shared" }).click();
  await expect(page.getByText("Your hospital has not asked for records of this patient.")).toBeVisible();
  await page.getByRole("link", { name: "Ask for consent" }).click();
  await page.getByRole("button", { name: "Send request" }).click();
  for (const text of ["Select an option.", "Choose at least one.", "Enter a valid date.", "Required."])
    await expect(summaryOf(page)).toContainText(text);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByLabel("Purpose").selectOption({ label: "Treatment and care" });
  for (const name of ["Reports: ECG", "Measurements", "Documents"]) await page.getByRole("checkbox", { name }).check();
  await page.getByLabel("Data from this day on").fill(day(-60));
  await page.getByLabel("Data until this day").fill(day(1));
  await page.getByLabel("Last day of access").fill(day(90));
  await page.getByLabel("Reason").fill("Chest pain");
  await page.getByRole("button", { name: "Send request" }).click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
  await expect(page.getByRole("main").getByText("Asked", { exact: true })).toBeVisible();
  // Nothing of the other hospital before the patient has answered.
  await expect(page.getByRole("main")).not.toContainText(a.hospital.name);

  const [request] = (await person.ask("/consents")).data;
  await grant(scene, request.consent_id);
  await page.reload();
  await page.getByRole("link", { name: `Open the records of ${a.hospital.name}` }).click();
  const frame = page.getByRole("region", { name: `${a.hospital.name}: read only, until` });
  await expect(frame).toContainText("They are not part of the record here.");
  await frame.getByRole("link", { name: /^ECG,/ }).click();
  await expect(page).toHaveURL(new RegExp(`/reports/${ecg.report_id}$`));
  await expect(frame.getByRole("button", { name: "Download" }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /Correct|Move|Mark as/ })).toHaveCount(0);
  await frame.getByRole("link", { name: `All records of ${a.hospital.name}` }).click();
  await frame.getByRole("link", { name: "Documents", exact: true }).click();
  await frame.getByRole("link", { name: "Letter of A" }).click();
  await expect(frame.getByRole("heading", { name: "Letter of A" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Mark as entered in error" })).toHaveCount(0);
  await frame.getByRole("link", { name: "All documents" }).click();
  await frame.getByRole("link", { name: "Measurements", exact: true }).click();
  await expect(frame.getByRole("figure", { name: /Heart rate/ })).toBeVisible();
  await expect(frame.getByText(/\blive\b/i)).toHaveCount(0);
  await frame.getByRole("button", { name: "24 h" }).click();
  await expect(page).toHaveURL(/range=24h/);
  await expect(frame.getByRole("figure", { name: /Heart rate/ })).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);

  // Never among the own records.
  const own = await open(b.people.doctor, { path: `/patients/${atB.id}/reports` });
  await expect(own.getByText("No reports yet.")).toBeVisible();
  await own.close();

  await person.ask(`/consents/${request.consent_id}/revoke`, { method: "POST" });
  // As when somebody returns to the tab.
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await expect(page.getByText("The patient's consent has ended.")).toBeVisible();
  await expect(frame).toHaveCount(0);
  await page.getByRole("link", { name: "All requests" }).click();
  await expect(page.getByRole("main").getByText("Ended", { exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: /^Open the records of/ })).toHaveCount(0);
});

test("shared dates that are over show their last measurements", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b, atA, atB } = scene;
  await a.writeDown(atA, [{ vital: "heart_rate", value: 88, at: Date.now() - 12 * DAY_MS }]);
  const id = await ask(scene, { kinds: ["observations"], data_until: endOf(day(-10)) });
  await grant(scene, id);
  const page = await open(b.people.nurse, { path: `/patients/${atB.id}/other-hospitals/${id}/${atA.id}` });
  await expect(page.getByRole("figure", { name: /Heart rate/ })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Shared records" }).getByRole("link")).toHaveCount(1);
  // A record that the consent does not name.
  await page.goto(`/patients/${atB.id}/other-hospitals/${id}/${atB.id}`);
  await expect(page.getByText("Page not found, or you do not have access.")).toBeVisible();
});

test("notifications lead to the request and to its answer", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { b, atB, login } = scene;
  const id = await ask(scene);
  const openNotification = async (page: Page, title: string) => {
    await page
      .getByRole("banner")
      .getByRole("button", { name: /notification/i })
      .click();
    await page
      .getByRole("dialog", { name: "Notifications" })
      .getByRole("link", { name: `Open: ${title}` })
      .click();
  };
  const page = await open(login, { path: "/me" });
  await openNotification(page, "A hospital asks for your consent");
  await expect(page).toHaveURL(new RegExp(`/me/consents/${id}$`));
  await grant(scene, id);
  const desk = await open(b.people.doctor);
  await openNotification(desk, "Answer to a request for consent");
  await expect(desk).toHaveURL(new RegExp(`/patients/${atB.id}/other-hospitals$`));
});

test("a person shares with a hospital unasked, and by a code that staff enters once", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b, atA, atB, login, person } = scene;
  const page = await open(login, { path: "/me/consents", context: PHONE });
  const fillIn = async (target: string) => {
    await page.getByRole("link", { name: "Share by myself" }).click();
    await page.getByLabel("Share with").selectOption({ label: target });
    await page.getByRole("checkbox", { name: new RegExp(a.hospital.name) }).check();
    await page.getByRole("checkbox", { name: "Documents" }).check();
    await page.getByLabel("Data from this day on").fill(day(-30));
    await page.getByLabel("Data until this day").fill(day(0));
    await page.getByLabel("Last day of access").fill(day(7));
    await page.getByRole("button", { name: "Share", exact: true }).click();
  };
  await page.getByRole("link", { name: "Share by myself" }).click();
  await page.getByRole("button", { name: "Share", exact: true }).click();
  for (const text of ["Select an option.", "Choose at least one record.", "Enter a valid date."])
    await expect(summaryOf(page)).toContainText(text);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("link", { name: "All consents" }).click();
  await fillIn(b.hospital.name);
  await expect(page.getByRole("heading", { name: `Consent for ${b.hospital.name}` })).toBeVisible();
  const [given] = (await person.ask("/consents?status=granted")).data;
  expect(given).toMatchObject({
    hospital_id: b.hospital.hospital_id,
    requested_by: null,
    purpose: "PATRQT",
    kinds: ["documents"],
    data_from: startOf(day(-30)),
    expires_at: endOf(day(7)),
    shared: [{ patient_id: atA.id }],
  });
  await person.ask(`/consents/${given.consent_id}/revoke`, { method: "POST" });

  await page.getByRole("link", { name: "All consents" }).click();
  await fillIn("Any hospital, by a code");
  const shown = page.getByRole("dialog", { name: "Your code" });
  const code = await shown.getByLabel("Code").inputValue();
  expect(await faultsOf(page)).toEqual([]);
  await shown.getByRole("button", { name: "Close" }).click();
  await page.getByText("Codes", { exact: true }).click();
  await expect(page.getByRole("button", { name: /^Withdraw: Valid until/ })).toHaveCount(1);

  const desk = await open(b.people.nurse, { path: `/patients/${atB.id}/other-hospitals` });
  await desk.getByRole("button", { name: "Enter a patient's code" }).click();
  const dialog = desk.getByRole("dialog", { name: "Enter a patient's code" });
  const enter = async (text: string) => {
    await dialog.getByLabel("Code").fill(text);
    await dialog.getByRole("button", { name: "Use code" }).click();
  };
  await enter("ABC");
  await expect(dialog.getByRole("alert")).toContainText("Enter twelve letters A to Z and digits 2 to 7.");
  await enter("AAAA-AAAA-AAAA");
  await expect(dialog.getByRole("alert")).toContainText("This code is not valid any more, or it was entered wrongly.");
  await enter(code.toLowerCase());
  await expect(dialog).toHaveCount(0);
  await expect(desk.getByRole("link", { name: `Open the records of ${a.hospital.name}` })).toBeVisible();
  await desk.getByRole("button", { name: "Enter a patient's code" }).click();
  await enter(code);
  await expect(dialog.getByRole("alert")).toContainText("This code is not valid any more");
});

test("a code is withdrawn after a question", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { atA, login, person } = scene;
  const times = { data_from: startOf(day(-30)), data_until: endOf(day(0)), expires_at: endOf(day(7)) };
  await person.ask("/consents/offers", { json: { patient_ids: [atA.id], kinds: ["documents"], ...times } });
  const page = await open(login, { path: "/me/consents" });
  await page.getByText("Codes", { exact: true }).click();
  await page.getByRole("button", { name: /^Withdraw: Valid until/ }).click();
  await page.getByRole("dialog", { name: "Withdraw this code?" }).getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByText("No code waits for use.")).toBeVisible();
  expect((await person.ask("/consents/offers")).data).toMatchObject([{ state: "withdrawn" }]);
});
