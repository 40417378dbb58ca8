// Statistics over many samples equal a recount, and include only patients whom the caller may see.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import type { AlertState, Priority } from "../../src/monitoring/alarm-rules/model.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { alerts } from "../../src/platform/db/schema.ts";
import { FIRST_TIME, LAST_TIME, toIso as toIsoOfProduct } from "../../src/platform/time.ts";
import { withCounters } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newHospital,
  newPatient,
  newPerson,
  newWorld,
  type Patient,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import {
  approximately,
  createItem,
  createSeries,
  deliverToD1,
  HEART_RATE,
  HOUR_MS,
  type Item,
  SPO2,
  storeSamples,
  summarize,
  TEMPERATURE,
  toIso,
  withObjectCounter,
} from "./vitals-world.ts";

const get = async (path: string, as: RequestOptions["as"]) => readJson(await sendRequest(path, { as }));
const DAY = 24 * HOUR_MS;

let world: World;
let third: Patient;
/** For each patient of the world. */
let brought: Map<string, Item[]>;
const now = Date.now();
beforeAll(async () => {
  world = await newWorld();
  third = await newPatient(world.hospitalId, world.nurse);
  brought = new Map();
  for (const [i, { id }] of [world.patient, world.stranger, third].entries()) {
    const items = createSeries(now, 40 - 10 * i, i);
    brought.set(id, items);
    await storeSamples(world.nurse, id, items);
    await deliverToD1(id, 3);
  }
});

const summaryOf = (patient: { id: string }, query = "") => `${API}/analytics/patients/${patient.id}/summary${query}`;

describe("a patient's summary", () => {
  it("equals a recount of the samples, over whole hours", async () => {
    const items = [...(brought.get(world.patient.id) ?? [])];
    const one = createItem(TEMPERATURE, 37.5, Date.now());
    items.push(one);
    await storeSamples(world.nurse, world.patient.id, [one]);
    for (const query of [
      "",
      `?from=${toIso(now - 39.3 * HOUR_MS)}`,
      `?from=${toIso(now - 20 * HOUR_MS)}&to=${toIso(now - 10 * HOUR_MS)}`,
    ]) {
      const { data } = await get(summaryOf(world.patient, query), world.doctor);
      const [from, to] = [Date.parse(data.from), Date.parse(data.to)];
      expect([from % HOUR_MS, to % HOUR_MS]).toEqual([0, 0]);
      expect(data.vitals.map(({ code }: Item) => code)).toEqual(
        [...new Set(items.filter(({ effective_at: at }) => at >= data.from && at < data.to).map(({ code }) => code))].sort(),
      );
      for (const { code, latest, ...counts } of data.vitals) {
        const { last, last_at: _, ...expected } = approximately(summarize(items, code, from, to));
        expect(counts).toMatchObject(expected);
        expect(latest.value).toBe(last);
      }
    }
    const { data } = await get(summaryOf(world.patient), world.doctor);
    expect(data.vitals.find(({ code }: Item) => code === TEMPERATURE)).toMatchObject({
      name: "temperature",
      display: "Body temperature",
      unit: "Cel",
      n: 1,
      latest: { value: 37.5, effective_at: one.effective_at },
    });
    expect(data.news2).toMatchObject({ status: "incomplete" });
  });

  it("has the alerts that were raised in the range, by priority and state", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const at = Date.now() - 5 * HOUR_MS;
    const rows: [Priority, AlertState, number][] = [
      ["high", "active", at],
      ["high", "cleared", at],
      ["high", "cleared", at],
      ["low", "recovered", at],
      ["low", "active", at - 3 * DAY],
    ];
    const known = { patientId: patient.id, hospitalId: world.hospitalId, rule: "limit", why: "{}", updatedAt: at, version: 1 };
    await getDb(env.DB)
      .insert(alerts)
      .values(rows.map(([priority, state, raisedAt], i) => ({ id: `${patient.id}-a${i}`, ...known, priority, state, raisedAt })));
    const { data } = await get(summaryOf(patient), world.nurse);
    expect(data.alerts).toEqual([
      { priority: "high", state: "active", n: 1 },
      { priority: "high", state: "cleared", n: 2 },
      { priority: "low", state: "recovered", n: 1 },
    ]);
    const keyWith = async (...scopes: string[]) =>
      (await readJson(await sendRequest(`${API}/api-keys`, { as: world.manager, json: { name: "test", scopes } }))).data.token;
    expect((await get(summaryOf(patient), await keyWith("observation:read"))).data.alerts).toBeNull();
    expect((await get(summaryOf(patient), await keyWith("observation:read", "alert:read"))).data.alerts).toEqual(data.alerts);
    await expectProblem(await sendRequest(summaryOf(patient), { as: await keyWith("alert:read") }), 403, "forbidden");
  });

  it("has the legacy path, and requires access to the patient", async () => {
    const response = await sendRequest(`/api/analytics/patients/${world.patient.number}/summary`, { as: world.self });
    expect(response.headers.get("link")).toContain(`/api/v1/analytics/patients/${world.patient.number}/summary`);
    expect((await readJson(response)).data.patient_id).toBe(world.patient.id);
    const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(events).toMatchObject([{ event: "observation.read", subjects: [world.patient.id] }]);
    for (const as of [world.self, world.doctor])
      await expectProblem(await sendRequest(summaryOf(world.stranger), { as }), 404, "not_found");
    const outsider = await newPerson("hospital_admin", await newHospital());
    await expectProblem(await sendRequest(summaryOf(world.patient), { as: outsider }), 404, "not_found");
    await expectProblem(
      await sendRequest(summaryOf(world.patient, `?from=${toIso(now - 400 * DAY)}`), { as: world.nurse }),
      400,
      "invalid_request",
    );
  });

  it("costs two round trips to D1, and two calls of the object side by side", async () => {
    const objects = withObjectCounter(env);
    const { env: watched, counts } = withCounters(objects.env);
    const month = summaryOf(world.patient, `?from=${toIso(now - 30 * DAY)}`);
    expect((await sendRequest(month, { as: world.nurse, env: watched })).status).toBe(200);
    expect({ d1: counts.d1, calls: objects.calls.sort() }).toEqual({ d1: 2, calls: ["openHours", "snapshot"] });
    expect(counts.rowsRead).toBeLessThan(1600);
  });
});

/** Per hour and code, from the samples of these patients. */
function recount(patients: { id: string }[], from: number, to: number) {
  const lines = [];
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour < to; hour += HOUR_MS) {
    for (const code of [SPO2, HEART_RATE]) {
      const those = patients.map(({ id }) =>
        (brought.get(id) ?? []).filter(
          (one) => one.code === code && Date.parse(one.effective_at) >= hour && Date.parse(one.effective_at) < hour + HOUR_MS,
        ),
      );
      const with_some = those.filter((items) => items.length > 0);
      if (with_some.length === 0) continue;
      const { last: _last, last_at: _at, ...counts } = approximately(summarize(with_some.flat(), code, hour, hour + HOUR_MS));
      lines.push({ hour: toIso(hour), code, patients: with_some.length, ...counts });
    }
  }
  return lines;
}

const bare = (data: Record<string, unknown>[]) => data.map(({ name: _n, unit: _u, resolution: _r, ...rest }) => rest);

describe("the hours of all patients", () => {
  const path = (query = "") => `${API}/analytics/hourly-stats${query}`;
  const stats = '{"8867-4":[1,60,60,60,60,0]}';
  /** A hospital with 20,001 patients in one hour, whose rows no other hospital's query may read. */
  let crowded: string;
  beforeAll(async () => {
    crowded = await newHospital();
    await getDb(env.DB).run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)
      INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
      SELECT ${crowded}, CAST(${Math.floor(now / HOUR_MS) - 3} AS INTEGER), 'p' || i, ${stats}, 1 FROM n`);
  });

  it("equal a recount of the samples of those that the caller may see", async () => {
    const everybody = [world.patient, world.stranger, third];
    const from = now - 45 * HOUR_MS;
    for (const [as, patients] of [
      [world.nurse, everybody],
      [world.manager, everybody],
      [world.doctor, [world.patient]],
      [world.self, [world.patient]],
    ] as const) {
      const { data, meta } = await get(path(`?from=${toIso(from)}`), as);
      const lines = recount([...patients], from, Date.parse(meta.to));
      expect(lines.length).toBeGreaterThan(70);
      expect(bare(data)).toEqual(lines);
    }
    const { data, meta } = await get(path(`?from=${toIso(from)}&hospital_id=${world.hospitalId}`), world.admin);
    expect(bare(data)).toEqual(recount(everybody, from, Date.parse(meta.to)));
    // Control: the comparison detects a missing sample.
    const all = brought.get(third.id) ?? [];
    brought.set(third.id, all.slice(1));
    expect(bare(data)).not.toEqual(recount(everybody, from, Date.parse(meta.to)));
    brought.set(third.id, all);
    expect((await get(path(`?from=${toIso(from)}`), await newPerson("nurse", await newHospital()))).data).toEqual([]);
  });

  it("are the last 24 that are over, of one vital if that is asked", async () => {
    const { data, meta } = await get(path("?code=spo2"), world.nurse);
    expect(data.every(({ code, unit }: Item) => code === SPO2 && unit === "%")).toBe(true);
    expect(Date.parse(meta.as_of) % HOUR_MS).toBe(0);
    expect(Date.now() - Date.parse(meta.as_of)).toBeGreaterThanOrEqual(20 * 60_000);
    expect(Date.now() - Date.parse(meta.as_of)).toBeLessThan(HOUR_MS + 21 * 60_000);
    expect(meta.to <= meta.as_of).toBe(true);
    expect(data.at(-1).hour < meta.as_of).toBe(true);
    expect(data.length).toBeGreaterThan(20);
  });

  it("are UTC hours whatever zone the range is in, also where clocks change", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const day = Math.floor(now / DAY) * DAY - 3 * DAY;
    // Half an hour of India's clock apart, on both sides of a local midnight.
    const items = [0, 29, 31, 59, 60, 90, 119, 120].map((minute, i) =>
      createItem(TEMPERATURE, 36 + i / 10, day + minute * 60_000),
    );
    await storeSamples(world.nurse, patient.id, items);
    await deliverToD1(patient.id, 2);
    const local = (time: number, minutes: number, zone: string) =>
      encodeURIComponent(toIso(time + minutes * 60_000).replace("Z", zone));
    const answers = await Promise.all(
      (
        [
          [0, "Z"],
          [330, "+05:30"],
          [-240, "-04:00"],
          [-300, "-05:00"],
          [60, "+01:00"],
          [120, "+02:00"],
        ] as const
      ).map(([minutes, zone]) => {
        const query = `?code=temperature&from=${local(day, minutes, zone)}&to=${local(day + 3 * HOUR_MS, minutes, zone)}`;
        return get(path(query), world.nurse);
      }),
    );
    for (const { data } of answers) {
      expect(data.map(({ hour, n }: { hour: string; n: number }) => [hour, n])).toEqual([
        [toIso(day), 4],
        [toIso(day + HOUR_MS), 3],
        [toIso(day + 2 * HOUR_MS), 1],
      ]);
    }
    const half = await get(
      path(`?code=temperature&from=${toIso(day + HOUR_MS / 2)}&to=${toIso(day + HOUR_MS + 1)}`),
      world.nurse,
    );
    expect(half.data).toHaveLength(2);
  });

  it("are bounded, traced, and cost two round trips", async () => {
    await expectProblem(await sendRequest(path(`?from=${toIso(now - 8 * DAY)}`), { as: world.nurse }), 400, "invalid_request");
    await expectProblem(await sendRequest(path(`?hospital_id=${await newHospital()}`), { as: world.nurse }), 404, "not_found");
    const objects = withObjectCounter(env);
    const { env: watched, counts } = withCounters(objects.env);
    const response = await sendRequest(path(`?from=${toIso(now - 7 * DAY + 60_000)}`), { as: world.nurse, env: watched });
    expect(response.status).toBe(200);
    expect({ d1: counts.d1, calls: objects.calls }).toEqual({ d1: 1, calls: [] });
    const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(events).toMatchObject([{ event: "observation.stats", actor_role: "nurse", hospital_id: world.hospitalId }]);
    for (const as of [world.nurse, world.doctor, world.self, world.admin]) {
      const watch = withCounters(env);
      const query = as === world.admin ? `?hospital_id=${world.hospitalId}` : "";
      expect((await sendRequest(path(query), { as, env: watch.env })).status).toBe(200);
      // At most three patients in 24 hours, two vitals each; rows of JSON count too.
      expect(watch.counts.rowsRead, as.role).toBeLessThan(1000);
    }
    await expectProblem(await sendRequest(path(), { as: world.admin }), 400, "invalid_request");
  });

  it("say so when there is too much to count at once, instead of counting a part", async () => {
    const nurse = await newPerson("nurse", crowded);
    await expectProblem(await sendRequest(path(), { as: nurse }), 400, "invalid_request");
    await expectProblem(await sendRequest(path("?code=spo2"), { as: nurse }), 400, "invalid_request");
    await env.DB.prepare("DELETE FROM vital_hours WHERE hospital_id = ? AND patient_id = 'p1'").bind(crowded).run();
    expect((await get(path(), nurse)).data).toMatchObject([{ n: 20_000, patients: 20_000, mean: 60 }]);
  });
});

describe("a wearable", () => {
  const steps = (value: number, at: number) => ({ code: CODES.steps, value, unit: "{steps}", effective_at: toIso(at) });

  it("shows its wearer the latest samples and the last days", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const wearer = await newPerson("patient");
    await link(wearer, patient);
    const at = Date.now();
    const midnight = Math.floor(at / DAY) * DAY;
    const today = [steps(400, midnight), steps(250, at)];
    const items = [
      createItem(HEART_RATE, 61, midnight - 8 * DAY),
      steps(9000, midnight - 1),
      createItem(HEART_RATE, 72, at - 1),
      ...today,
    ];
    await storeSamples(wearer, undefined, [...items, { code: "19889-5", value: 38, unit: "mm[Hg]", effective_at: toIso(at) }]);
    await deliverToD1(patient.id, 2);
    const { data: recent, meta } = await get(`${API}/wearables/metrics/recent?limit=2`, wearer);
    expect(recent.map(({ value }: Item) => value)).toEqual([250, 72]);
    expect(meta.pagination.has_more).toBe(true);
    expect((await get(`${API}/wearables/metrics/recent`, wearer)).data).toHaveLength(items.length);
    const { data } = await get(`${API}/wearables/summary`, wearer);
    expect(data.patient_id).toBe(patient.id);
    expect(Date.parse(data.to) - Date.parse(data.from)).toBe(7 * DAY);
    const vital = (code: string) => data.vitals.find((one: Item) => one.code === code);
    expect(vital(HEART_RATE)).toMatchObject({ n: 1, min: 72, max: 72, mean: 72, unit: "/min", latest: { value: 72 } });
    expect(vital(CODES.steps)).toMatchObject({ n: 3, max: 9000, latest: { value: 250 } });
    expect(data.today).toMatchObject([{ name: "steps", n: 2, sum: 650, max: 400, unit: "{steps}", latest: { value: 250 } }]);
    const longer = await get(`${API}/wearables/summary?days=30&patient_id=${patient.id}`, world.nurse);
    expect(longer.data.vitals.find((one: Item) => one.code === HEART_RATE)).toMatchObject({ n: 2, min: 61 });
  });

  it("is asked for by name by those who have no record of their own", async () => {
    for (const path of ["metrics/recent", "summary"]) {
      await expectProblem(await sendRequest(`${API}/wearables/${path}`, { as: world.nurse }), 400, "invalid_request");
      await expectProblem(
        await sendRequest(`${API}/wearables/${path}?patient_id=${world.stranger.id}`, { as: world.self }),
        404,
        "not_found",
      );
      await expectProblem(await sendRequest(`${API}/wearables/${path}`, { as: await newPerson("patient") }), 404, "not_found");
    }
    await expectProblem(await sendRequest(`${API}/wearables/summary?days=91`, { as: world.self }), 400, "invalid_request");
  });

  it("costs one round trip to D1, or two with hours of D1, and one call of the object", async () => {
    for (const path of ["metrics/recent", "summary"]) {
      const objects = withObjectCounter(env);
      const { env: watched, counts } = withCounters(objects.env);
      expect((await sendRequest(`${API}/wearables/${path}`, { as: world.self, env: watched })).status).toBe(200);
      const d1 = path === "summary" ? 2 : 1;
      expect({ path, d1: counts.d1, calls: objects.calls.length }).toEqual({ path, d1, calls: 1 });
    }
  });
});

it("a range at either end of the accepted years is answered in years of four digits", async () => {
  const path = `/patients/${world.patient.id}/observations`;
  const paths = [
    `/analytics/patients/${world.patient.id}/summary?`,
    "/analytics/hourly-stats?",
    `${path}?buckets=5&`,
    `${path}?`,
  ];
  const last = "to=9999-12-31T23:59:59.999Z";
  const ranges = [
    "to=0001-01-01T00:00:00Z",
    "to=0001-01-01T00:00:00.001Z",
    "from=0001-01-01T00:00:00Z&to=0001-01-01T00:00:00.001Z",
    "from=0001-01-01T00:00:00Z&to=0001-01-06T00:00:00Z",
    `from=9999-12-30T00:00:00Z&${last}`,
    `from=9999-12-28T00:00:00Z&${last}`,
    `from=9999-12-31T23:59:59.998Z&${last}`,
    last,
  ];
  for (const url of paths.flatMap((start) => ranges.map((range) => `${API}${start}${range}`))) {
    const answer = await sendRequest(url, { as: world.nurse });
    const text = await answer.text();
    expect([answer.status, text.match(/"[-+]\d+-\d\d-|"0000-/)], url).toEqual([200, null]);
  }
  for (const time of [FIRST_TIME - 1, LAST_TIME + 1, Number.NaN]) expect(() => toIsoOfProduct(time)).toThrow(RangeError);
});
