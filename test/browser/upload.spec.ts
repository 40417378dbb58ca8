// Upload of a PDF report: it reaches the right patient's record exactly once and can be read there.
import type { Page } from "@playwright/test";
import { endSessions } from "./api.ts";
import { startProxy } from "./cuttable-proxy.ts";
import { createEcg, sendToQuarantine } from "./ecg.ts";
import { expect, signInAgain, test, waitForPage } from "./portal.ts";
import type { Patient, World } from "./world.ts";

/** Completes the form up to the last step; nothing is sent yet. */
async function fillIn(page: Page, patient: Patient, pdf: Buffer): Promise<void> {
  await page.goto("/uploads/new");
  await waitForPage(page);
  const next = page.getByRole("button", { name: "Next", exact: true });
  // Listens well before the click: the browser is told to report file choosers without waiting for it.
  const opened = page.waitForEvent("filechooser");
  await expect(page.getByLabel("PDF file")).toBeVisible();
  await page.getByLabel("PDF file").click();
  const chooser = await opened;
  await chooser.setFiles({ name: "ecg_0412.pdf", mimeType: "application/pdf", buffer: pdf });
  await expect(page.locator("canvas").first()).toBeVisible();
  await next.click();
  await page.getByRole("searchbox").fill(String(patient.number));
  await page.getByRole("button", { name: new RegExp(`${patient.name}.*${patient.number}`) }).click();
  await next.click();
  // The PDF is beside the numbers, and whether its time is known must be said.
  await expect(page.locator("canvas").first()).toBeVisible();
  await next.click();
  await expect(page.getByText("Say whether the time of measurement is known.").first()).toBeVisible();
  await page.getByRole("radio", { name: "Not known: file under the time of receipt" }).check();
  await next.click();
}

const reportsOf = async ({ clerk }: World, { id }: Patient) => (await clerk.ask(`/reports?patient_id=${id}`)).data;

test("a nurse sends an ECG report, opens it and sees its page", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const { pdf } = await createEcg(patient);
  const page = await open(nurse, { path: "/uploads" });
  await fillIn(page, patient, pdf);
  await expect(page.getByText("ecg_0412.pdf").first()).toBeVisible();
  await expect(page.getByText(patient.name).first()).toBeVisible();
  await page.getByRole("button", { name: "Upload report", exact: true }).click();
  await page.getByRole("link", { name: "Open the report" }).click();
  await expect(page).toHaveURL(/\/reports\/[0-9a-f-]{36}/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(patient.name);
  await expect(page.getByRole("img", { name: /page 1 of 1/i })).toBeVisible();
  await expect.poll(() => isDrawn(page)).toBe(true);
  await page.goto(`/patients/${patient.id}/reports`);
  await waitForPage(page);
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

test("an upload that is cut on the way filed nothing; sent again it is one report", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const { pdf } = await createEcg(patient);
  const keys: (string | undefined)[] = [];
  const page = await open(nurse, { path: "/uploads" });
  await fillIn(page, patient, pdf);
  // The first attempt is cut before the server receives it, the second after: its response is lost.
  await page.route("**/api/v1/reports", async (route) => {
    keys.push(
      await route
        .request()
        .headerValue("idempotency-key")
        .then((key) => key ?? undefined),
    );
    if (keys.length === 1) return route.abort("connectionreset");
    if (keys.length === 2) {
      await route.fetch();
      return route.abort("connectionreset");
    }
    return route.fallback();
  });
  await page.getByRole("button", { name: "Upload report", exact: true }).click();
  const retry = page.getByRole("button", { name: "Retry" });
  await expect(retry).toBeVisible();
  expect(await reportsOf(world, patient)).toHaveLength(0);
  await retry.click();
  await expect.poll(() => keys.length).toBe(2);
  await expect(retry).toBeVisible();
  await retry.click();
  await expect(page.getByRole("link", { name: "Open the report" })).toBeVisible();
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toBeTruthy();
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

test("a wire that is cut on the way: how far it came, and that nothing was filed; sent again it is one report", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const { pdf } = await createEcg(patient);
  const big = Buffer.concat([pdf, Buffer.alloc(9_500_000, "% padding\n"), Buffer.from("\n%%EOF\n")]);
  const wire = await startProxy();
  try {
    const page = await open(nurse, { path: "/uploads", context: { baseURL: wire.url } });
    await fillIn(page, patient, big);
    wire.cutAfter(3_000_000);
    await page.getByRole("button", { name: "Upload report" }).click();
    await expect(page.getByText(/Upload stopped at [1-9]\d? %\. Nothing was filed\./)).toBeVisible();
    expect(await reportsOf(world, patient)).toHaveLength(0);
    wire.mend();
    await page.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByRole("link", { name: "Open the report" })).toBeVisible();
    expect(await reportsOf(world, patient)).toHaveLength(1);
  } finally {
    wire.end();
  }
});

test("a report that is being entered survives the end of the session", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: "/uploads" });
  await fillIn(page, patient, (await createEcg(patient)).pdf);
  await endSessions(nurse);
  // The connection is closed within seconds, and the page is notified.
  await expect(page.getByRole("dialog", { name: "Session expired" })).toBeVisible();
  await expect(page.getByText(patient.name)).toHaveCount(0);
  await signInAgain(page, nurse);
  await expect(page.getByText("ecg_0412.pdf").first()).toBeVisible();
  await expect(page.getByText(patient.name).first()).toBeVisible();
  await page.getByRole("button", { name: "Upload report" }).click();
  await expect(page.getByRole("link", { name: "Open the report" })).toBeVisible();
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

test("what waits in quarantine is filed only with two identifiers, for a patient whom a person has chosen", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const upload = await sendToQuarantine(await world.newDevice(null, "ecg"), await createEcg(patient));
  const page = await open(nurse, { path: "/uploads/quarantine" });
  await waitForPage(page);
  await page.getByRole("link", { name: "Assign…: ecg_0412.pdf" }).first().click();
  await expect(page).toHaveURL(/\/uploads\/[0-9a-f-]{36}$/);
  await page.goto(`/uploads/${upload}`);
  await expect.poll(() => isDrawn(page)).toBe(true);
  // No patient is selected by default.
  const file = page.getByRole("button", { name: "File report…" });
  await expect(file).toBeDisabled();
  await page.getByRole("searchbox").fill(patient.name.split(" ")[1] ?? "");
  await expect(file).toBeDisabled();
  await page.getByRole("button", { name: `Choose ${patient.name}, no. ${patient.number}` }).click();
  await file.click();
  const dialog = page.getByRole("dialog", { name: `File this report for ${patient.name}, no. ${patient.number}?` });
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  const confirm = dialog.getByRole("button", { name: "File report" });
  const number = dialog.getByLabel(`Type ${patient.number} to confirm.`);
  for (const wrong of ["", String(patient.number + 1), String(patient.number).slice(0, -1), patient.name]) {
    await number.fill(wrong);
    await expect(confirm).toBeDisabled();
  }
  expect(await reportsOf(world, patient)).toHaveLength(0);
  await number.fill(String(patient.number).replace(/\d/g, (digit) => String.fromCharCode(0x966 + Number(digit))));
  await confirm.click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Open the report" })).toBeVisible();
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

/** Whether the page's first canvas contains anything but white. */
function isDrawn(page: Page): Promise<boolean> {
  return page
    .locator("canvas")
    .first()
    .evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement) || canvas.width === 0) return false;
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      let dark = 0;
      for (let i = 0; i < data.length; i += 4) if ((data[i] ?? 255) < 128 && (data[i + 3] ?? 0) > 0) dark++;
      return dark > 500;
    });
}
