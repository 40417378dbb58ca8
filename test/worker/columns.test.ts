// Samples and buckets as columns: the same data and access as the list, at a tenth of the bytes.
import { beforeAll, describe, expect, it } from "vitest";
import { bucketsOf, samplesOf } from "../../portal/src/monitoring/vitals/columns.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  newDevice,
  newHospital,
  newPatient,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import { backdateBinding, createItem, HEART_RATE, HOUR_MS, SPO2, storeSamples, toIso } from "./vitals-world.ts";

const VITALS = [
  [HEART_RATE, 72, "/min"],
  [SPO2, 97, "%"],
  ["9279-1", 16, "/min"],
  ["8480-6", 121, "mm[Hg]"],
  ["8462-4", 78, "mm[Hg]"],
  ["8310-5", 36.8, "Cel"],
] as const;
const ROWS = 100;

let world: World;
const now = Date.now();
beforeAll(async () => {
  world = await newWorld();
  const device = await newDevice(world.nurse, world.patient.id);
  await backdateBinding(device.id, world.patient.id, HOUR_MS);
  const samples = Array.from({ length: ROWS }, (_, row) =>
    VITALS.map(([code, value, unit]) => ({ code, value: value + (row % 4), unit, effective_at: toIso(now - (row + 1) * 1000) })),
  ).flat();
  await sendRequest(`${API}/observations`, { as: device, json: { samples } });
});

const path = (rest: string, id: string | number = world.patient.id) => `${API}/patients/${id}/observations${rest}`;
const get = async (rest: string, as: RequestOptions["as"] = world.nurse) => readJson(await sendRequest(path(rest), { as }));

type Sample = { observation_id: string };
const byId = <T extends Sample>(samples: T[]) => [...samples].sort((a, b) => a.observation_id.localeCompare(b.observation_id));
const charted = ({ received_at: _r, device_id: _d, performer_id: _p, ...rest }: Sample & Record<string, unknown>) => rest;

describe("samples as columns", () => {
  it("say the same as the list: ids, times, values, units, status", async () => {
    const [list, columns] = [await get("?limit=1000"), await get("?limit=1000&format=columns")];
    expect(list.data).toHaveLength(ROWS * VITALS.length);
    expect(byId(samplesOf(columns.data))).toEqual(byId(list.data.map(charted)));
    expect(columns.meta).toEqual(list.meta);
    expect(columns.data.times).toEqual(Array.from({ length: ROWS }, (_, row) => now - (row + 1) * 1000));
    expect(columns.data.vitals.map(({ values }: { values: unknown[] }) => values.length)).toEqual(VITALS.map(() => ROWS));
  });

  it("take a tenth of the bytes for 600 values", async () => {
    const size = async (rest: string) => (await (await sendRequest(path(rest), { as: world.nurse })).text()).length;
    const [list, columns] = [await size("?limit=1000"), await size("?limit=1000&format=columns")];
    expect(list / (ROWS * VITALS.length)).toBeGreaterThan(250);
    expect(columns * 10).toBeLessThan(list);
  });

  it("come in pages that end where the list's do", async () => {
    const found: Sample[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null; pages++) {
      const { data, meta } = await get(`?limit=250&format=columns${cursor && `&cursor=${cursor}`}`);
      const page = samplesOf(data);
      expect(page).toHaveLength(meta.pagination.has_more ? 250 : 100);
      found.push(...page);
      cursor = meta.pagination.next_cursor;
      expect(pages).toBeLessThan(5);
    }
    expect(new Set(found.map(({ observation_id }) => observation_id)).size).toBe(ROWS * VITALS.length);
  });

  it("keep invalid, corrected and simultaneous samples, and codes that the catalogue lacks", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    await storeSamples(world.nurse, patient.id, [createItem(HEART_RATE, 70, now - 5000), createItem(SPO2, 104, now - 5000)]);
    const colleague = await newPerson("nurse", world.hospitalId);
    await storeSamples(colleague, patient.id, [createItem(HEART_RATE, 90, now - 5000)]);
    await storeSamples(world.nurse, patient.id, [{ code: "pump.rate", value: 3, unit: "mL/h", effective_at: toIso(now - 4000) }]);
    const read1 = async () => readJson(await sendRequest(path("", patient.id), { as: world.nurse }));
    const [first] = (await read1()).data.filter(({ value }: { value: number }) => value === 70);
    const wrong = { status: "entered-in-error", reason: "Another patient's" };
    await sendRequest(`${API}/observations/${first.observation_id}`, { as: world.nurse, method: "PATCH", json: wrong });
    const { data: list } = await read1();
    const { data: columns } = await readJson(await sendRequest(path("?format=columns", patient.id), { as: world.nurse }));
    expect(list.map(({ status }: { status: string }) => status).sort()).toEqual([
      "entered-in-error",
      "final",
      "final",
      "invalid",
    ]);
    expect(byId(samplesOf(columns))).toEqual(byId(list.map(charted)));
  });

  it("are empty columns where nothing was measured", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const { data } = await readJson(await sendRequest(path("?format=columns", patient.id), { as: world.nurse }));
    expect(data).toEqual({ times: [], id_prefixes: [], vitals: [] });
  });
});

describe("buckets as columns", () => {
  it("say the same as the list", async () => {
    const range = `buckets=20&from=${toIso(now - 120_000)}&to=${toIso(now)}`;
    const [list, columns] = [await get(`?${range}`), await get(`?${range}&format=columns`)];
    expect(list.data.length).toBeGreaterThan(50);
    const key = ({ code, from }: Record<string, unknown>) => `${code} ${from}`;
    const sorted = (items: Record<string, unknown>[]) => [...items].sort((a, b) => key(a).localeCompare(key(b)));
    expect(sorted(bucketsOf(columns.data))).toEqual(sorted(list.data));
    expect(columns.meta).toEqual(list.meta);
    expect(JSON.stringify(columns.data).length * 4).toBeLessThan(JSON.stringify(list.data).length);
  });
});

describe("access to columns", () => {
  it("is as to the list, and traced as it is", async () => {
    const outsider = await newPerson("nurse", await newHospital());
    await expectProblem(await sendRequest(path("?format=columns"), { as: outsider }), 404, "not_found");
    await expectProblem(await sendRequest(path("?format=columns")), 401, "unauthenticated");
    const response = await sendRequest(path("?format=columns&limit=7"), { as: world.nurse });
    const [event] = await readAuditEvents(response.headers.get("X-Request-Id") ?? "");
    expect(event).toMatchObject({ event: "observation.read", subjects: [world.patient.id] });
    expect(JSON.parse(event?.detail ?? "")).toMatchObject({ view: "history", count: 7 });
  });

  it.each(["rows", "", "columns,list"])("refuses the format %j", async (format) => {
    await expectProblem(await sendRequest(path(`?format=${format}`), { as: world.nurse }), 400, "invalid_request");
  });
});
