// What nobody knows is shown as unknown, and a network without WebSockets shows the same values, ages and alarms.
import type { Page } from "@playwright/test";
import { expectLive, openBoard, patientRow, vitalCell } from "./board.ts";
import { patiently } from "./extent.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { startUpgradeProxy, type UpgradeProxy } from "./upgrade-proxy.ts";
import { desaturate, NORMAL_VALUES, newWorld } from "./world.ts";

const NAME_CELLS = { news2: 3, alarm: 4, updated: 5 } as const;
const listCell = (
  page: Page,
  patient: { name: string; id: string; number: number; birth: string },
  cell: keyof typeof NAME_CELLS,
) => patientRow(page, patient).getByRole("cell").nth(NAME_CELLS[cell]);
const tileOf = (page: Page, name: string) => page.locator("li[data-state]").filter({ hasText: name });

test("while the live line is connecting, a patient with alarms is unknown on every page, not well", async ({
  open,
  world,
  nurse,
}) => {
  const [ill, fresh] = [await world.newPatient(), await world.newPatient()];
  await desaturate(await world.newMonitor(ill));
  const hang = (page: Page) => page.route("**/api/v1/live/**", () => undefined);
  const list = await open(world.people.doctor, { path: "/patients", before: hang });
  await waitForPage(list);
  for (const patient of [ill, fresh]) {
    await expect(listCell(list, patient, "alarm")).toHaveText("Unknown");
    await expect(listCell(list, patient, "updated")).toHaveText("Unknown");
  }
  await expect(list.getByRole("banner").getByRole("link", { name: /Alarms/ })).toContainText("—");

  const alarms = await open(nurse, { path: "/alarms", before: hang });
  await expect(alarms.getByRole("button", { name: /^New/ })).toContainText("—");
  await expect(alarms.getByText(/No active alarms/)).toHaveCount(0);

  const record = await open(nurse, { path: `/patients/${ill.id}`, before: hang });
  await expect(record.getByText("Open alarms are being read…")).toBeVisible();
  await expect(tileOf(record, "Oxygen saturation")).toHaveCount(0);
});

test("when the live line is lost, a patient without alarms and one without data are unknown", async ({ open, world, nurse }) => {
  const [calm, fresh] = [await world.newPatient(), await world.newPatient()];
  await (await world.newMonitor(calm)).send(NORMAL_VALUES);
  const list = await open(nurse, { path: "/patients?show=monitored" });
  await expectLive(list);
  const board = await list.context().newPage();
  await board.goto("/ward");
  await openBoard(board, calm, fresh);
  await expect(listCell(list, calm, "alarm")).toHaveText("None");
  await expect(listCell(list, fresh, "updated")).toHaveText("No data yet");
  await expect(vitalCell(board, calm, "alarm")).toBeEmpty();
  await list.context().setOffline(true);
  for (const patient of [calm, fresh]) {
    await expect(listCell(list, patient, "alarm")).toHaveText("Unknown");
    await expect(vitalCell(board, patient, "alarm")).toHaveText("Unknown");
  }
  await expect(listCell(list, fresh, "updated")).toHaveText("Unknown");
});

/** Opens the board, the list and the record of a patient in alarm, and acts on each, through the proxy. */
async function showsTheSame(
  open: (proxy: UpgradeProxy, block: (page: Page) => Promise<unknown>) => Promise<Page>,
  block: (page: Page) => Promise<unknown>,
  world: Awaited<ReturnType<typeof newWorld>>,
  proxy: UpgradeProxy,
): Promise<Page> {
  const [ill, calm] = [await world.newPatient(), await world.newPatient()];
  const [monitor, other] = [await world.newMonitor(ill), await world.newMonitor(calm)];
  await other.send(NORMAL_VALUES);
  await desaturate(monitor);
  const board = await open(proxy, block);
  await expect(async () => {
    await monitor.send({ ...NORMAL_VALUES, spo2: 84 });
    await expect(vitalCell(board, ill, "spo2")).toHaveText(/^84/, { timeout: 8_000 });
    await expect(vitalCell(board, ill, "spo2")).toHaveAttribute("data-state", "live", { timeout: 1_000 });
  }).toPass();
  await expect(vitalCell(board, ill, "spo2")).toHaveAttribute("data-alarm", "high");
  await expect(vitalCell(board, ill, "alarm")).toContainText("HIGH");
  await expect(vitalCell(board, calm, "alarm")).toBeEmpty();
  await expect(board.getByRole("banner").getByRole("link", { name: /Alarms/ })).toContainText("▲1");
  const record = await board.context().newPage();
  await block(record);
  await record.goto(`/patients/${ill.id}`);
  // A page of its own finds out by itself which transports pass.
  const found = { timeout: patiently(20_000) };
  await expect(tileOf(record, "Oxygen saturation")).toHaveAttribute("data-alarm", "high", found);
  await expect(tileOf(record, "Oxygen saturation")).toHaveAttribute("data-state", /^(live|late)$/);
  const list = await board.context().newPage();
  await block(list);
  await list.goto("/patients?show=monitored");
  await expect(listCell(list, ill, "alarm")).toContainText("HIGH", found);
  await expect(listCell(list, calm, "alarm")).toHaveText("None");
  // A change arrives, and silence is noticed by the same rules.
  await monitor.send({ ...NORMAL_VALUES, spo2: 79 });
  await expect(vitalCell(board, ill, "spo2")).toHaveText(/^79/);
  await expect(tileOf(record, "Oxygen saturation")).toContainText("79");
  await list.close();
  await record.close();
  return board;
}

test("without WebSockets the same is shown from server-sent events, and the socket takes over when it passes", async ({
  open,
}) => {
  test.setTimeout(patiently(150_000));
  const world = await newWorld();
  const proxy = await startUpgradeProxy();
  try {
    const openVia = ({ url }: UpgradeProxy) => open(world.people.nurse, { path: "/ward", context: { baseURL: url } });
    const page = await showsTheSame(openVia, async () => undefined, world, proxy);
    await expectLive(page);
    proxy.allowUpgrades();
    const socket = await page.waitForEvent("websocket", { timeout: patiently(60_000) });
    await socket.waitForEvent("framereceived");
    await expectLive(page);
    expect(socket.isClosed()).toBe(false);
  } finally {
    proxy.end();
  }
});

test("without WebSockets and event streams the same is shown from polls, which say how often", async ({ open }) => {
  test.setTimeout(patiently(150_000));
  const world = await newWorld();
  const proxy = await startUpgradeProxy();
  const block = (page: Page) => page.route("**/api/v1/live/sse**", (route) => route.abort());
  try {
    const openVia = ({ url }: UpgradeProxy) =>
      open(world.people.nurse, { path: "/ward", context: { baseURL: url }, before: block });
    const page = await showsTheSame(openVia, block, world, proxy);
    await expect(
      page
        .getByRole("banner")
        .getByRole("status")
        .filter({ hasText: /Updated every \d+ s/ }),
    ).toBeVisible();
    // Nothing answers any more: old values are shown as old.
    await page.route("**/api/v1/**", (route) => route.abort());
    await expect(page.getByRole("alert").filter({ hasText: "Values are not live" })).toBeVisible({ timeout: 20_000 });
    await expect(page.locator('td[data-state="live"]')).toHaveCount(0);
  } finally {
    proxy.end();
  }
});
