// Documents in the portal: upload of each type, failed uploads, versions, the mark of an error, and a patient's own documents.
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { endSessions, logIn } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { startProxy } from "./cuttable-proxy.ts";
import { type DocumentFile, newFileOfEachType, newTextFile, sendDocument, sendVersion } from "./document-files.ts";
import { expect, signInAgain, test, waitForPage } from "./portal.ts";
import { type Patient, uniqueText, type World } from "./world.ts";

const PATIENT = { email: "patient@demo.com", password: DEMO_PASSWORD };
const MAX_FILE_BYTES = 25 * 1024 * 1024;

const documentsOf = async ({ clerk }: World, { id }: Patient, filter = "") =>
  (await clerk.ask(`/documents?patient_id=${id}${filter}`)).data;

async function chooseFile(page: Page, file: DocumentFile): Promise<void> {
  const button = page.getByLabel(/^(File|फ़ाइल)$/);
  const opened = page.waitForEvent("filechooser");
  await expect(button).toBeVisible();
  await button.click();
  await (await opened).setFiles(file);
}

type Fields = { type: string; title?: string; author?: string };

async function fillIn(page: Page, file: DocumentFile, { type, title = "", author = "" }: Fields): Promise<void> {
  await chooseFile(page, file);
  await page.getByLabel("Type").selectOption({ label: type });
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Author").fill(author);
}

const sendButton = (page: Page) => page.getByRole("button", { name: "Upload document", exact: true });

async function downloadedBytes(page: Page, name: string | RegExp): Promise<Buffer> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  return readFile(await (await download).path());
}

/** Answers uploads with a refusal of the service. */
const refuseUploads = (page: Page, status: number, code: string) =>
  page.route("**/api/v1/documents", (route) =>
    route.fulfill({
      status,
      contentType: "application/problem+json",
      json: { status, code, detail: "In English", error_id: "1" },
    }),
  );

test("a nurse uploads a file of each type and downloads the same bytes; the list in Hindi, by type", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/documents` });
  await waitForPage(page);
  await expect(page.getByText("No documents yet.")).toBeVisible();
  const files = await newFileOfEachType(page, patient);
  await page.getByRole("link", { name: "Upload a document" }).click();
  for (const [n, file] of files.entries()) {
    await fillIn(page, file, { type: n === 0 ? "Discharge summary" : "Note", title: `Letter ${n}`, author: "Dr Rao" });
    await sendButton(page).click();
    const notice = page.getByRole("status").filter({ hasText: "Document stored." });
    await expect(notice).toBeFocused();
    await page.getByRole("button", { name: "Upload another document" }).click();
  }
  const stored = (await documentsOf(world, patient)).toReversed();
  expect(stored.map((document: { content_type: string }) => document.content_type)).toEqual(
    files.map(({ mimeType }) => mimeType),
  );
  await page.getByRole("link", { name: "All documents" }).click();
  await expect(page.getByRole("row")).toHaveCount(files.length + 1);
  for (const [n, { buffer }] of files.entries()) {
    expect(await downloadedBytes(page, new RegExp(`^Download Letter ${n},`))).toEqual(buffer);
  }
  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await page.getByLabel("प्रकार").selectOption({ label: "छुट्टी का सारांश" });
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(page.getByRole("row").nth(1)).toContainText("छुट्टी का सारांश");
  await expect(page).toHaveURL(/type=18842-5/);
});

test("a document is uploaded by keyboard alone, and a file that the patient has is not stored again", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const file = newTextFile();
  const { document_id } = await sendDocument(world.clerk, file, { patient_id: patient.id });
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/new` });
  // Listens well before the key: the browser is told to report file choosers without waiting for it.
  const opened = page.waitForEvent("filechooser");
  await waitForPage(page);
  const button = page.getByLabel("File", { exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  await (await opened).setFiles(file);
  await button.focus();
  await page.keyboard.press("Tab");
  await page.keyboard.type("Ref");
  await page.getByLabel("Title").focus();
  await page.keyboard.type("Again");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "This file is stored here already." })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/documents/${document_id}$`));
  expect(await documentsOf(world, patient)).toHaveLength(1);
});

test("a wrong, empty, large or missing file is named at its field, and the input stays", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/new` });
  await waitForPage(page);
  await sendButton(page).click();
  const summary = page.getByRole("alert").filter({ hasText: "File: " });
  await expect(summary).toContainText("Choose a file first.");
  await expect(summary).toContainText("Select an option.");
  const program: DocumentFile = { name: "letter.pdf", mimeType: "application/pdf", buffer: Buffer.from("MZ\0\0\u0003") };
  await fillIn(page, program, { type: "Prescription", title: "Tablets", author: "Dr Rao" });
  await page.getByLabel("Date of the document").fill("2999-01-01");
  await sendButton(page).click();
  const dateError = page.getByRole("link", { name: "Date of the document: Enter a valid date that is not in the future." });
  await expect(dateError).toBeVisible();
  await dateError.press("Enter");
  await expect(page.getByLabel("Date of the document")).toBeFocused();
  await page.getByLabel("Date of the document").fill("2026-01-02");
  await sendButton(page).click();
  await expect(summary).toContainText("This file cannot be stored.");
  await expect(summary).toBeFocused();
  expect(await faultsOf(page)).toEqual([]);
  await chooseFile(page, { ...program, buffer: Buffer.alloc(0) });
  await sendButton(page).click();
  await expect(summary).toContainText("This file is empty.");
  await chooseFile(page, { ...program, buffer: Buffer.alloc(MAX_FILE_BYTES + 1, "a") });
  await sendButton(page).click();
  await expect(summary).toContainText("This file is too large. At most 25 MB are possible.");
  await chooseFile(page, newTextFile());
  await sendButton(page).click();
  await expect(page.getByText("Document stored.")).toBeVisible();
  const [document] = await documentsOf(world, patient);
  expect(document).toMatchObject({ title: "Tablets", author: "Dr Rao", type: { code: "57833-6" } });
  expect(document.date).toBe("2026-01-01T18:30:00.000Z");
});

test("an upload that is cut, lost, refused or offline says what is stored; sent again it is one document", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/new` });
  await fillIn(page, newTextFile(), { type: "Note", title: "Letter" });
  for (const [status, code, text] of [
    [429, "quota_exceeded", "The storage of today is used up."],
    [429, "rate_limited", "Too many requests."],
    [409, "limit_reached", "A document has at most 50 versions."],
    [409, "storage_full", "The storage is full."],
    [413, "too_large", "This file is too large."],
    [503, "unavailable", "The document may have been stored."],
  ] as const) {
    await refuseUploads(page, status, code);
    await sendButton(page).click();
    await expect(page.getByRole("alert").filter({ hasText: text })).toBeVisible();
    await page.unroute("**/api/v1/documents");
  }
  await page.context().setOffline(true);
  await expect(page.getByText("You are offline. Changes are not possible until the network is back.").first()).toBeVisible();
  await page.context().setOffline(false);

  const keys: (string | null)[] = [];
  await page.route("**/api/v1/documents", async (route) => {
    keys.push(await route.request().headerValue("idempotency-key"));
    if (keys.length === 1) return route.abort("connectionreset");
    if (keys.length > 2) return route.fallback();
    await route.fetch();
    return route.abort("connectionreset");
  });
  const failure = page.getByRole("alert").filter({ hasText: /Nothing was stored|It may have been stored/ });
  await sendButton(page).click();
  await expect(failure).toBeVisible();
  expect(await documentsOf(world, patient)).toHaveLength(0);
  await sendButton(page).click();
  await expect.poll(() => keys.length).toBe(2);
  await expect(failure).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("Letter");
  await sendButton(page).click();
  await expect(page.getByText("Document stored.")).toBeVisible();
  expect(new Set(keys).size).toBe(1);
  expect(await documentsOf(world, patient)).toHaveLength(1);
});

test("the largest file: progress, cancelling, a cut wire and a second attempt; leaving meanwhile is asked about", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const wire = await startProxy();
  try {
    const page = await open(nurse, { path: `/patients/${patient.id}/documents/new`, context: { baseURL: wire.url } });
    const file = { ...newTextFile(), buffer: Buffer.alloc(MAX_FILE_BYTES, `${uniqueText()}\n`) };
    await fillIn(page, file, { type: "Note", title: "Large" });
    const stopped = page.getByText(/The upload stopped at \d+ %\. Nothing was stored\./);
    // Slow, and not cut before it is cancelled.
    wire.cutAfter(MAX_FILE_BYTES);
    await sendButton(page).click();
    await expect(page.getByRole("progressbar", { name: "Upload progress" })).toBeVisible();
    await expect(page.getByLabel("Title")).toBeDisabled();
    await page.getByRole("link", { name: "All documents" }).click();
    await page.getByRole("dialog", { name: "Cancel the upload?" }).getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel upload" }).click();
    await expect(stopped).toBeVisible();
    wire.cutAfter(3_000_000);
    await sendButton(page).click();
    await expect(stopped).toBeVisible();
    expect(await documentsOf(world, patient)).toHaveLength(0);
    wire.mend();
    await sendButton(page).click();
    await expect(page.getByText("Document stored.")).toBeVisible();
    const [{ size, title }] = await documentsOf(world, patient);
    expect({ size, title }).toEqual({ size: MAX_FILE_BYTES, title: "Large" });
  } finally {
    wire.end();
  }
});

test("a document that is being entered survives the end of the session", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/new` });
  await fillIn(page, newTextFile(), { type: "Note", title: "Kept" });
  await endSessions(nurse);
  await signInAgain(page, nurse);
  await expect(page.getByText("letter.txt").first()).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("Kept");
  await sendButton(page).click();
  await expect(page.getByText("Document stored.")).toBeVisible();
  expect(await documentsOf(world, patient)).toHaveLength(1);
});

test("a new version: one that came meanwhile is shown before it is replaced, and every version can be downloaded", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const [first, second, third] = [newTextFile(), newTextFile(), newTextFile()];
  const document = await sendDocument(world.clerk, first, { patient_id: patient.id, title: "Letter", author: "Dr Rao" });
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/${document.document_id}` });
  await page.getByRole("link", { name: "Upload a new version" }).click();
  await expect(page.getByText("Replaces version 1:")).toBeVisible();
  await expect(page.getByLabel("Author")).toHaveValue("Dr Rao");
  await page.getByLabel("Title").fill("Letter, corrected");
  await chooseFile(page, third);
  await sendVersion(world.clerk, document, second);
  const send = page.getByRole("button", { name: "Upload version", exact: true });
  await send.click();
  await expect(page.getByRole("alert").filter({ hasText: "There is a newer version meanwhile" })).toBeVisible();
  await expect(page.getByText("Replaces version 2:")).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("Letter, corrected");
  expect(await downloadedBytes(page, "Download Letter")).toEqual(second.buffer);
  await send.click();
  await expect(page.getByText("New version stored.")).toBeVisible();
  await page.getByRole("link", { name: "Open the document" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Letter, corrected");
  await expect(page.getByRole("listitem").filter({ hasText: "Version 3, shown here · Current" })).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "Version 2 · Replaced" })).toBeVisible();
  expect(await downloadedBytes(page, "Download Version 1")).toEqual(first.buffer);
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await expect(page.getByText("This version was replaced.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Upload a new version" })).toHaveCount(0);
  await page.getByRole("link", { name: "Open the current version" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Letter, corrected");
  const [current] = await documentsOf(world, patient);
  expect(current).toMatchObject({ version_number: 3, date: document.date });
});

test("a document is marked as entered in error after a reason, and not if it was replaced meanwhile", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const document = await sendDocument(world.clerk, newTextFile(), { patient_id: patient.id, title: "Misfiled" });
  const page = await open(nurse, { path: `/patients/${patient.id}/documents/${document.document_id}` });
  const mark = page.getByRole("button", { name: "Mark as entered in error" });
  await mark.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Mark as entered in error" })).toBeDisabled();
  await dialog.getByLabel("Reason").fill("Of another patient");
  await sendVersion(world.clerk, document, newTextFile());
  await dialog.getByRole("button", { name: "Mark as entered in error" }).click();
  await expect(dialog.getByText("The document was changed meanwhile.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Mark as entered in error" })).toBeDisabled();
  expect(await documentsOf(world, patient, "&status=entered-in-error")).toHaveLength(0);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "Open the current version" }).click();
  await mark.click();
  await dialog.getByLabel("Reason").fill("Of another patient");
  await dialog.getByRole("button", { name: "Mark as entered in error" }).click();
  await expect(page.getByText("Entered in error: do not use this document.")).toBeVisible();
  await expect(page.getByText("Reason: Of another patient")).toBeVisible();
  await expect(mark).toHaveCount(0);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("link", { name: "All documents" }).click();
  await expect(page.getByText("No documents yet.")).toBeVisible();
  await page.getByLabel("Status").selectOption({ label: "Entered in error" });
  await expect(page.getByRole("row").filter({ hasText: "✕ Entered in error" })).toHaveCount(2);
  expect(await faultsOf(page)).toEqual([]);
});

test("a patient uploads and replaces an own document, reads those of the hospital, and none that was entered in error", async ({
  open,
}) => {
  const nurse = await logIn({ email: "nurse@demo.com", password: DEMO_PASSWORD });
  const [record] = (await (await logIn(PATIENT)).ask("/patients")).data;
  const mark = uniqueText();
  const ofHospital = newTextFile();
  await sendDocument(nurse, ofHospital, { patient_id: record.patient_id, title: `Hospital ${mark}` });
  const wrong = await sendDocument(nurse, newTextFile(), { patient_id: record.patient_id, title: `Wrong ${mark}` });
  const page = await open(PATIENT, { path: "/me/documents" });
  await page.getByRole("link", { name: "Upload a document" }).click();
  const own = newTextFile();
  await fillIn(page, own, { type: "Prescription", title: `Own ${mark}` });
  await sendButton(page).click();
  await page.getByRole("link", { name: "Open the document" }).click();
  expect(await downloadedBytes(page, `Download Own ${mark}`)).toEqual(own.buffer);
  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await page.getByRole("link", { name: "नया संस्करण अपलोड करें" }).click();
  await chooseFile(page, newTextFile());
  await page.getByRole("button", { name: "संस्करण भेजें", exact: true }).click();
  await expect(page.getByText("नया संस्करण रख लिया गया।")).toBeVisible();
  await page.getByRole("button", { name: "English", exact: true }).first().click();
  await page.getByRole("link", { name: "All documents" }).click();
  await expect(page.getByRole("row").filter({ hasText: `Own ${mark}` })).toContainText("2");
  await page.getByRole("link", { name: `Hospital ${mark}` }).click();
  expect(await downloadedBytes(page, `Download Hospital ${mark}`)).toEqual(ofHospital.buffer);
  await expect(page.getByRole("link", { name: "Upload a new version" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Mark as entered in error" })).toHaveCount(0);
  const headers = { "If-Match": `"${wrong.version}"` };
  await nurse.ask(`/documents/${wrong.document_id}`, { method: "DELETE", json: { reason: "Of another patient" }, headers });
  await page.goto("/me/documents");
  await expect(page.getByRole("link", { name: `Hospital ${mark}` })).toBeVisible();
  await expect(page.getByText(`Wrong ${mark}`)).toHaveCount(0);
  await page.goto(`/me/documents/${wrong.document_id}`);
  await expect(page.getByText("Page not found, or you do not have access.")).toBeVisible();
});
