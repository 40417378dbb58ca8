// Document requests in the portal: staff asks, the person agrees, the other hospital answers, and staff reads what was shared.
import type { Page } from "@playwright/test";
import { type Caller, type Login, logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { newTextFile, sendDocument } from "./document-files.ts";
import { claimRecord, newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld, type Patient, type World } from "./world.ts";

const PHONE = { viewport: { width: 390, height: 844 } } as const;
const DESCRIPTION = "Discharge summary of the pneumonia";

/** Hospital `b` asks for documents that `a` has of a person with a record at each. */
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

/** @returns the ids of a request and its consent */
async function ask({ b, a, atB }: Scene, change: object = {}) {
  const json = { patient_id: atB.id, hospital_id: a.hospital.hospital_id, description: DESCRIPTION, ...change };
  const { data } = await (await logIn(b.people.doctor)).ask("/document-requests", { json });
  return { id: String(data.document_request_id), consent: String(data.consent_id) };
}
const grant = ({ person, atA }: Scene, consent: string) =>
  person.ask(`/consents/${consent}/grant`, { json: { patient_ids: [atA.id] } });
const take = (by: Caller, id: string, step: string, json: object = {}) => by.ask(`/document-requests/${id}/${step}`, { json });
const stateOf = async (as: Caller, id: string): Promise<string> => (await as.ask(`/document-requests/${id}`)).data.status;

const summaryOf = (page: Page) => page.getByRole("alert").filter({ hasText: "Check the following fields" });
const stepsOf = (page: Page) => page.getByRole("main").getByRole("listitem");
const inHindi = (page: Page) => page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();

async function openNotification(page: Page, title: string): Promise<void> {
  await page
    .getByRole("banner")
    .getByRole("button", { name: /notification/i })
    .click();
  await page
    .getByRole("dialog", { name: "Notifications" })
    .getByRole("link", { name: `Open: ${title}` })
    .first()
    .click();
}

test("staff asks a hospital by name for a described document of a patient", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b, atB, person } = scene;
  const page = await open(b.people.doctor, { path: `/patients/${atB.id}/documents` });
  await page.getByRole("link", { name: "Ask another hospital" }).click();
  await page.getByRole("button", { name: "Send request" }).click();
  for (const text of ["Write at least 3 characters.", "Select an option."]) await expect(summaryOf(page)).toContainText(text);
  expect(await faultsOf(page)).toEqual([]);

  const hospital = page.getByLabel("Hospital", { exact: true });
  if ((await hospital.evaluate(({ tagName }) => tagName)) === "SELECT") await hospital.selectOption({ label: a.hospital.name });
  else await hospital.fill(a.hospital.name);
  await page.getByLabel("Type", { exact: true }).selectOption({ label: "Discharge summary" });
  await page.getByLabel("What is needed and why").fill(DESCRIPTION);
  await page.getByLabel("Documents from this day on").fill("2026-05-01");
  await page.getByLabel("Documents until this day").fill("2026-04-01");
  await page.getByLabel("Purpose").selectOption({ label: "Treatment and care" });
  await page.getByRole("button", { name: "Send request" }).click();
  await expect(summaryOf(page)).toContainText("The last day is before the first.");
  await page.getByLabel("Documents until this day").fill("2026-05-31");
  await page.getByRole("button", { name: "Send request" }).click();

  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  const main = page.getByRole("main");
  for (const text of [a.hospital.name, DESCRIPTION, "Discharge summary", "1 May 2026 to 31 May 2026", "Waits for the patient"])
    await expect(main).toContainText(text);
  await expect(stepsOf(page).filter({ hasText: "Consent of the patient · Waiting" })).toHaveAttribute("aria-current", "step");
  expect(await faultsOf(page)).toEqual([]);
  const [request] = (await person.ask("/document-requests")).data;
  expect(request).toMatchObject({
    ...{ status: "requested", hospital: { name: a.hospital.name }, type: { code: "18842-5" }, purpose: "CAREMGT" },
    ...{ date_from: "2026-04-30T18:30:00.000Z", date_to: "2026-05-31T18:30:00.000Z" },
  });

  // Nothing at the asked hospital before the patient has agreed.
  const desk = await open(a.people.nurse, { path: `/requests/${request.document_request_id}` });
  await expect(desk.getByText("Page not found, or you do not have access.")).toBeVisible();
  await desk.goto("/requests");
  await expect(desk.getByText("No requests to your hospital.")).toBeVisible();

  await page.getByRole("button", { name: "Cancel the request" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this request?" });
  await expect(dialog.getByRole("button", { name: "Cancel", exact: true })).toBeFocused();
  await dialog.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByText("The request is cancelled.")).toBeFocused();
  await expect(page.getByRole("button", { name: "Cancel the request" })).toHaveCount(0);
  expect(await stateOf(person, request.document_request_id)).toBe("cancelled");
});

test("a person is told on the home page, agrees on a phone, and sees what was shared", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b, atA, login } = scene;
  const { id, consent } = await ask(scene);
  const page = await open(login, { path: "/me", context: PHONE });
  await expect(page.getByText("1 request waits for your answer")).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await ask(scene, { description: "Laboratory results" });
  await expect(page.getByText("2 requests wait for your answer")).toBeVisible();
  await page.getByRole("link", { name: "Read and answer" }).click();
  await page
    .getByRole("link", { name: `${b.hospital.name} asks for documents` })
    .last()
    .click();
  await waitForPage(page);
  const main = page.getByRole("main");
  await expect(main).toContainText(`${b.hospital.name} asks ${a.hospital.name} for documents of yours.`);
  for (const text of [DESCRIPTION, b.people.doctor.name, "Waits for your answer"]) await expect(main).toContainText(text);
  await expect(main).not.toContainText("the patient");
  await expect(main.getByText("Any time", { exact: true })).toHaveCount(2);
  for (const field of ["Data from this day on", "Data until this day"]) await expect(page.getByLabel(field)).toHaveValue("");
  const records = page.getByRole("group", { name: "Record with the documents" });
  await expect(records.getByRole("checkbox")).toHaveCount(1);
  await records.getByRole("checkbox", { name: new RegExp(a.hospital.name) }).check();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Agree to this request" }).click();
  await expect(page.getByText("You agreed. The asked hospital sees the request now.")).toBeFocused();
  await expect(stepsOf(page).filter({ hasText: "You agreed" })).toBeVisible();
  await expect(stepsOf(page).filter({ hasText: "Answer of the asked hospital · Waiting" })).toBeVisible();
  await page.goto("/me");
  await waitForPage(page);
  await expect(page.getByRole("heading", { name: "Who saw my record" })).toBeVisible();
  await expect(page.getByText("1 request waits for your answer")).toBeVisible();

  const { document_id } = await sendDocument(a.clerk, newTextFile(), { patient_id: atA.id, title: "Letter of A" });
  await take(a.clerk, id, "approve");
  await take(a.clerk, id, "fulfil", { document_ids: [document_id] });
  await openNotification(page, "Documents shared");
  await expect(page).toHaveURL(new RegExp(`/me/consents/${consent}$`));
  await expect(main).toContainText(`${b.hospital.name} can read these until`);
  await inHindi(page);
  expect(await faultsOf(page)).toEqual([]);
  await main.getByRole("link", { name: "Letter of A" }).click();
  await expect(page).toHaveURL(new RegExp(`/me/documents/${document_id}$`));
});

test("a hospital that was denied reads why it cannot ask again yet", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { b, atB, person } = scene;
  const [denied] = [await ask(scene), await ask(scene), await ask(scene)];
  await person.ask(`/consents/${denied.consent}/deny`, { method: "POST" });
  const page = await open(b.people.doctor, { path: `/patients/${atB.id}/documents` });
  await page.getByRole("link", { name: "Ask another hospital" }).click();
  await page.getByLabel("What is needed and why").fill(DESCRIPTION);
  await page.getByLabel("Purpose").selectOption({ label: "Treatment and care" });
  await page.getByRole("button", { name: "Send request" }).click();
  await expect(page.getByText("The patient has denied a request of your hospital.")).toBeVisible();
});

test("a person denies, and the hospital that asked reads it", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { b, login } = scene;
  const { id, consent } = await ask(scene);
  const page = await open(login, { path: `/me/consents/${consent}` });
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("dialog", { name: "Deny this request?" }).getByRole("button", { name: "Deny", exact: true }).click();
  await expect(page.getByText("The request is denied.")).toBeFocused();
  await expect(stepsOf(page).filter({ hasText: "You denied" })).toBeVisible();
  const desk = await open(b.people.doctor, { path: `/requests/${id}` });
  await expect(stepsOf(desk).filter({ hasText: "The patient denied" })).toBeVisible();
  await expect(stepsOf(desk).filter({ hasText: "Documents · Not reached" })).toBeVisible();
});

test("the asked hospital approves, picks documents, and the other reads these alone until the consent ends", async ({
  open,
  world,
}) => {
  const scene = await newScene(world.names);
  const { a, b, atA, atB, person } = scene;
  const { id, consent } = await ask(scene);
  await grant(scene, consent);
  const desk = await open(a.people.manager, { path: "/" });
  await openNotification(desk, "Request for documents");
  await expect(desk).toHaveURL(new RegExp(`/requests/${id}$`));
  const main = desk.getByRole("main");
  for (const text of [b.hospital.name, DESCRIPTION, "Treatment and care", "Readable until", `${atA.name} · no. ${atA.number}`])
    await expect(main).toContainText(text);
  await desk.getByRole("button", { name: "Approve" }).click();
  await expect(desk.getByText("The request is approved. Now choose the documents.")).toBeFocused();
  await expect(main).toContainText("This patient has no documents here.");
  for (const title of ["Letter of A", "Other letter of A"])
    await sendDocument(a.clerk, newTextFile(), { patient_id: atA.id, title });
  await desk.reload();
  await desk.getByRole("button", { name: "Share these documents" }).click();
  await expect(summaryOf(desk)).toContainText("Choose at least one document.");
  expect(await faultsOf(desk)).toEqual([]);
  await desk.getByRole("checkbox", { name: /^Letter of A ·/ }).check();
  await desk.getByRole("button", { name: "Share these documents" }).click();
  await expect(desk.getByText("The documents are shared.")).toBeFocused();
  await expect(stepsOf(desk).filter({ hasText: "1 document shared" })).toBeVisible();
  expect(await faultsOf(desk)).toEqual([]);

  const page = await open(b.people.doctor, { path: `/requests/${id}` });
  await expect(page.getByRole("main")).toContainText(`They belong to ${a.hospital.name} and can be read until`);
  await page.getByRole("link", { name: "Letter of A" }).click();
  const frame = page.getByRole("region", { name: `${a.hospital.name}: read only, until` });
  await expect(frame.getByRole("heading", { name: "Letter of A" })).toBeVisible();
  const sharedUrl = page.url();
  await expect(page.getByRole("button", { name: "Mark as entered in error" })).toHaveCount(0);
  await frame.getByRole("link", { name: "All documents" }).click();
  await expect(frame.getByRole("link", { name: "Letter of A" })).toHaveCount(1);
  await expect(frame.getByText("Other letter of A")).toHaveCount(0);
  await page.goto(`/patients/${atB.id}/other-hospitals`);
  await expect(page.getByRole("link", { name: "Open the request" })).toHaveAttribute("href", `/requests/${id}`);

  await person.ask(`/consents/${consent}/revoke`, { method: "POST" });
  await page.goto(`/requests/${id}`);
  await expect(page.getByText("The consent has ended. These documents cannot be read any more.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Letter of A" })).toHaveCount(0);
  await page.goto(sharedUrl);
  await expect(page.getByText("The patient's consent has ended.")).toBeVisible();
  await page.getByRole("link", { name: "All requests" }).click();
  await expect(page).toHaveURL(new RegExp(`/patients/${atB.id}/other-hospitals$`));
});

test("a rejection says why, and a step that came first is said and changes nothing", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b } = scene;
  const [rejected, raced] = [await ask(scene), await ask(scene)];
  for (const { consent } of [rejected, raced]) await grant(scene, consent);
  const desk = await open(a.people.nurse, { path: `/requests/${rejected.id}` });
  await desk.getByRole("button", { name: "Reject" }).click();
  const dialog = desk.getByRole("dialog", { name: "Reject this request?" });
  await expect(dialog.getByRole("button", { name: "Reject", exact: true })).toBeDisabled();
  await dialog.getByLabel("Reason").fill("Not in our records");
  await dialog.getByRole("button", { name: "Reject", exact: true }).click();
  await expect(desk.getByText("The request is rejected.")).toBeFocused();
  const page = await open(b.people.doctor, { path: "/" });
  await openNotification(page, "Answer to a request for documents");
  await expect(page).toHaveURL(new RegExp(`/requests/${rejected.id}$`));
  await expect(stepsOf(page).filter({ hasText: "Rejected: Not in our records" })).toBeVisible();

  await desk.goto(`/requests/${raced.id}`);
  await expect(desk.getByRole("button", { name: "Approve" })).toBeVisible();
  await take(await logIn(b.people.doctor), raced.id, "cancel");
  await desk.getByRole("button", { name: "Approve" }).click();
  await expect(desk.getByText("Another step came first.")).toBeFocused();
  await expect(stepsOf(desk).filter({ hasText: `Cancelled by ${b.hospital.name}` })).toBeVisible();
});

test("requests are listed by direction and state, with their number, in both languages and widths", async ({ open, world }) => {
  const scene = await newScene(world.names);
  const { a, b } = scene;
  const consented = await ask(scene);
  await ask(scene);
  await grant(scene, consented.consent);
  const page = await open(b.people.nurse, { path: "/requests?direction=out" });
  const tabs = page.getByRole("navigation", { name: "Direction" });
  await expect(tabs.getByRole("link", { name: "From your hospital 2" })).toHaveAttribute("aria-current", "page");
  await expect(tabs.getByRole("link", { name: "To your hospital 0" })).toBeVisible();
  await page.getByLabel("Status").selectOption({ label: "Waits for the patient" });
  await expect(page).toHaveURL(/direction=out&status=requested$/);
  const rows = page.getByRole("table", { name: "Requests for documents" }).getByRole("row");
  await expect(rows).toHaveCount(2);
  await expect(tabs.getByRole("link", { name: "From your hospital 1" })).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
  await tabs.getByRole("link", { name: /^To your hospital/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText("No requests to your hospital.")).toBeVisible();

  const desk = await open(a.people.nurse, { path: "/requests", context: PHONE });
  await expect(desk.getByRole("link", { name: "To your hospital 1" })).toBeVisible();
  await inHindi(desk);
  await expect(desk.getByRole("main")).toContainText("अस्पताल के उत्तर की प्रतीक्षा");
  expect(await faultsOf(desk)).toEqual([]);
  await desk.getByRole("link", { name: /का अनुरोध खोलें$/ }).click();
  await expect(desk).toHaveURL(new RegExp(`/requests/${consented.id}$`));
  await waitForPage(desk);
  expect(await faultsOf(desk)).toEqual([]);
});
