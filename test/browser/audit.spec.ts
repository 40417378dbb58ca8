// The audit log in the portal: a patient sees who read their record, why, and with proof; an administrator filters, verifies and exports.
import { readFile } from "node:fs/promises";
import type { Download, Page } from "@playwright/test";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { type Caller, type Login, logIn } from "./api.ts";
import { patiently } from "./extent.ts";
import { newPatientLogin } from "./patient-login.ts";
import { expect, test, waitForPage } from "./portal.ts";
import type { Patient } from "./world.ts";

const PLATFORM_ADMIN: Login = { email: "adm@demo.com", password: DEMO_PASSWORD };
/** An event is in the patient's own log within this time. */
const MAX_DELAY_MS = 5_000;

async function download(page: Page, start: () => Promise<unknown>): Promise<{ name: string; text: string }> {
  const pending = page.waitForEvent("download", { timeout: patiently(10_000) });
  await start();
  const file: Download = await pending;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
}

/** The record of this account at the hospital, not the one that it registered with. */
async function chooseRecord(page: Page, patient: Patient): Promise<void> {
  const record = page.getByLabel("Which record");
  if ((await record.count()) === 0) return;
  const value = await record.locator("option", { hasText: patient.name }).getAttribute("value");
  await record.selectOption(value);
}

test("a patient sees a nurse's read within five seconds, with the reason in words, a proof and a CSV", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const login = await newPatientLogin(world, patient);
  const page = await open(login, { path: "/me/access" });
  await waitForPage(page);
  await chooseRecord(page, patient);
  const log = page.getByRole("table", { name: "Who saw my record" });
  await expect(log).toBeVisible();
  await expect(log).not.toContainText("opened your record");

  const reader: Caller = await logIn(nurse);
  await reader.ask(`/patients/${patient.id}`);
  const readAt = Date.now();
  const row = log.getByRole("row").filter({ hasText: "opened your record" });
  await expect(async () => {
    await page.getByRole("button", { name: "Check again" }).click();
    await expect(row).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: patiently(MAX_DELAY_MS) });
  expect(Date.now() - readAt).toBeLessThan(patiently(MAX_DELAY_MS));
  await expect(row).toContainText("Nurse");
  await expect(row).toContainText("For your treatment. Works at your hospital.");

  const proof = await download(page, () => row.getByRole("button", { name: /^Download the proof/ }).click());
  const { event_id, leaf, hashes, checkpoint, verifier_key, subject, opened } = JSON.parse(proof.text);
  expect(proof.name).toBe(`edgecare-proof-${event_id}.json`);
  expect(JSON.parse(Buffer.from(leaf, "base64").toString())).toMatchObject({ id: event_id, event: "patient.read" });
  expect([typeof checkpoint, typeof verifier_key, Array.isArray(hashes)]).toEqual(["string", "string", true]);
  expect([subject.patient_id, opened]).toEqual([patient.id, null]);

  const csv = await download(page, () => page.getByRole("button", { name: "Download as CSV" }).click());
  expect(csv.name).toMatch(/^access-log-\d{4}-\d\d-\d\d\.csv$/);
  expect(csv.text).toContain(event_id);
  expect(csv.text).not.toContain("203.0.113");

  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  await expect(page.getByText("आपके इलाज के लिए। आपके अस्पताल में काम करते हैं।").first()).toBeVisible();
});

test("a log without anybody else says so, and until when it was checked", async ({ open, world }) => {
  const patient = await world.newPatient();
  const page = await open(await newPatientLogin(world, patient), { path: "/me/access?from=2020-01-01&to=2020-01-02" });
  await waitForPage(page);
  await expect(page.getByText("No results for these filters.")).toBeVisible();
  await expect(page.getByText(/^Checked at \d\d:\d\d:\d\d\.$/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Older entries" })).toHaveCount(0);
});

test("an administrator filters, verifies, and downloads checkpoint and exports", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  await (await logIn(nurse)).ask(`/patients/${patient.id}`);
  const page = await open(world.people.manager, { path: "/admin/audit" });
  await waitForPage(page);
  const events = page.getByRole("table", { name: "Events" });
  await expect(events).toBeVisible();
  await page.getByLabel("Patient ID").fill(patient.id);
  await page.getByLabel("User ID").fill(nurse.id);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/patient=/);
  await expect(events.getByRole("row")).toHaveCount(2);
  await expect(events).toContainText("patient.read");
  await expect(page.getByText("1 entry. There are no older ones.")).toBeVisible();

  const csv = await download(page, () => page.getByRole("button", { name: "Download CSV" }).click());
  expect(csv.text.trim().split(/\r?\n/)).toHaveLength(2);
  const fhir = await download(page, () => page.getByRole("button", { name: /^Download FHIR/ }).click());
  expect(
    fhir.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).resourceType),
  ).toEqual(["AuditEvent"]);

  await page.getByRole("button", { name: "Verify", exact: true }).click();
  await expect(page.getByText("All events were checked. No change was found.")).toBeVisible({ timeout: patiently(30_000) });
  await expect(page.getByText("Events checked")).toBeVisible();

  const checkpoint = await download(page, () => page.getByRole("button", { name: "Download checkpoint" }).click());
  expect(checkpoint.text.split("\n")[0]).toBe(`edgecare/audit/${world.hospital.hospital_id}`);
  await expect(page.getByText("Verifier key (keep it with the file)")).toBeVisible();
  await expect(page.getByText("Events are kept for")).toBeVisible();
  await expect(page.getByRole("button", { name: "Set legal hold" })).toHaveCount(0);
});

/** A part of a verification, as the API answers it. */
const part = (change: object) => ({
  data: {
    hospital_id: null,
    is_intact: true,
    problem: null,
    checked: { events: 1_000, segments: 1, checkpoints: 1, first_seq: 0, end_seq: 1_000, open_events: 0 },
    pruned_up_to: null,
    next_cursor: "next",
    ...change,
  },
});

test("the first problem of a log is named in words, and a cancelled verification never looks passed", async ({ open, world }) => {
  const page = await open(world.people.manager, { path: "/admin/audit" });
  await waitForPage(page);
  let asked = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/audit-events/verify?*", async (route) => {
    asked += 1;
    if (asked === 1) return route.fulfill({ json: part({}) });
    if (asked === 2) {
      await held;
      return route.abort();
    }
    const problem = { seq: 41, kind: "edited", detail: "leaf" };
    return route.fulfill({ json: part({ is_intact: false, problem, next_cursor: null }) });
  });
  await page.getByRole("button", { name: "Verify", exact: true }).click();
  await expect(page.getByText("Checking… 1,000 events so far.")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Cancelled after 1,000 events. The rest of the log was not checked.")).toBeVisible();
  await expect(page.getByText("No change was found")).toHaveCount(0);
  release();

  await page.getByRole("button", { name: "Verify", exact: true }).click();
  const problem = page.getByRole("alert").filter({ hasText: "Problem at event 41:" });
  await expect(problem).toContainText("This event is not as it was recorded.");
  await expect(page.getByText("No change was found")).toHaveCount(0);
});

test("an administrator of many hospitals searches for one", async ({ open }) => {
  const page = await open(PLATFORM_ADMIN, {
    path: "/admin/audit",
    before: async (opened) => {
      const pagination = { limit: 100, offset: 0, total: 120, total_is_exact: true, has_more: false, next_cursor: null };
      const hospitals = Array.from({ length: 120 }, (_, i) => ({
        hospital_id: `00000000-0000-7000-8000-000000001${String(i).padStart(3, "0")}`,
        name: i < 2 ? "Twin Hospital" : `Hospital ${i}`,
        is_active: true,
      }));
      await opened.route("**/api/v1/hospitals?*", (route) => route.fulfill({ json: { data: hospitals, meta: { pagination } } }));
      await opened.route("**/audit-events?*", (route) => {
        if (route.request().url().includes("hospital_id=")) return route.fulfill({ json: { data: [], meta: { pagination } } });
        const errors = [{ path: "hospital_id", message: "Required", code: "required" }];
        return route.fulfill({ status: 400, json: { status: 400, code: "invalid_request", detail: "", errors } });
      });
    },
  });
  await expect(page.getByText("There are too many hospitals for one list. Choose a hospital in the filters.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Download CSV" })).toHaveCount(0);
  const search = page.getByLabel("Hospital", { exact: true });
  await search.fill("Hospital 5");
  await expect(page).toHaveURL(/000000001005/);
  await expect(page.getByText("No results for these filters.")).toBeVisible();
  await search.fill("Hospital nowhere");
  await expect(page.getByText("Choose one of the suggested hospitals.")).toBeVisible();
  await search.fill("Twin Hospital (00001000)");
  await expect(page.getByText("Choose one of the suggested hospitals.")).toBeHidden();
});

test("a list that ends early says so and reads on", async ({ open, world }) => {
  const page = await open(world.people.manager, {
    path: "/admin/audit",
    before: async (opened) => {
      const pagination = { limit: 50, offset: 0, total: 0, total_is_exact: false, has_more: true };
      let pages = 0;
      await opened.route("**/audit-events?*", (route) => {
        const next_cursor = `page-${++pages}`;
        return route.fulfill({ json: { data: [], meta: { pagination: { ...pagination, next_cursor } } } });
      });
    },
  });
  await expect(page.getByText("Older entries have not been searched yet.", { exact: false })).toBeVisible();
  await page.unroute("**/audit-events?*");
  const last = { limit: 50, offset: 0, total: 0, total_is_exact: true, has_more: false, next_cursor: null };
  await page.route("**/audit-events?*", (route) => route.fulfill({ json: { data: [], meta: { pagination: last } } }));
  await page.getByRole("button", { name: "Older entries" }).click();
  await expect(page.getByText("No events recorded yet.")).toBeVisible();
});
