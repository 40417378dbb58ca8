// Lists of observations by sender, status, source and value, in each order, page by page.
import { beforeAll, describe, expect, it } from "vitest";
import { expectProblem } from "../token-forge.ts";
import { API, newDevice, newPatient, newWorld, type Patient, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let patient: Patient;
let device: Awaited<ReturnType<typeof newDevice>>;
type Row = { observation_id: string; value: number; effective_at: string; received_at: string; status: string };
const HOUR = 3_600_000;
const DAYS_AGO = [29, 20, 11, 4, 2, 0.1];
let measured: number[];

const path = () => `${API}/patients/${patient.id}/observations`;
const get = async (query: string) => readJson(await sendRequest(`${path()}?${query}`, { as: world.nurse }));
const valuesOf = async (query: string) => ((await get(query)).data as Row[]).map(({ value }) => value);
/** All rows of a list, page by page. */
async function walk(query: string, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor = "", pages = 0; pages < 400; pages++) {
    const { data, meta } = await get(`${query}&limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    rows.push(...data);
    cursor = meta.pagination.next_cursor ?? "";
    if (cursor === "") return rows;
  }
  throw new Error("the list does not end");
}

beforeAll(async () => {
  world = await newWorld();
  patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
  device = await newDevice(world.nurse, patient.id, "wearable");
  const now = Date.now();
  const send = (as: { token: string }, samples: object[], more = {}) =>
    sendRequest(`${API}/observations`, { as, json: { samples, ...more } });
  const sample = (value: number, at: number) => ({
    code: "8867-4",
    value,
    unit: "/min",
    effective_at: new Date(at).toISOString(),
  });
  measured = DAYS_AGO.map((days) => now - days * 24 * HOUR);
  // Not in the order of measurement: 60 to 65 by a nurse, each in a request of its own.
  for (const i of [3, 0, 5, 1, 4, 2]) {
    const { data } = await readJson(await send(world.nurse, [sample(60 + i, measured[i] ?? 0)], { patient_id: patient.id }));
    expect(data.stored).toBe(1);
  }
  expect((await readJson(await send(world.doctor, [sample(80, now - HOUR)], { patient_id: patient.id }))).data.stored).toBe(1);
  expect((await readJson(await send(device, [sample(90, Date.now()), sample(999, Date.now() + 1)]))).data.stored).toBe(2);
});

describe("a list of observations", () => {
  it("is filtered by device, person, source, status and value", async () => {
    const sorted = async (query: string) => (await valuesOf(query)).sort((a, b) => a - b);
    expect(await sorted(`device_id=${device.id}`)).toEqual([90, 999]);
    expect(await sorted(`performer_id=${world.doctor.id}`)).toEqual([80]);
    expect(await sorted("source=device")).toEqual([90, 999]);
    expect(await sorted("source=person")).toEqual([60, 61, 62, 63, 64, 65, 80]);
    expect(await sorted("status=invalid")).toEqual([999]);
    expect(await sorted("value_min=64&value_max=80&status=final,amended")).toEqual([64, 65, 80]);
    expect(await sorted(`device_id=${device.id}&performer_id=${world.doctor.id}`)).toEqual([]);
    expect(await sorted("code=heart_rate&source=person&value_max=60")).toEqual([60]);
  });

  it.each([
    ["effective_at", (row: Row) => row.effective_at, 1],
    ["-effective_at", (row: Row) => row.effective_at, -1],
    ["received_at", (row: Row) => row.received_at, 1],
    ["-received_at", (row: Row) => row.received_at, -1],
  ] as const)("by %s has each sample once and in order, whatever the size of the pages", async (sort, timeOf, sign) => {
    const all = await walk(`sort=${sort}`, 1000);
    expect(all).toHaveLength(9);
    const times = all.map((row) => Date.parse(timeOf(row)) * sign);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const limit of [1, 2, 4]) expect(await walk(`sort=${sort}`, limit)).toEqual(all);
    expect((await walk(`sort=${sort}&source=person`, 2)).map(({ value }) => value)).toEqual(
      all.map(({ value }) => value).filter((value) => value <= 80),
    );
  });

  it("by receipt keeps the range of measurement, and columns keep filter and order", async () => {
    const from = new Date((measured[2] ?? 0) - 1).toISOString();
    expect(await valuesOf(`sort=received_at&source=person&from=${from}`)).toEqual([63, 65, 64, 62, 80]);
    const { data } = await get("format=columns&sort=effective_at&source=person&value_max=62");
    expect(data.times).toEqual(measured.slice(0, 3));
    expect(data.vitals).toMatchObject([{ values: [60, 61, 62] }]);
  });

  it("refuses what it does not know, filters of buckets, and a cursor of another order", async () => {
    for (const query of [
      "status=good",
      "source=app",
      "value_min=x",
      "sort=value",
      "buckets=5&source=device",
      "buckets=5&sort=effective_at",
    ])
      await expectProblem(await sendRequest(`${path()}?${query}`, { as: world.nurse }), 400, "invalid_request");
    const { meta } = await get("sort=effective_at&limit=2");
    const cursor = encodeURIComponent(meta.pagination.next_cursor);
    await expectProblem(
      await sendRequest(`${path()}?sort=received_at&limit=2&cursor=${cursor}`, { as: world.nurse }),
      400,
      "invalid_cursor",
    );
  });
});
