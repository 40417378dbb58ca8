// Alarm limits: precedence of patient, ward and age band; preview before saving; an audit event per change.
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import {
  API,
  env,
  newDevice,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";

let world: World;
let ward: string;
beforeEach(async () => {
  world = await newWorld();
  ward = (await readJson(await sendRequest(`${API}/wards`, { as: world.manager, json: { name: "West" } }))).data.ward_id;
  await changePatient({ monitoring: "ward", ward_id: ward });
});

async function changePatient(json: object): Promise<void> {
  const { data } = await readJson(await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse }));
  const headers = { "If-Match": `"${data.version}"` };
  const answer = await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, method: "PATCH", json, headers });
  expect(answer.status).toBe(200);
}

type Limits = Record<string, number | boolean | null>;
const send = (path: string, method: string, version: number | null, as: RequestOptions["as"], json?: Limits) =>
  sendRequest(path, { as, method, ...(json && { json }), headers: version === null ? {} : { "If-Match": `"${version}"` } });
const ofWard = (code = "heart_rate") => `${API}/wards/${ward}/alert-rules/${code}`;
const ofPatient = (code = "heart_rate", id = world.patient.id) => `${API}/patients/${id}/alert-rules/${code}`;
const put = (path: string, json: Limits, version: number | null = null, as: RequestOptions["as"] = world.nurse) =>
  send(path, "PUT", version, as, json);
const traceOf = (answer: Response) => readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
const heart = (value: number, ago = 0) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: new Date(Date.now() - ago).toISOString(),
});

async function effective(code = "8867-4", as: Person = world.nurse) {
  const { data } = await readJson(await sendRequest(`${API}/patients/${world.patient.id}/alert-rules`, { as }));
  return data.rules.find((rule: { code: string }) => rule.code === code);
}

describe("limits in effect", () => {
  it("come from the patient, else the ward, else the age band, field by field", async () => {
    const standard = await effective();
    expect(new Set(Object.values(standard.from))).toEqual(new Set(["default"]));
    expect((await put(ofWard(), { low: 46, high: 115 })).status).toBe(200);
    expect((await put(ofPatient("8867-4"), { high: 125 })).status).toBe(200);
    const { limits, from, version, updated_by, updated_at } = await effective();
    expect(limits).toEqual({ ...standard.limits, low: 46, high: 125 });
    expect(from).toMatchObject({ low: "ward", high: "patient", critical_low: "default" });
    expect({ version, updated_by }).toEqual({ version: 1, updated_by: world.nurse.id });
    expect(Math.abs(Date.parse(updated_at) - Date.now())).toBeLessThan(60_000);
    const { data } = await readJson(await sendRequest(`${API}/alert-rules?ward_id=${ward}`, { as: world.doctor }));
    expect(data).toMatchObject([
      { ward_id: ward, patient_id: null, code: "8867-4", name: "heart_rate", limits: { low: 46, high: 115 } },
    ]);

    expect((await send(ofPatient(), "DELETE", 1, world.nurse)).status).toBe(200);
    expect((await effective()).limits).toEqual({ ...standard.limits, low: 46, high: 115 });
    expect((await send(ofWard(), "DELETE", 1, world.nurse)).status).toBe(200);
    expect(await effective()).toEqual(standard);
    expect((await send(ofWard(), "DELETE", 1, world.nurse)).status).toBe(404);
  });

  it("are what the patient's monitor alarms by at once", async () => {
    const device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const monitor = env.PATIENT_MONITOR.getByName(world.patient.id);
    const bring = (...samples: object[]) => sendRequest(`${API}/observations`, { as: device, json: { samples } });
    await bring(heart(112, 40_000), heart(112, 20_000), heart(112));
    expect((await monitor.snapshot())?.alerts).toEqual([]);
    await put(ofPatient(), { high: 100 });
    expect((await monitor.snapshot())?.alerts).toEqual([]);
    await bring(heart(112, -1), heart(112, -15_000));
    await put(ofPatient(), { high: 100, duration_s: 0 }, 1);
    await bring(heart(113));
    expect((await monitor.snapshot())?.alerts).toMatchObject([{ rule: "limit", code: "8867-4", why: { bound: 100 } }]);
  });

  it("have defaults by age with their sources", async () => {
    const defaults = async (query: string, as: RequestOptions["as"] = world.nurse) =>
      sendRequest(`${API}/alert-rules/defaults${query}`, { as });
    const adult = (await readJson(await defaults(""))).data;
    const newborn = (await readJson(await defaults("?age_band=neonate"))).data;
    const rate = (rules: { code: string }[]) => rules.find(({ code }) => code === "8867-4");
    expect(rate(adult)).toMatchObject({ name: "heart_rate", unit: "/min", limits: { critical_low: 40 } });
    expect(rate(newborn)).not.toEqual(rate(adult));
    for (const rule of [...adult, ...newborn]) expect(rule.source.length, rule.name).toBeGreaterThan(10);
    expect((await defaults("?age_band=teen")).status).toBe(400);
    expect((await defaults("", world.self)).status).toBe(403);
  });
});

describe("a change of limits", () => {
  it("needs the version that is there, and of two at once one counts", async () => {
    expect((await put(ofWard(), { low: 46 }, 1)).status).toBe(412);
    const first = await Promise.all([put(ofWard(), { low: 46 }), put(ofWard(), { low: 47 })]);
    expect(first.map(({ status }) => status).sort()).not.toEqual([200, 200]);
    expect(first.some(({ status }) => status === 200)).toBe(true);
    expect((await put(ofWard(), { low: 48 })).status).toBe(428);
    expect((await put(ofWard(), { low: 48 }, 9)).status).toBe(412);
    const changed = await put(ofWard(), { low: 48 }, 1);
    expect(changed.headers.get("ETag")).toMatch(/^"2-/);
    const race = await Promise.all([44, 45, 46, 47].map((low) => put(ofWard(), { low }, 2)));
    expect(race.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    expect((await send(ofWard(), "DELETE", 2, world.nurse)).status).toBe(412);
    expect((await send(ofWard(), "DELETE", null, world.nurse)).status).toBe(428);
  });

  it("records the values before and after in the audit log", async () => {
    await put(ofPatient(), { low: 46 });
    const changed = await put(ofPatient(), { low: 45, high: null }, 1);
    const [event, ...more] = await traceOf(changed);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      event: "alert_rule.update",
      action: "U",
      entity_id: world.patient.id,
      subjects: [world.patient.id],
    });
    expect(JSON.parse(event?.detail ?? "")).toEqual({ code: "8867-4", before: { low: 46 }, after: { low: 45, high: null } });
    const removed = await send(ofPatient(), "DELETE", 2, world.nurse);
    const [gone] = await traceOf(removed);
    expect(gone).toMatchObject({ event: "alert_rule.delete", action: "D" });
    expect(JSON.parse(gone?.detail ?? "")).toEqual({ code: "8867-4", before: { low: 45, high: null }, after: null });
    const refused = await put(ofPatient(), { low: 45 }, 3);
    expect(await traceOf(refused)).toMatchObject([
      { event: "alert_rule.update", outcome: "failed", reason: "precondition_failed" },
    ]);
  });

  it("that makes no sense is refused, by field", async () => {
    const nonsense: [Limits, string][] = [
      [{ low: 131 }, "low"],
      [{ low: 90, high: 90 }, "low"],
      [{ critical_low: 60, low: 50 }, "critical_low"],
      [{ high: 900 }, "high"],
      [{ critical_low: null, low: null }, "critical_low"],
      [{ duration_s: 3600 }, "duration_s"],
      [{ hysteresis: -1 }, "hysteresis"],
      [{ silence_s: 1 }, "silence_s"],
    ];
    for (const [limits, field] of nonsense) {
      const answer = await put(ofPatient(), limits);
      expect(answer.status, JSON.stringify(limits)).toBe(400);
      expect(
        (await readJson(answer)).errors.map(({ path }: { path: string }) => path),
        JSON.stringify(limits),
      ).toContain(field);
    }
    for (const limits of [{}, { low: "50" }, { low: 50, lower: 1 }]) {
      expect((await sendRequest(ofPatient(), { as: world.nurse, method: "PUT", json: limits })).status).toBe(400);
    }
    expect((await put(ofPatient("shoe_size"), { low: 46 })).status).toBe(400);
    expect((await put(ofWard(), { low: 300, high: 200 })).status).toBe(400);
    // Plausible for newborns only.
    expect((await put(ofWard(), { low: 95, high: 210 })).status).toBe(200);
  });

  it("is for staff who may see the patient or work at the ward's hospital", async () => {
    const foreign = await newWorld();
    const elsewhere = ofPatient("heart_rate", world.stranger.id);
    expect((await put(elsewhere, { low: 46 }, null, world.doctor)).status).toBe(404);
    for (const as of [foreign.nurse, foreign.doctor, foreign.manager]) {
      expect((await put(ofPatient(), { low: 46 }, null, as)).status).toBe(404);
      expect((await put(ofWard(), { low: 46 }, null, as)).status).toBe(404);
      expect((await readJson(await sendRequest(`${API}/alert-rules?ward_id=${ward}`, { as }))).data).toEqual([]);
      expect((await sendRequest(`${API}/patients/${world.patient.id}/alert-rules`, { as })).status).toBe(404);
    }
    for (const path of [ofPatient(), ofWard()]) {
      expect((await put(path, { low: 46 }, null, world.self)).status).toBe(403);
      expect((await put(path, { low: 46 }, null, null)).status).toBe(401);
    }
    expect((await put(ofPatient(), { low: 46 }, null, world.doctor)).status).toBe(200);
    expect((await put(ofPatient(), { low: 47 }, 1, world.manager)).status).toBe(200);
    expect((await put(ofPatient(), { low: 48 }, 2, world.admin)).status).toBe(200);
  });
});

describe("a preview", () => {
  const tried = (json: object, as: RequestOptions["as"] = world.nurse) =>
    sendRequest(`${API}/patients/${world.patient.id}/alert-rules/preview`, { as, json });

  it("counts the alarms of the last day under both limits, and saves nothing", async () => {
    // Two minutes at 108 six times, ten minutes of 80 between; the same one day and one hour earlier.
    const samples = [];
    for (const start of [25 * 60, 300, 250, 200, 150, 100, 50]) {
      for (let s = 0; s <= 120; s += 10) samples.push(heart(108, start * 60_000 - s * 1000));
      for (let s = 130; s <= 730; s += 60) samples.push(heart(80, start * 60_000 - s * 1000));
    }
    const json = { patient_id: world.patient.id, samples };
    const answer = await sendRequest(`${API}/observations`, { as: world.nurse, json });
    expect((await readJson(answer)).data.refused).toBe(0);
    const asked = await tried({ code: "heart_rate", limits: { high: 105, rate_per_minute: null, trend: false } });
    expect(asked.status).toBe(200);
    const { data } = await readJson(asked);
    expect(data).toMatchObject({
      code: "8867-4",
      samples: 6 * 24,
      after: { alarms: 6, medium: 6, high: 0, limits: { high: 105 } },
    });
    const quiet = (await readJson(await tried({ code: "8867-4", limits: { high: 110, rate_per_minute: null, trend: false } })))
      .data;
    expect(quiet.after.alarms).toBe(0);
    expect(quiet.before).toEqual(data.before);
    expect((await effective()).from.high).toBe("default");
    const [event] = await traceOf(asked);
    expect(event).toMatchObject({ event: "alert_rule.preview", action: "R", subjects: [world.patient.id] });
    await put(ofPatient(), { high: 105, rate_per_minute: null, trend: false });
    const same = (await readJson(await tried({ code: "8867-4", limits: { high: 105, rate_per_minute: null, trend: false } })))
      .data;
    expect(same.before).toEqual(same.after);
    expect(same.after.alarms).toBe(6);
  });

  it("rejects invalid limits, and callers without access to the patient", async () => {
    const answer = await tried({ code: "heart_rate", limits: { low: 131 } });
    expect(answer.status).toBe(400);
    expect((await readJson(answer)).errors).toMatchObject([{ path: "limits.low" }]);
    expect((await tried({ code: "heart_rate", limits: { low: 46 } })).status).toBe(200);
    expect((await tried({ code: "heart_rate", limits: { low: 46 } }, world.self)).status).toBe(403);
    expect((await tried({ code: "heart_rate", limits: { low: 46 } }, await newPerson("doctor", world.hospitalId))).status).toBe(
      404,
    );
  });
});

describe("what the score needs to know", () => {
  const path = () => `${API}/patients/${world.patient.id}/monitoring`;
  const change = (json: object, version: number | null, as: RequestOptions["as"] = world.nurse) =>
    sendRequest(path(), { as, method: "PATCH", json, headers: version === null ? {} : { "If-Match": `"${version}"` } });

  it("is scale 1 and no pregnancy until staff say otherwise, one at a time", async () => {
    const before = await sendRequest(path(), { as: world.doctor });
    expect(before.headers.get("ETag")).toMatch(/^"1-/);
    expect((await readJson(before)).data).toMatchObject({
      spo2_scale: 1,
      pregnant: false,
      monitoring: "ward",
      version: 1,
      updated_by: null,
    });
    expect((await change({ spo2_scale: 2 }, null)).status).toBe(428);
    expect((await change({ spo2_scale: 2 }, 2)).status).toBe(412);
    const first = await Promise.all([change({ spo2_scale: 2 }, 1), change({ spo2_scale: 2 }, 1, world.doctor)]);
    expect(first.map(({ status }) => status).sort()).toEqual([200, 412]);
    const changed = await change({ pregnant: true }, 2);
    expect((await readJson(changed)).data).toMatchObject({
      spo2_scale: 2,
      pregnant: true,
      version: 3,
      updated_by: world.nurse.id,
    });
    const [event] = await traceOf(changed);
    expect(event).toMatchObject({ event: "monitoring.update", subjects: [world.patient.id] });
    expect(JSON.parse(event?.detail ?? "")).toEqual({
      before: { spo2_scale: 2, pregnant: 0, observation_mode: null },
      after: { spo2_scale: 2, pregnant: 1, observation_mode: null },
    });
    expect((await change({ pregnant: false }, 2)).status).toBe(412);
    for (const json of [{}, { spo2_scale: 3 }, { pregnant: 1 }, { monitoring: "off" }])
      expect((await change(json, 3)).status).toBe(400);
  });

  it("reaches the patient's monitor: NEWS2 does not apply in pregnancy", async () => {
    const monitor = env.PATIENT_MONITOR.getByName(world.patient.id);
    await change({ spo2_scale: 2 }, 1);
    expect((await monitor.snapshot())?.news2.status).toBe("incomplete");
    await change({ pregnant: true }, 2);
    await runDurableObjectAlarm(monitor);
    expect((await monitor.snapshot())?.news2).toEqual({ status: "not_applicable", reason: "pregnancy" });
  });

  it("is read and changed only by staff who may see the patient", async () => {
    const foreign = await newWorld();
    expect((await sendRequest(path(), { as: foreign.nurse })).status).toBe(404);
    expect((await change({ pregnant: true }, 1, foreign.doctor)).status).toBe(404);
    expect((await change({ pregnant: true }, 1, world.self)).status).toBe(403);
    expect((await sendRequest(path(), { as: world.self })).status).toBe(403);
  });
});
