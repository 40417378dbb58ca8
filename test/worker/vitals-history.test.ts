// Reading and correcting one patient's vitals: access, correct samples, and audit events.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { markForRecount, recountHours } from "../../src/monitoring/patient-object/recording/hour-closing.ts";
import { Store } from "../../src/monitoring/patient-object/samples/store.ts";
import { withCounters } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newDevice,
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
  backdateBinding,
  createItem,
  createSeries,
  deliverToD1,
  getMonitor,
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

let world: World;
let items: Item[];
const start = Date.now();
beforeAll(async () => {
  world = await newWorld();
  items = createSeries(start - 60_000, 60);
  await storeSamples(world.nurse, world.patient.id, items);
  await deliverToD1(world.patient.id);
});
afterEach(() => void vi.useRealTimers());

const of = (patient: { id: string | number }, rest: string) => `${API}/patients/${patient.id}/${rest}`;
const get = async (path: string, as: RequestOptions["as"] = world.nurse) => readJson(await sendRequest(path, { as }));
const newestFirst = () =>
  [...items].sort((a, b) => b.effective_at.localeCompare(a.effective_at) || items.indexOf(b) - items.indexOf(a));
const brief = ({ code, value, effective_at }: Item) => ({ code, value, effective_at });

describe("the list of samples", () => {
  it("is newest first, a hundred a page, each page where the one before ended", async () => {
    const found: Item[] = [];
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null; pages++) {
      const { data, meta } = await get(of(world.patient, `observations?limit=70${cursor && `&cursor=${cursor}`}`));
      expect(data.length).toBe(meta.pagination.has_more ? 70 : items.length % 70);
      found.push(...data);
      cursor = meta.pagination.next_cursor;
      expect(pages).toBeLessThan(20);
    }
    expect(found.map(brief)).toEqual(newestFirst().map(brief));
    expect(new Set(found.map((one) => Reflect.get(one, "observation_id"))).size).toBe(items.length);
    expect((await get(of(world.patient, "observations"))).data).toHaveLength(100);
  });

  it("accepts codes by LOINC and by name, and times from (inclusive) to (exclusive)", async () => {
    const rates = newestFirst().filter(({ code }) => code === HEART_RATE);
    for (const code of [HEART_RATE, "heart_rate"]) {
      const { data } = await get(of(world.patient, `observations?code=${code}&limit=1000`));
      expect(data.map(brief)).toEqual(rates.map(brief));
    }
    expect((await get(of(world.patient, `observations?code=heart_rate,spo2&limit=1000`))).data).toHaveLength(items.length);
    expect((await get(of(world.patient, "observations?code=etco2"))).data).toEqual([]);
    const [upper, lower] = [rates[10]?.effective_at ?? "", rates[20]?.effective_at ?? ""];
    const { data } = await get(of(world.patient, `observations?code=heart_rate&from=${lower}&to=${upper}`));
    expect(data.map(brief)).toEqual(rates.slice(11, 21).map(brief));
  });

  it("has the legacy path and limits: 100 by default, at most 1000", async () => {
    const path = `/api/patients/${world.patient.number}/history`;
    const response = await sendRequest(path, { as: world.nurse });
    expect(response.headers.get("deprecation")).not.toBeNull();
    expect((await readJson(response)).data.map(brief)).toEqual(newestFirst().slice(0, 100).map(brief));
    expect((await get(`${path}?limit=1000`)).data).toHaveLength(items.length);
    for (const limit of ["1001", "0", "-1", "1e2", ""]) {
      await expectProblem(await sendRequest(`${path}?limit=${limit}`, { as: world.nurse }), 400, "invalid_request");
    }
  });

  it("rejects invalid parameters", async () => {
    const { meta } = await get(of(world.patient, "observations?limit=1"));
    const cursor = meta.pagination.next_cursor;
    const refused = async (rest: string, code: string, patient: Patient = world.patient) =>
      expectProblem(await sendRequest(of(patient, rest), { as: world.nurse }), 400, code);
    await refused("observations?offset=3", "invalid_request");
    await refused(`observations?code=${"a,".repeat(41)}`, "invalid_request");
    await refused("observations?from=yesterday", "invalid_request");
    await refused("observations?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "invalid_request");
    await refused("observations?buckets=0", "invalid_request");
    await refused("observations?buckets=1001", "invalid_request");
    await refused(`observations?cursor=${cursor}`, "invalid_cursor", world.stranger);
    await refused(`observations?cursor=${cursor}&code=spo2`, "invalid_cursor");
    await refused("observations?buckets=5&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "invalid_request");
  });
});

describe("a chart", () => {
  it("of up to 24 hours is made of samples, in parts of any length", async () => {
    const [from, to] = [start - 25 * HOUR_MS - 1234, start - 2 * HOUR_MS + 77];
    const { data, meta } = await get(of(world.patient, `observations?buckets=17&from=${toIso(from)}&to=${toIso(to)}`));
    const more = { uncounted_hours: 0, limits: expect.any(Array) };
    expect(meta).toEqual({ resolution: "raw", from: toIso(from), to: toIso(to), ...more });
    const rates = data.filter(({ code }: Item) => code === HEART_RATE);
    expect(rates).toHaveLength(17);
    for (const bucket of data) {
      expect(bucket).toMatchObject(approximately(summarize(items, bucket.code, Date.parse(bucket.from), Date.parse(bucket.to))));
    }
    const total = (code: string) =>
      data.reduce((sum: number, b: { code: string; n: number }) => sum + (b.code === code ? b.n : 0), 0);
    expect(total(HEART_RATE)).toBe(summarize(items, HEART_RATE, from, to).n);
    expect(total(SPO2)).toBe(summarize(items, SPO2, from, to).n);
    expect(rates[0].from).toBe(toIso(from));
    expect(rates.at(-1).to).toBe(toIso(to));
  });

  it("of more is made of whole hours, closed and open, and loses no sample", async () => {
    const [from, to] = [start - 59.5 * HOUR_MS, Date.now()];
    const { data, meta } = await get(of(world.patient, `observations?buckets=10&code=heart_rate&from=${toIso(from)}`));
    const edges = { from: Math.floor(from / HOUR_MS) * HOUR_MS, to: Math.ceil(to / HOUR_MS) * HOUR_MS };
    const more = { uncounted_hours: 0, limits: expect.any(Array) };
    expect(meta).toEqual({ resolution: "hour", from: toIso(edges.from), to: toIso(edges.to), ...more });
    expect(data).toHaveLength(10);
    for (const bucket of data) {
      expect(Date.parse(bucket.from) % HOUR_MS).toBe(0);
      expect(bucket).toMatchObject(approximately(summarize(items, HEART_RATE, Date.parse(bucket.from), Date.parse(bucket.to))));
    }
    const n = data.reduce((sum: number, bucket: { n: number }) => sum + bucket.n, 0);
    expect(n).toBe(summarize(items, HEART_RATE, edges.from, edges.to).n);
    const fine = await get(of(world.patient, `observations?buckets=1000&code=heart_rate&from=${toIso(from)}`));
    const measured = items.filter(
      ({ code, effective_at }) =>
        code === HEART_RATE && Date.parse(effective_at) >= edges.from && Date.parse(effective_at) < edges.to,
    );
    expect(fine.data).toHaveLength(
      new Set(measured.map(({ effective_at }) => Math.floor(Date.parse(effective_at) / HOUR_MS))).size,
    );
  });

  it("without a range is of the last 24 hours", async () => {
    const { data, meta } = await get(of(world.patient, "observations?buckets=1&code=spo2"));
    expect(Date.parse(meta.to) - Date.parse(meta.from)).toBe(24 * HOUR_MS);
    expect(data[0].n).toBe(summarize(items, SPO2, Date.parse(meta.from), Date.parse(meta.to)).n);
  });
});

describe("hours", () => {
  it("are the delivered ones in D1 and the open ones in the object, each once", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const now = Date.now();
    const mine = [...createSeries(now, 5), createItem(TEMPERATURE, 36.6, now)];
    await storeSamples(world.nurse, patient.id, mine);
    await deliverToD1(patient.id);
    const { data } = await get(of(patient, `observations/rollups?interval=hour&from=${toIso(now - 6 * HOUR_MS)}`));
    for (const { hour, code, open, ...counts } of data) {
      const from = Date.parse(hour);
      expect(counts).toMatchObject(approximately(summarize(mine, code, from, from + HOUR_MS)));
      expect(open).toBe(from === Math.floor(now / HOUR_MS) * HOUR_MS);
    }
    expect(data.filter(({ code }: Item) => code === TEMPERATURE)).toHaveLength(1);
    const rates = data.filter(({ code }: Item) => code === HEART_RATE);
    expect(rates.reduce((sum: number, { n }: { n: number }) => sum + n, 0)).toBe(30);
    const one = await get(of(patient, `observations/rollups?code=temperature`));
    expect(one.data).toMatchObject([{ code: TEMPERATURE, name: "temperature", unit: "Cel", n: 1, open: true }]);
    await expectProblem(
      await sendRequest(of(patient, `observations/rollups?from=${toIso(now - 32 * 24 * HOUR_MS)}`), { as: world.nurse }),
      400,
      "invalid_request",
    );
  });
});

describe("the latest", () => {
  it("has status and age of each vital, devices with their clocks, and the score", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const device = await newDevice(world.nurse, patient.id);
    await backdateBinding(device.id, patient.id, HOUR_MS);
    const now = Date.now();
    const json = {
      samples: [createItem(SPO2, 96, now - 90_000), createItem(SPO2, 104, now - 30_000)],
      sent_at: toIso(now - 5000),
    };
    const response = await sendRequest(`${API}/observations`, { as: device, json });
    expect((await readJson(response)).data.stored).toBe(2);
    const { data } = await get(of(patient, "observations/latest"));
    expect(data).toMatchObject({ patient_id: patient.id, monitoring: "off" });
    const [good, bad] = data.latest;
    expect(good).toMatchObject({ code: SPO2, name: "spo2", value: 96, unit: "%", status: "final", device_id: device.id });
    expect(bad).toMatchObject({ code: SPO2, value: 104, status: "invalid", performer_id: null });
    expect(good.age_s - bad.age_s).toBe(60);
    expect(bad.age_s).toBeGreaterThanOrEqual(30);
    expect(bad.age_s).toBeLessThan(60);
    expect(data.devices).toMatchObject([{ device_id: device.id, conditions: [] }]);
    expect(Math.abs(data.devices[0].clock_skew_ms + 5000)).toBeLessThan(3000);
    expect(Date.now() - Date.parse(data.devices[0].last_seen_at)).toBeLessThan(30_000);
    expect(data.news2).toMatchObject({ status: "incomplete" });
    expect(data.news2.missing).not.toContain("spo2");
    expect((await get(of(patient, "scores/news2"))).data).toEqual({ patient_id: patient.id, ...data.news2 });
  });

  it("of a patient without samples are empty, and create no object", async () => {
    const { data } = await get(of(world.stranger, "observations/latest"));
    expect(data).toMatchObject({ patient_id: world.stranger.id, latest: [], devices: [], news2: { status: "incomplete" } });
    expect(data.news2.missing).toHaveLength(7);
    expect((await get(of(world.stranger, "observations"))).data).toEqual([]);
    const tables = await runInDurableObject(getMonitor(world.stranger.id), (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'open'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("has a number for the score only when all of it is there", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const at = toIso(Date.now() - 1000);
    const whole = [
      ["9279-1", 22, "/min"],
      [SPO2, 95, "%"],
      ["3150-0", 21, "%"],
      ["8480-6", 105, "mm[Hg]"],
      [HEART_RATE, 95, "/min"],
      ["67775-7", "A", "1"],
      [TEMPERATURE, 38.5, "Cel"],
    ].map(([code, value, unit]) => ({ code, value, unit, effective_at: at }));
    await sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: patient.id, samples: whole } });
    const { data } = await get(of(patient, "scores/news2"));
    // RCP 2017: 2 for 22 breaths, 1 each for 95 %, 105 mmHg, 95 beats and 38.5 degrees.
    expect(data).toMatchObject({ patient_id: patient.id, status: "complete", score: 6 });
  });
});

describe("a correction", () => {
  const patch = (id: string, json: unknown, as: RequestOptions["as"] = world.nurse) =>
    sendRequest(`${API}/observations/${id}`, { as, method: "PATCH", json });
  const REASON = "Read off the wrong line, canary-reason";

  it("keeps the old value, author and time, and everything uses the new value from then on", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
    const at = Date.now() - 2000;
    const mine = [...createSeries(at - 10, 3), createItem(HEART_RATE, 188, at)];
    const ids = await storeSamples(world.nurse, patient.id, mine);
    const id = ids.at(-1) ?? "";
    const response = await patch(id, { status: "amended", value: 88, reason: REASON }, world.doctor);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ observation_id: id, value: 88, unit: "/min", status: "amended" });
    expect(data.history).toMatchObject([{ value: 188, performer_id: world.nurse.id, device_id: null }]);

    const again = (await readJson(await patch(id, { status: "amended", value: 89, reason: "again" }))).data;
    expect(again.history).toMatchObject([
      { value: 188, performer_id: world.nurse.id },
      { value: 88, performer_id: world.doctor.id },
    ]);
    const now = mine.map((one) => (one.value === 188 ? { ...one, value: 89 } : one));
    const { latest } = (await get(of(patient, "observations/latest"))).data;
    expect(latest.find(({ code }: Item) => code === HEART_RATE)).toMatchObject({ observation_id: id, value: 89 });
    expect((await get(of(patient, "observations?limit=1"))).data).toMatchObject([
      { observation_id: id, value: 89, status: "amended" },
    ]);

    // Samples after the correction are merged with those before it.
    const later = createItem(HEART_RATE, 71, Date.now());
    await storeSamples(world.nurse, patient.id, [later]);
    now.push(later);
    const compare = async () => {
      const { data } = await get(of(patient, `observations/rollups?code=heart_rate&from=${toIso(at - 4 * HOUR_MS)}`));
      expect(data.length).toBeGreaterThan(2);
      for (const { hour, ...counts } of data) {
        expect(counts).toMatchObject(approximately(summarize(now, HEART_RATE, Date.parse(hour), Date.parse(hour) + HOUR_MS)));
      }
      return data;
    };
    await deliverToD1(patient.id, 2);
    expect((await compare()).at(-1).open).toBe(true);
    vi.useFakeTimers({ now: at + 2 * HOUR_MS, toFake: ["Date"] });
    await runDurableObjectAlarm(getMonitor(patient.id));
    vi.useRealTimers();
    expect((await compare()).at(-1).open).toBe(false);
  });

  it("ends the alarm that the wrong value raised", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const changed = await sendRequest(`${API}/patients/${patient.id}`, {
      as: world.nurse,
      method: "PATCH",
      json: { monitoring: "ward" },
      headers: { "If-Match": '"1"' },
    });
    expect(changed.status).toBe(200);
    await deliverChanges(env);
    const [id = ""] = await storeSamples(world.nurse, patient.id, [createItem(HEART_RATE, 188, Date.now() - 1000)]);
    const alerts = async () => (await getMonitor(patient.id).snapshot())?.alerts ?? [];
    expect(await alerts()).toMatchObject([{ rule: "limit", code: HEART_RATE, state: "active" }]);
    expect((await patch(id, { status: "amended", value: 88, reason: REASON })).status).toBe(200);
    // Not acknowledged, so it stays open.
    expect(await alerts()).toMatchObject([{ rule: "limit", state: "recovered" }]);
    const [second = ""] = await storeSamples(world.nurse, patient.id, [createItem(HEART_RATE, 190, Date.now())]);
    expect(await alerts()).toMatchObject([{ state: "active" }]);
    expect((await patch(second, { status: "entered-in-error", reason: REASON })).status).toBe(200);
    expect(await alerts()).toMatchObject([{ state: "recovered" }]);
  });

  it("of an hour that D1 has is counted again there", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const until = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 5 * HOUR_MS;
    const mine = createSeries(until, 2);
    const ids = await storeSamples(world.nurse, patient.id, mine);
    await deliverToD1(patient.id, 2);
    const place = mine.findIndex(({ code }) => code === SPO2);
    expect((await patch(ids[place] ?? "", { status: "entered-in-error", reason: REASON })).status).toBe(200);
    await deliverToD1(patient.id, 2);
    const left = mine.filter((_, i) => i !== place);
    const { data } = await get(
      of(patient, `observations/rollups?code=spo2&from=${toIso(until - 2 * HOUR_MS)}&to=${toIso(until)}`),
    );
    expect(data).toHaveLength(2);
    for (const { hour, ...counts } of data) {
      expect(counts).toMatchObject(approximately(summarize(left, SPO2, Date.parse(hour), Date.parse(hour) + HOUR_MS)));
    }
    const { data: all } = await get(of(patient, "observations?code=spo2"));
    expect(all.filter(({ status }: { status: string }) => status === "entered-in-error")).toHaveLength(1);
  });

  it("of an hour that is being counted is counted once more, and of many hours each once", async () => {
    const now = Date.now();
    const left = await runInDurableObject(getMonitor(crypto.randomUUID()), async (_, state) => {
      const store = new Store(state.storage, (error) => expect.unreachable(error.message));
      store.createTables();
      const { hoursToRecount } = store.memory(now);
      for (const hour of [7, 7, 8, 9]) markForRecount(store, store.memory(now), hour);
      expect(hoursToRecount).toEqual([7, 8, 9]);
      const finish = await recountHours(env, store, "p", now);
      markForRecount(store, store.memory(now), 8);
      markForRecount(store, store.memory(now), 8);
      finish?.();
      return store.memory(now).hoursToRecount;
    });
    // A lookup only in the list would lose an hour here: it stays there until its count is delivered.
    expect(left).toEqual([8]);
  });

  it("accepts the units of the catalogue, and no impossible value", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const [id = "", odd = ""] = await storeSamples(world.nurse, patient.id, [
      createItem(TEMPERATURE, 39, Date.now() - 1000),
      { code: "house-code", value: 5, unit: "drops", effective_at: toIso(Date.now()) },
    ]);
    const given = async (json: object) => readJson(await patch(id, { reason: REASON, status: "amended", ...json }));
    expect((await given({ value: 98.6, unit: "[degF]" })).data).toMatchObject({ value: 37, unit: "Cel" });
    for (const [json, path] of [
      [{ value: 370 }, "value"],
      [{ value: "A" }, "value"],
      [{ value: 37, unit: "mm[Hg]" }, "unit"],
    ] as const) {
      const response = await patch(id, { reason: REASON, status: "amended", ...json });
      expect((await readJson(response.clone())).errors).toMatchObject([{ path }]);
      await expectProblem(response, 400, "invalid_request");
    }
    expect((await readJson(await patch(odd, { status: "amended", value: 6, reason: "x" }))).data).toMatchObject({
      value: 6,
      unit: "drops",
    });
    await expectProblem(await patch(odd, { status: "amended", value: 6, unit: "mL", reason: "x" }), 400, "invalid_request");
    expect((await get(of(patient, "observations?code=temperature"))).data).toMatchObject([{ value: 37, status: "amended" }]);
  });

  it("needs a reason, which is stored encrypted with the sample and not in the audit log", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const [id = ""] = await storeSamples(world.nurse, patient.id, [createItem(HEART_RATE, 70, Date.now())]);
    for (const json of [
      { status: "amended", value: 71 },
      { status: "amended", value: 71, reason: " " },
      { status: "amended", value: 71, reason: "x".repeat(501) },
      { status: "amended", reason: "x" },
      { status: "entered-in-error", value: 3, reason: "x" },
      { status: "final", value: 3, reason: "x" },
    ]) {
      await expectProblem(await patch(id, json), 400, "invalid_request");
    }
    const response = await patch(id, { status: "entered-in-error", reason: REASON });
    const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    const said = { outcome: "success", entity_type: "observation", entity_id: id, subjects: [patient.id] };
    expect(events.toSorted((a, b) => a.event.length - b.event.length)).toMatchObject([
      { ...said, event: "observation.amend" },
      { ...said, event: "observation.amend_begin" },
    ]);
    expect(JSON.stringify(events)).not.toContain("canary-reason");
    const [row] = await runInDurableObject(getMonitor(patient.id), (_, state) =>
      state.storage.sql.exec<{ body: string }>("SELECT body FROM corrections").toArray(),
    );
    expect(JSON.parse(row?.body ?? "{}").content.reason).toMatch(/^s1\./);
    expect(row?.body).not.toContain("canary-reason");
    expect((await get(of(patient, "observations/latest"))).data.latest).toEqual([]);
  });

  it("is for those who look after the patient; other ids are all the same 404", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const [id = ""] = await storeSamples(world.nurse, patient.id, [createItem(HEART_RATE, 70, Date.now())]);
    const outsider = await newPerson("nurse", await newHospital());
    const json = { status: "entered-in-error", reason: "x" };
    await expectProblem(await patch(id, json, world.self), 403, "forbidden");
    await expectProblem(await patch(id, json, await newDevice(world.nurse, patient.id)), 403, "forbidden");
    const [away = ""] = await storeSamples(world.nurse, world.stranger.id, [createItem(HEART_RATE, 70, Date.now())]);
    await expectProblem(await patch(away, json, world.doctor), 404, "not_found");
    const bodies = new Set<string>();
    for (const [wrong, as] of [
      [id, outsider],
      [id.replace(/-[^-]*$/, "-v9"), world.nurse],
      [id.replace(/-[^-]*-/, "-l1-"), world.nurse],
      [`${id}x`.replace(/^./, "9"), world.nurse],
      ["nothing", world.nurse],
      ["aaaaaaaaaaaaaaaaaaaaaaaaaa-1-1", world.nurse],
    ] as const) {
      const response = await patch(wrong, json, as);
      const { title, detail, code, errors } = await readJson(response.clone());
      await expectProblem(response, 404, "not_found");
      bodies.add(JSON.stringify({ title, detail, code, errors }));
    }
    expect(bodies.size).toBe(1);
  });
});

describe("every read", () => {
  const paths = ["observations", "observations?buckets=10", "observations/latest", "observations/rollups", "scores/news2"];

  it("writes one audit event that names the patient before it responds", async () => {
    for (const path of paths) {
      const response = await sendRequest(of(world.patient, path), { as: world.doctor });
      expect(response.status).toBe(200);
      const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
      expect(events, path).toMatchObject([{ event: "observation.read", basis: "care_team", subjects: [world.patient.id] }]);
    }
  });

  it("is for those who may see the patient", async () => {
    const outsider = await newPerson("nurse", await newHospital());
    const device = await newDevice(world.nurse, world.patient.id);
    for (const path of paths) {
      expect((await sendRequest(of(world.patient, path), { as: world.self })).status, path).toBe(200);
      await expectProblem(await sendRequest(of(world.patient, path), { as: device }), 403, "forbidden");
      await expectProblem(await sendRequest(of(world.patient, path), { as: null }), 401, "unauthenticated");
      for (const as of [world.self, world.doctor]) {
        await expectProblem(await sendRequest(of(world.stranger, path), { as }), 404, "not_found");
      }
      await expectProblem(await sendRequest(of(world.patient, path), { as: outsider }), 404, "not_found");
    }
  });

  it("costs one round trip to D1, or two with hours of D1, and one call of the object", async () => {
    const month = `observations?buckets=100&code=heart_rate&from=${toIso(Date.now() - 30 * 24 * HOUR_MS)}`;
    for (const path of [...paths, month]) {
      const objects = withObjectCounter(env);
      const { env: counted, counts } = withCounters(objects.env);
      expect((await sendRequest(of(world.patient, path), { as: world.nurse, env: counted })).status, path).toBe(200);
      const d1 = path === month || path.includes("rollups") ? 2 : 1;
      expect({ path, d1: counts.d1, calls: objects.calls.length }).toEqual({ path, d1, calls: 1 });
      expect(counts.rowsRead, path).toBeLessThan(path === month ? 1600 : 100);
    }
  });
});

describe("a held observation", () => {
  it("is listed for those who manage devices, and opened one by one", async () => {
    const { nurse, doctor, manager, self, hospitalId } = await newWorld();
    const device = await newDevice(nurse, null);
    const lost = createItem(HEART_RATE, 77.7, Date.now());
    await sendRequest(`${API}/observations`, { as: device, json: { samples: [lost] } });
    const patient = await newPatient(hospitalId, nurse);
    const bound = await newDevice(nurse, patient.id);
    await backdateBinding(bound.id, patient.id, HOUR_MS);
    await sendRequest(`${API}/observations`, { as: bound, json: { samples: [{ ...lost, unit: "furlong" }] } });
    await deliverToD1(patient.id, 1);
    for (const as of [nurse, manager]) {
      const { data, meta } = await get(`${API}/observations/quarantine`, as);
      expect(meta.pagination.total).toBe(2);
      expect(data).toMatchObject([
        { device_id: bound.id, patient_id: patient.id, reasons: ["unit_unknown"], count: 1, hospital_id: hospitalId },
        { device_id: device.id, patient_id: null, reasons: ["not_bound"], count: 1 },
      ]);
      expect(JSON.stringify(data)).not.toContain("77.7");
    }
    const [first] = (await get(`${API}/observations/quarantine?limit=1`, nurse)).data;
    const response = await sendRequest(`${API}/observations/quarantine/${first.held_id}`, { as: nurse });
    expect((await readJson(response)).data).toEqual({ ...first, note: null, items: [{ ...lost, unit: "furlong" }] });
    const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(events).toMatchObject([{ event: "observation.held", entity_id: first.held_id, subjects: [patient.id] }]);
    for (const as of [doctor, self])
      await expectProblem(await sendRequest(`${API}/observations/quarantine`, { as }), 403, "forbidden");
    await expectProblem(
      await sendRequest(`${API}/observations/quarantine/${first.held_id}`, { as: world.nurse }),
      404,
      "not_found",
    );
    expect((await get(`${API}/observations/quarantine`, world.nurse)).data).toEqual([]);
    expect((await get(`${API}/observations/quarantine?limit=100`, world.admin)).data.length).toBeGreaterThanOrEqual(2);
  });
});
