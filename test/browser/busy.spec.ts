// While the service refuses reads for their rate or does not answer: what is known stays and is marked as old, one request at a time
// tries again when the service allows it, and then the page is up to date by itself.
import type { Page } from "@playwright/test";
import { openBoard, patientRow, vitalCell } from "./board.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { desaturate, NORMAL_VALUES } from "./world.ts";

const READS = /\/api\/v1\/(?!auth|live)/;
const LONG_S = 300;

type Refusal = { count: () => number; end: () => Promise<void> };

/** From now on each read is refused. @param retryAfterS as the service says it */
async function refuseReads(page: Page, retryAfterS: number): Promise<Refusal> {
  let refused = 0;
  await page.route(READS, (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    refused++;
    return route.fulfill({
      status: 429,
      headers: { "Retry-After": String(retryAfterS) },
      contentType: "application/problem+json",
      body: JSON.stringify({ code: "rate_limited", detail: "Too many requests.", errors: [] }),
    });
  });
  return { count: () => refused, end: () => page.unroute(READS) };
}

const oldMark = (page: Page) =>
  page
    .getByRole("status")
    .filter({ hasText: /not updated since \d\d:\d\d:\d\d: EdgeCare is (busy|not responding)\. Next attempt at \d\d:\d\d:\d\d/ });

test("the ward board stays, marked with its time, and shows a new patient once it may be read again", async ({
  open,
  world,
  nurse,
}) => {
  const ward = await world.newWard("Ward 7");
  const patient = await world.newPatient({ ward_id: ward.id });
  const monitor = await world.newMonitor(patient);
  await monitor.send(NORMAL_VALUES);
  const page = await open(nurse, { path: ward.path });
  await openBoard(page, patient);
  const refusal = await refuseReads(page, 1);
  const second = await world.newPatient({ ward_id: ward.id });
  await (await world.newMonitor(second)).send(NORMAL_VALUES);
  await expect(oldMark(page)).toBeVisible();
  expect(refusal.count()).toBeGreaterThan(0);
  await expect(vitalCell(page, patient, "heart_rate")).toHaveText(/72/);
  await expect(page.getByText(/too many requests/i)).toHaveCount(0);
  await refusal.end();
  await expect(patientRow(page, second)).toBeVisible();
  await expect(oldMark(page)).toHaveCount(0);
});

test("a patient's charts and values stay, and all reads wait together for as long as the service says", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  for (const secondsAgo of [40, 30, 20, 10, 0]) await monitor.send(NORMAL_VALUES, secondsAgo);
  const page = await open(nurse, { path: `/patients/${patient.id}/vitals` });
  await waitForPage(page);
  const charts = page.getByRole("main").locator("figure");
  await expect(charts.first()).toBeVisible();
  const shown = await charts.count();
  const refusal = await refuseReads(page, LONG_S);
  await page.getByRole("button", { name: "24 h", exact: true }).click();
  await expect(oldMark(page)).toBeVisible();
  const refused = refusal.count();
  for (const range of ["7 d", "30 d", "24 h"]) await page.getByRole("button", { name: range, exact: true }).click();
  await expect(charts).toHaveCount(shown);
  await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name: "Patients" }).click();
  await expect(page.getByText("EdgeCare is busy. This loads by itself in a moment.").first()).toBeVisible();
  await page.goBack();
  await expect(page.getByText(patient.name).first()).toBeVisible();
  await expect(page.getByText(/too many requests/i)).toHaveCount(0);
  // Requests that were under way together are refused together; none is sent after them.
  expect(refusal.count()).toBe(refused);
});

test("the alarms stay on their list; the history, of which nothing is known yet, loads by itself", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  await desaturate(await world.newMonitor(patient));
  const page = await open(nurse, { path: "/alarms" });
  await waitForPage(page);
  const alarm = page.getByRole("article").filter({ hasText: "SpO₂" });
  await expect(alarm.first()).toBeVisible();
  const refusal = await refuseReads(page, 1);
  const tab = (name: RegExp) => page.getByRole("button", { name }).click();
  await tab(/^History/);
  await expect(page.getByText("EdgeCare is busy. This loads by itself in a moment.")).toBeVisible();
  await expect(oldMark(page)).toBeVisible();
  await tab(/^New/);
  await expect(alarm.first()).toBeVisible();
  await expect(page.getByText(/too many requests/i)).toHaveCount(0);
  await tab(/^History/);
  await refusal.end();
  await expect(oldMark(page)).toHaveCount(0);
  await expect(page.getByText("EdgeCare is busy")).toHaveCount(0);
});

test("the same holds while nothing answers", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  await (await world.newMonitor(patient)).send(NORMAL_VALUES);
  const page = await open(nurse, { path: `/patients/${patient.id}/vitals` });
  await waitForPage(page);
  const charts = page.getByRole("main").locator("figure");
  await expect(charts.first()).toBeVisible();
  await page.route(READS, (route) => route.abort());
  await page.getByRole("button", { name: "24 h", exact: true }).click();
  await expect(oldMark(page)).toBeVisible();
  await expect(charts.first()).toBeVisible();
  await page.unroute(READS);
  await expect(oldMark(page)).toHaveCount(0);
});
