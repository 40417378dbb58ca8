// Samples over the API into the patient's object: stored once, each judged separately, delivered to D1.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { withCounters } from "../stores.ts";
import { API, env, newDevice, newWorld, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
});

const at = (ago = 0) => new Date(Date.now() - ago).toISOString();
const heart = (value: unknown, extra: { seq?: number; unit?: string; effective_at?: string } = {}) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: at(),
  ...extra,
});
const bring = (samples: object[], as: { token: string } = device, more: object = {}) =>
  sendRequest(`${API}/observations`, { as, json: { samples, ...more } });
const monitor = () => env.PATIENT_MONITOR.getByName(world.patient.id);

describe("POST /observations", () => {
  it("stores what a device sends, and reports the result per item", async () => {
    const answer = await bring([heart(72, { seq: 1 }), heart("72", { seq: 2 }), heart(70, { unit: "furlong", seq: 3 })]);
    expect(answer.status).toBe(200);
    const { data } = await readJson(answer);
    expect(data).toMatchObject({ patient_id: world.patient.id, stored: 1, refused: 2 });
    expect(data.results.map((r: { status: string }) => r.status)).toEqual(["stored", "rejected", "quarantined"]);
    const snapshot = await monitor().snapshot();
    expect(snapshot?.latest).toMatchObject([{ code: "8867-4", value: 72, device_id: device.id, status: "final" }]);
  });

  it("rejects an item with a field that samples do not have, and stores the others", async () => {
    const { data } = await readJson(await bring([{ ...heart(72), note: "x" }, heart(70)]));
    expect(data).toMatchObject({
      stored: 1,
      refused: 1,
      results: [{ status: "rejected", reason: "field_unknown" }, { status: "stored" }],
    });
  });

  it("stores the activity that a source says, and returns it in the history", async () => {
    const items = [
      { ...heart(140, { effective_at: at(2000) }), activity: "during exercise" },
      heart(70, { effective_at: at(1000) }),
    ];
    const samples = [...items, { ...heart(64), activity: "at rest" }];
    const { data } = await readJson(await bring(samples, world.nurse, { patient_id: world.patient.id }));
    expect(data.stored).toBe(3);
    const read = async () => {
      const path = `${API}/patients/${world.patient.id}/observations`;
      const { data } = await readJson(await sendRequest(path, { as: world.nurse }));
      return data.map(({ value, activity }: Record<string, unknown>) => [value, activity]);
    };
    const stored = [
      [64, "at rest"],
      [70, undefined],
      [140, "during exercise"],
    ];
    expect(await read()).toEqual(stored);
    await evictDurableObject(monitor());
    expect(await read()).toEqual(stored);
  });

  it("keeps a repeated batch once, by sequence number and by time", async () => {
    const samples = [heart(72, { seq: 1 }), heart(73, { seq: 2, effective_at: at(-1000) })];
    await bring(samples);
    expect((await readJson(await bring(samples))).data).toMatchObject({ stored: 0, duplicate: 2 });
    const bare = samples.map(({ seq: _, ...rest }) => rest);
    expect((await readJson(await bring(bare))).data).toMatchObject({ stored: 0, duplicate: 2 });
  });

  it("queries D1 once for a credential that the object does not know", async () => {
    await bring([heart(71)]);
    const { env: counted, counts } = withCounters(env);
    const path = `${API}/observations`;
    // The first request of an isolate checks the deployment.
    await sendRequest(path, { as: device, json: { samples: [heart(72)] }, env: counted });
    const before = counts.d1;
    const answer = await sendRequest(path, { as: device, json: { samples: [heart(73)] }, env: counted });
    expect(answer.status).toBe(200);
    expect(counts.d1 - before).toBe(0);
  });

  it("writes 1.1 rows of the object for a batch at most, and sets its alarm only when something is due earlier", async () => {
    await bring([heart(70)]);
    await runDurableObjectAlarm(monitor());
    const batches = 200;
    const { written, alarms } = await runInDurableObject(monitor(), async (instance: PatientMonitor, state) => {
      let written = 0;
      let alarms = 0;
      const exec = state.storage.sql.exec.bind(state.storage.sql);
      const setAlarm = state.storage.setAlarm.bind(state.storage);
      state.storage.sql.exec = (query: string, ...values: unknown[]) => {
        const cursor = exec(query, ...values);
        written += cursor.rowsWritten;
        return cursor as never;
      };
      state.storage.setAlarm = async (time) => {
        alarms++;
        return setAlarm(time);
      };
      const origin = { kind: "device", credential: device.credentialId } as const;
      for (let i = 0; i < batches; i++) {
        const moment = { effective_at: at(-i * 100), seq: 10 + i };
        const items = [heart(70 + (i % 5), moment), { code: "2708-6", value: 97, unit: "%", ...moment, seq: 1000 + i }];
        const answer = instance.record(origin, { items, sent_at: null, conditions: null });
        expect(answer.known && answer.results.every(({ status }) => status === "stored")).toBe(true);
      }
      return { written, alarms };
    });
    expect(written).toBeGreaterThanOrEqual(batches);
    expect(written).toBeLessThanOrEqual(batches * 1.1);
    expect(alarms).toBeLessThanOrEqual(2);
  });

  it("quarantines samples of an unassigned device", async () => {
    const unbound = await newDevice(world.nurse, null, "wearable");
    const { data } = await readJson(await bring([heart(72)], unbound));
    expect(data).toMatchObject({ patient_id: null, refused: 1, results: [{ status: "quarantined", reason: "not_bound" }] });
    const row = await env.DB.prepare("SELECT count, reason FROM held_observations WHERE device_id = ?").bind(unbound.id).first();
    expect(row).toEqual({ count: 1, reason: "not_bound" });
  });

  it("keeps the body site of a quarantined sample: that of a wrist is no body temperature", async () => {
    const unbound = await newDevice(world.nurse, null, "wearable");
    const skin = { code: "8310-5", value: 30, unit: "Cel", effective_at: at(), body_site: "wrist" };
    await bring([skin], unbound);
    const { data } = await readJson(await sendRequest(`${API}/observations/quarantine`, { as: world.nurse }));
    const held = data.find(({ device_id }: { device_id: string }) => device_id === unbound.id);
    const entry = await readJson(await sendRequest(`${API}/observations/quarantine/${held.held_id}`, { as: world.nurse }));
    expect(entry.data.items).toEqual([skin]);
  });

  it("refuses a revoked credential at once", async () => {
    await bring([heart(72)]);
    const revoked = await sendRequest(`${API}/devices/${device.id}/credentials/${device.credentialId}`, {
      as: world.nurse,
      method: "DELETE",
    });
    expect(revoked.status).toBe(200);
    expect((await bring([heart(73)])).status).toBe(401);
  });

  it("accepts values entered by staff and patients, and by nobody else", async () => {
    const sample = { patient_id: world.patient.id, ...heart(64) };
    expect((await sendRequest(`${API}/observations`, { as: world.nurse, json: sample })).status).toBe(200);
    expect(
      (await sendRequest(`${API}/observations`, { as: world.self, json: heart(65, { effective_at: at(500) }) })).status,
    ).toBe(200);
    const foreign = await newWorld();
    expect((await sendRequest(`${API}/observations`, { as: foreign.nurse, json: sample })).status).toBe(404);
    expect((await monitor().snapshot())?.latest).toMatchObject([{ value: 64, performer_id: world.nurse.id }]);
  });

  it("tells D1 of an alert within its next alarm", async () => {
    await sendRequest(`${API}/patients/${world.patient.id}`, {
      as: world.nurse,
      method: "PATCH",
      headers: { "If-Match": '"1"' },
      json: { monitoring: "ward" },
    });
    await bring([heart(0)]);
    await runDurableObjectAlarm(monitor());
    const { results } = await env.DB.prepare("SELECT priority, state, rule FROM alerts WHERE patient_id = ?")
      .bind(world.patient.id)
      .all();
    expect(results).toEqual([{ priority: "high", state: "active", rule: "limit" }]);
  });

  it("lets no code take the place of another's values", async () => {
    const { data } = await readJson(
      await bring([
        heart(71, { seq: 1 }),
        heart(900, { seq: 2, effective_at: at(-1) }),
        { ...heart(999), code: "8867-4!", unit: "furlong" },
      ]),
    );
    expect(data.results).toMatchObject([
      { status: "stored" },
      { status: "stored", note: "implausible" },
      { status: "rejected", reason: "code_invalid" },
    ]);
    const latest = await readJson(
      await sendRequest(`${API}/patients/${world.patient.id}/observations/latest`, { as: world.nurse }),
    );
    expect(latest.data.latest).toMatchObject([
      { code: "8867-4", value: 71, status: "final" },
      { code: "8867-4", value: 900, status: "invalid" },
    ]);
  });

  it("keeps a code with that sign, as it was accepted before, apart from the invalid heart rates", async () => {
    await bring([heart(71)]);
    await runInDurableObject(monitor(), (_: PatientMonitor, state) => {
      const [row] = state.storage.sql.exec<{ memory: string }>("SELECT memory FROM open").toArray();
      const { content } = JSON.parse(row?.memory ?? "{}");
      const own = { ...content.latest["8867-4"], value: 999, unit: "furlong" };
      const impossible = { ...content.latest["8867-4"], value: 900, status: "invalid" };
      // Both were in the slot `8867-4!`; the device's own code came last.
      const latest = { ...content.latest, "8867-4!": own, "2708-6!": impossible };
      const old = { ...content, latest, newestSampleAt: {}, receivedCounts: {} };
      state.storage.sql.exec("UPDATE open SET memory = ?", JSON.stringify({ formatVersion: 3, content: old }));
    });
    await evictDurableObject(monitor());
    const { latest = [] } = (await monitor().snapshot()) ?? {};
    expect(latest.map(({ code, value, status }) => [code, value, status])).toEqual([
      ["8867-4", 71, "final"],
      ["8867-4!", 999, "final"],
      ["2708-6", 900, "invalid"],
    ]);
    await bring([heart(901, { effective_at: at(-2) })]);
    expect((await monitor().snapshot())?.latest).toMatchObject([{ value: 71 }, { value: 999 }, { value: 900 }, { value: 901 }]);
  });

  it("bounds what a device that sends nonsense can fill: unknown codes, and items put aside", async () => {
    const codes = Array.from({ length: 150 }, (_, i) => ({ code: `x-${i}`, value: 1, unit: "1", effective_at: at() }));
    const answer = (await readJson(await bring(codes))).data;
    expect(answer).toMatchObject({ stored: 100, refused: 50 });
    expect(answer.results[149]).toMatchObject({ status: "rejected", reason: "too_many_codes" });
    expect((await readJson(await bring([heart(70), { ...codes[3], effective_at: at(-1) }]))).data).toMatchObject({ stored: 2 });
    const furlongs = Array.from({ length: 1000 }, () => heart(70, { unit: "furlong" }));
    for (let i = 0; i < 10; i++) expect((await readJson(await bring(furlongs))).data.results[0].status).toBe("quarantined");
    expect((await readJson(await bring(furlongs))).data.results[0]).toMatchObject({
      status: "rejected",
      reason: "too_many_held",
    });
  });
});
