// Every important task works without a pointer, and the focus is always visible.
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { openBoard, patientRow, vitalCell } from "./board.ts";
import { createEcg, sendEcg, sendToQuarantine } from "./ecg.ts";
import { patiently } from "./extent.ts";
import { findFocusFault, tabThroughPage, tabTo } from "./focus-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { desaturate, NORMAL_VALUES, type Patient, type World } from "./world.ts";

const reportsOf = async ({ clerk }: World, { id }: Patient) => (await clerk.ask(`/reports?patient_id=${id}`)).data;

test("an alarm is acknowledged on the board, arrows go from row to row, and the focus stays in the row", async ({
  open,
  world,
  nurse,
}) => {
  const ward = await world.newWard("Ward without a mouse");
  const [ill, well] = [await world.newPatient({ ward_id: ward.id }), await world.newPatient({ ward_id: ward.id })];
  await (await world.newMonitor(well)).send(NORMAL_VALUES);
  await desaturate(await world.newMonitor(ill));
  const page = await open(nurse, { path: ward.path });
  await openBoard(page, ill, well);
  const [first, second] = [patientRow(page, ill).getByRole("link"), patientRow(page, well).getByRole("link")];
  const acknowledge = patientRow(page, ill).getByRole("button", { name: /^Acknowledge/ });
  await expect(acknowledge).toBeVisible();
  await tabTo(page, first);
  await page.keyboard.press("ArrowDown");
  await expect(second).toBeFocused();
  expect(await findFocusFault(page)).toBeNull();
  await page.keyboard.press("ArrowUp");
  await expect(first).toBeFocused();
  await tabTo(page, acknowledge);
  await page.keyboard.press("Enter");
  await expect(vitalCell(page, ill, "alarm")).toContainText(/✓ \d\d:\d\d you/);
  await expect.poll(() => patientRow(page, ill).evaluate((row) => row.contains(document.activeElement))).toBe(true);
  expect(await findFocusFault(page)).toBeNull();
  await expect(first).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/patients/${ill.id}`));
});

test("a limit is changed, and closing the dialog restores the focus", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  const change = page.getByRole("button", { name: "Change limits: Oxygen saturation" });
  await tabTo(page, change);
  await page.keyboard.press("Enter");
  const where = page.getByLabel("Low limit: source", { exact: true });
  await tabTo(page, where);
  await page.keyboard.press("ArrowDown");
  await expect(where).toHaveValue("own");
  await tabTo(page, page.getByLabel("Low limit: custom value", { exact: true }));
  await page.keyboard.press("Control+A");
  await page.keyboard.type("88");
  await tabTo(page, page.getByRole("button", { name: "Review" }));
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Oxygen saturation: lower the low limit from 91 to 88?" });
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await tabTo(page, question.getByRole("button", { name: "Lower limit" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(change).toBeFocused();
  expect(await findFocusFault(page)).toBeNull();
  const { rules } = (await world.clerk.ask(`/patients/${patient.id}/alert-rules`)).data;
  expect(rules.find(({ code }: { code: string }) => code === CODES.spo2)).toMatchObject({ limits: { low: 88 } });
});

test("what waits in quarantine is filed", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const upload = await sendToQuarantine(await world.newDevice(null, "ecg"), await createEcg(patient));
  const page = await open(nurse, { path: "/uploads/quarantine" });
  await waitForPage(page);
  const assign = page.locator(`a[href="/uploads/${upload}"]`).first();
  await tabTo(page, assign);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(upload));
  await waitForPage(page);
  await expect(page.locator("canvas").first()).toBeVisible();
  await tabTo(page, page.getByRole("main").getByRole("searchbox"));
  await page.keyboard.type(patient.name.split(" ")[1] ?? "");
  await tabTo(page, page.getByRole("button", { name: `Choose ${patient.name}, no. ${patient.number}` }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "File report…" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await tabTo(page, dialog.getByLabel(`Type ${patient.number} to confirm.`), { back: true });
  await page.keyboard.type(String(patient.number));
  await tabTo(page, dialog.getByRole("button", { name: "File report" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: "Open the report" })).toBeVisible();
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

test("a report is sent", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const { pdf } = await createEcg(patient);
  const page = await open(nurse, { path: "/uploads/new" });
  await waitForPage(page);
  // Listens well before the key: the browser is told to report file choosers without waiting for it.
  const opened = page.waitForEvent("filechooser");
  await tabTo(page, page.getByLabel("PDF file"));
  await page.keyboard.press("Enter");
  const chooser = await opened;
  await chooser.setFiles({ name: "ecg_0412.pdf", mimeType: "application/pdf", buffer: pdf });
  await expect(page.locator("canvas").first()).toBeVisible();
  const goOn = async () => {
    await tabTo(page, page.getByRole("button", { name: "Next", exact: true }));
    await page.keyboard.press("Enter");
  };
  await goOn();
  await tabTo(page, page.getByRole("main").getByRole("searchbox"));
  await page.keyboard.type(String(patient.number));
  await tabTo(page, page.getByRole("button", { name: `Choose ${patient.name}, no. ${patient.number}` }));
  await page.keyboard.press("Enter");
  await goOn();
  await tabTo(page, page.getByRole("radio").first());
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: /^Not known/ })).toBeChecked();
  await goOn();
  await tabTo(page, page.getByRole("button", { name: "Upload report", exact: true }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("link", { name: "Open the report" }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/reports\/[0-9a-f-]{36}/);
  expect(await reportsOf(world, patient)).toHaveLength(1);
});

test("each stop on long pages shows the focus, in sight and with nothing over it, in both themes", async ({
  open,
  world,
  nurse,
}) => {
  test.setTimeout(patiently(120_000));
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await desaturate(monitor);
  await sendEcg(world.clerk, await createEcg(patient), patient);
  const page = await open(nurse, { path: `/patients/${patient.id}` });
  for (const [colorScheme, path, least] of [
    ["light", `/patients/${patient.id}`, 25],
    ["dark", `/patients/${patient.id}/limits`, 25],
    ["dark", `/patients/${patient.id}/vitals`, 25],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(path);
    await waitForPage(page);
    await expect(page.locator("canvas, table").first()).toBeVisible();
    const { stops, faults } = await tabThroughPage(page);
    expect(faults, path).toEqual([]);
    expect(stops, path).toBeGreaterThan(least);
  }
  // Control: a missing focus indicator is detected.
  await page.getByRole("main").getByRole("button").first().focus();
  expect(await findFocusFault(page)).toBeNull();
  await page.evaluate(() => {
    const { style } = document.activeElement as HTMLElement;
    style.setProperty("outline", "none", "important");
    style.setProperty("box-shadow", "none", "important");
  });
  expect(await findFocusFault(page)).toMatch(/shows no focus/);
});
