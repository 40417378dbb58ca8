// Charts: the table matches the API, gaps stay gaps, peaks stay, and a zoom is kept while values arrive.
import type { Page } from "@playwright/test";
import {
  chartFigure,
  hasTokenColour,
  type Ink,
  isSameLine,
  readLine,
  selectColumns,
  type Window,
  waitForChart,
} from "./chart-pixels.ts";
import { patiently } from "./extent.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { probe, untilDrawn } from "./probe.ts";
import { NORMAL_VALUES, type Patient } from "./world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const iso = (at: number) => new Date(at).toISOString();
const pathOf = ({ id }: Patient, { from, to }: Window, more = "") =>
  `/patients/${id}/vitals?code=heart_rate&from=${iso(from)}&to=${iso(to)}${more}`;
const rates = (values: readonly (readonly [at: number, value: number])[]) =>
  values.map(([at, value]) => ({ vital: "heart_rate" as const, value, at }));

test("the last value has its own time, not the start of its bucket", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const now = Date.now();
  // Between the edges of the buckets of a day, which are minutes apart.
  const at = now - 3 * HOUR + 7_000;
  await world.writeDown(
    patient,
    rates([
      [at - 20 * MINUTE, 70],
      [at - 1_000, 75],
      [at, 81],
    ]),
  );
  const page = await open(nurse, { path: pathOf(patient, { from: now - DAY, to: now - HOUR }) });
  await waitForPage(page);
  const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "Asia/Kolkata" }).format(at);
  const figure = chartFigure(page, "Heart rate");
  await expect(figure).toContainText(`last ${time}`);
  await expect(figure).toContainText("81");
});

/** As the API gives it. */
type Bucket = { from: string; n: number; mean: number; min: number; max: number };

/** The page's own request for buckets, to repeat it. */
async function askedBy(page: Page, path: string): Promise<string> {
  const [request] = await Promise.all([page.waitForRequest(/\/observations\?.*buckets=/), page.goto(path)]);
  const { pathname, search } = new URL(request.url());
  // Charts ask for columns; the tests compare with the buckets as objects.
  return pathname.replace("/api/v1", "") + search.replace("&format=columns", "");
}

async function rowsOf(page: Page): Promise<string[][]> {
  const table = page.getByRole("table", { name: "Heart rate: chart data" });
  await expect(table).toBeVisible();
  const rows: string[][] = [];
  for (;;) {
    for (const row of await table.locator("tbody tr").all()) rows.push(await row.locator("td").allTextContents());
    const older = page.getByRole("button", { name: "Older" });
    if (!(await older.isVisible()) || (await older.isDisabled())) return rows;
    await older.click();
  }
}

test("the table has the API's buckets, and the read-out of the chart goes through the same", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const to = Math.floor(Date.now() / HOUR) * HOUR;
  const window = { from: to - 12 * HOUR, to };
  // Every five minutes, and each third time four values within as many seconds.
  const written = Array.from({ length: 130 }, (_, i) => window.from + 10 * MINUTE + i * 5 * MINUTE).flatMap((at, i) =>
    Array.from({ length: i % 3 === 0 ? 4 : 1 }, (_, n) => [at + n * 1_000, 60 + ((i * 7) % 40) + n * 3] as const),
  );
  await world.writeDown(patient, rates(written));
  const page = await open(nurse, { path: "/patients" });
  const asked = await askedBy(page, pathOf(patient, window, "&view=table"));
  const buckets: Bucket[] = (await world.clerk.ask(asked)).data;
  expect(buckets.length).toBeGreaterThan(100);
  expect(buckets.reduce((sum, { n }) => sum + n, 0)).toBe(written.length);
  expect(Math.max(...buckets.map(({ n }) => n))).toBe(4);
  const whole = (value: number) => new Intl.NumberFormat("en-IN", { maximumFractionDigits: 0 }).format(value);
  const time = (at: string) =>
    new Intl.DateTimeFormat("en-IN", {
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
      timeZone: "Asia/Kolkata",
    }).format(new Date(at));
  const wanted = buckets
    .map(({ from, n, mean, min, max }) => [time(from), whole(mean), whole(min), whole(max), String(n)])
    .reverse();
  expect(await rowsOf(page)).toEqual(wanted);

  await page.getByRole("button", { name: "Chart", exact: true }).click();
  const reader = (await waitForChart(page, "Heart rate")).getByRole("slider");
  await reader.focus();
  await reader.press("Home");
  const read: string[] = [];
  for (const _ of buckets) {
    read.push((await reader.getAttribute("aria-valuetext")) ?? "");
    await reader.press("ArrowRight");
  }
  expect(read.map((text) => text.split(": ").at(-1))).toEqual(buckets.map(({ mean }) => whole(mean)));
});

test("a gap of more than two intervals is not bridged, and one of two is", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const to = Math.floor(Date.now() / MINUTE) * MINUTE;
  const window = { from: to - HOUR, to };
  // One value per minute; one is missing after the 15th, two after the 30th, and twelve after the 40th.
  const missing = new Set([16, 31, 32, ...Array.from({ length: 12 }, (_, i) => 41 + i)]);
  const minutes = Array.from({ length: 61 }, (_, i) => i).filter((minute) => !missing.has(minute));
  await world.writeDown(patient, rates(minutes.map((minute) => [window.from + minute * MINUTE, 72] as const)));
  const page = await open(nurse, { path: pathOf(patient, window) });
  const figure = await waitForChart(page, "Heart rate");
  await expect(figure).toHaveAttribute("aria-label", /2 stretches without data/);
  const { columns } = await readLine(figure);
  const between = (from: number, until: number): Ink[] =>
    selectColumns(columns, window, { from: window.from + from * MINUTE, to: window.from + until * MINUTE });
  const drawnIn = (inks: Ink[]) => inks.filter((ink) => ink !== null).length / inks.length;
  for (const [from, until] of [
    [0, 15],
    [15, 17],
    [17, 30],
    [33, 40],
    [53, 59],
  ] as const) {
    expect(drawnIn(between(from, until)), `${from} to ${until} min`).toBe(1);
  }
  for (const [from, until] of [
    [30, 33],
    [40, 53],
  ] as const)
    expect(drawnIn(between(from, until)), `${from} to ${until} min`).toBe(0);
});

test("one value far from all others is seen in the chart of thirty days", async ({ open, world, nurse }) => {
  test.setTimeout(patiently(180_000));
  const patient = await world.newPatient();
  const now = Date.now();
  const window = { from: now - 30 * DAY, to: now };
  const spike = Math.floor((now - 13 * DAY) / HOUR) * HOUR + 29 * MINUTE;
  // Two values in every third hour, and in one of these hours a third one.
  const hours = Array.from({ length: 28 * 8 }, (_, i) => spike - 29 * MINUTE + (i - 128) * 3 * HOUR);
  const usual = hours.flatMap((hour) => [[hour, 72] as const, [hour + 40 * MINUTE, 74] as const]);
  const written = [...usual, [spike, 188] as const].filter(([at]) => at < now).toSorted(([a], [b]) => a - b);
  await world.writeDown(patient, rates(written));
  // Late values are recounted hour by hour.
  const counted = async () => {
    const query = `code=heart_rate&from=${iso(window.from)}&to=${iso(window.to)}&buckets=100`;
    const { data } = await world.clerk.ask(`/patients/${patient.id}/observations?${query}`);
    return data.reduce((sum: number, { n }: Bucket) => sum + n, 0);
  };
  const page = await open(nurse, { path: pathOf(patient, window) });
  const counting = page.getByRole("status").filter({ hasText: /(is|are) being counted again/ });
  await expect(counting).toBeVisible();
  await expect.poll(counted, { timeout: 90_000, intervals: [3_000] }).toBe(written.length);
  await expect(counting).toBeHidden({ timeout: 10_000 });
  const figure = await waitForChart(page, "Heart rate");
  await expect(figure).toHaveAttribute("aria-label", /lowest 72, highest 188/);
  const { columns, height } = await readLine(figure);
  // A heart rate scale starts at 40 and extends 5 % of its length beyond the highest value.
  const yOf = (value: number) => (1 - (value - 40) / (188 + (188 - 40) * 0.05 - 40)) * height;
  const near = selectColumns(columns, window, { from: spike - 4 * HOUR, to: spike + 4 * HOUR }, 0);
  const top = Math.min(...near.map((ink) => ink?.top ?? Number.POSITIVE_INFINITY));
  expect(Math.abs(top - yOf(188))).toBeLessThan(4);
  const elsewhere = selectColumns(columns, window, { from: window.from + 2 * DAY, to: spike - DAY });
  for (const ink of elsewhere) expect(Math.abs((ink?.top ?? 0) - yOf(74))).toBeLessThan(6);
});

test("a zoom is kept while values arrive and after a reload; Live follows new values again", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  const now = Date.now();
  await world.writeDown(patient, rates(Array.from({ length: 60 }, (_, i) => [now - (60 - i) * MINUTE, 72] as const)));
  const page = await open(nurse, { path: `/patients/${patient.id}/vitals?code=heart_rate&range=1h`, before: probe });
  await waitForPage(page);
  const before = await waitForChart(page, "Heart rate");
  const plot = await before.locator(".u-over").boundingBox();
  if (!plot) throw new Error("no plot");
  const y = plot.y + plot.height / 2;
  await page.mouse.move(plot.x + plot.width * 0.25, y);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.75, y, { steps: 5 });
  // The zoomed range is fetched anew: buckets first, which the samples then replace.
  const samplesArrived = page.waitForResponse((response) => {
    const query = new URL(response.url()).searchParams;
    const span = Date.parse(query.get("to") ?? "") - Date.parse(query.get("from") ?? "");
    return query.get("limit") === "1000" && span < 0.75 * HOUR;
  });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  await samplesArrived;
  const words = () => new URL(page.url()).searchParams;
  const zoomed = { from: words().get("from") ?? "", to: words().get("to") ?? "" };
  const length = Date.parse(zoomed.to) - Date.parse(zoomed.from);
  expect(Math.abs(length - HOUR / 2)).toBeLessThan(2 * MINUTE);
  const label = async () => (await waitForChart(page, "Heart rate")).getAttribute("aria-label");
  // Until the line stands still for a second: it is drawn some frames after the response.
  const columnsNow = async () => (await readLine(chartFigure(page, "Heart rate"))).columns;
  let line = await columnsNow();
  await expect(async () => {
    const previous = line;
    await page.waitForTimeout(1_000);
    line = await columnsNow();
    expect(line).toEqual(previous);
  }).toPass({ intervals: [0] });
  const described = await label();
  for (let rate = 140; rate < 148; rate++) {
    await monitor.send({ ...NORMAL_VALUES, heart_rate: rate });
    await untilDrawn(page, `"value":${rate}`);
  }
  await page.mouse.move(5, 5);
  const same = async () => {
    expect(Object.fromEntries(words())).toMatchObject(zoomed);
    expect(await label()).toBe(described);
    await expect.poll(async () => isSameLine(await columnsNow(), line)).toBe(true);
  };
  await same();
  // Control: a line elsewhere by a few seconds is not the same.
  expect(isSameLine([...line.slice(8), ...line.slice(0, 8)], line)).toBe(false);
  await page.reload();
  await waitForPage(page);
  await same();
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await expect(page).not.toHaveURL(/from=/);
  await expect(chartFigure(page, "Heart rate")).toHaveAttribute("aria-label", /highest 147.*last 147/);
});

test("past limits are drawn with a step at each change; an open chart moves on by itself", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await monitor.send(NORMAL_VALUES);
  const rule = `/patients/${patient.id}/alert-rules/heart_rate`;
  const page = await open(nurse, { path: `/patients/${patient.id}/vitals?code=heart_rate&range=1h` });
  await waitForPage(page);
  await expect(chartFigure(page, "Heart rate")).not.toHaveAttribute("aria-label", /limits changed/);
  await world.clerk.ask(rule, { method: "PUT", json: { low: 56, high: 120 } });
  // No new request: the page receives the change over the socket.
  await expect(chartFigure(page, "Heart rate")).toHaveAttribute("aria-label", /within the limits; limits changed/);

  const query = () => `code=heart_rate&buckets=1&from=${iso(Date.now() - HOUR)}&to=${iso(Date.now())}`;
  const { limits } = (await world.clerk.ask(`/patients/${patient.id}/observations?${query()}`)).meta;
  expect(limits.map(({ low, set_by }: { low: number; set_by: string }) => [low, set_by])).toEqual([
    [null, "default"],
    [56, "patient"],
  ]);
  const moved = Date.parse(limits[1].from);
  expect(Math.abs(moved - Date.now())).toBeLessThan(20_000);
  const window = { from: moved - 5_000, to: moved + 5_000 };
  await page.waitForTimeout(Math.max(0, window.to - Date.now()));
  await page.goto(pathOf(patient, window));
  const figure = await waitForChart(page, "Heart rate");
  const { height } = await readLine(figure);
  const dashes = async (value: number, part: Window) => {
    const inked = selectColumns(await hasTokenColour(figure, "muted", (1 - (value - 40) / 100) * height), window, part);
    return inked.filter(Boolean).length / inked.length;
  };
  const [before, after] = [
    { from: window.from, to: moved },
    { from: moved, to: window.to },
  ];
  // Six pixels of ten.
  for (const [value, part] of [
    [56, after],
    [120, after],
  ] as const)
    expect(Math.abs((await dashes(value, part)) - 0.6), `${value}`).toBeLessThan(0.1);
  expect([await dashes(120, before), await dashes(56, before)]).toEqual([0, 0]);
});
