// Devices: a claim code gives one credential, once; name and status; assignment history.
import { runDurableObjectAlarm } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CLAIM_CODE_TTL_MS } from "../../src/devices/claim-codes.ts";
import {
  API,
  env,
  findEvents,
  newAddress,
  newDevice,
  newPatient,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
  withinOneMinute,
} from "../world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
afterEach(() => vi.useRealTimers());

const issue = (device: string, as: RequestOptions["as"] = world.nurse) =>
  sendRequest(`${API}/devices/${device}/claim-code`, { as, method: "POST" });
const claim = (code: unknown, options: RequestOptions = {}) =>
  sendRequest(`${API}/devices/claim`, { json: { code }, ...options });
const codeOf = async (device: string): Promise<string> => (await readJson(await issue(device))).data.code;
const sample = (value: number, ago = 0) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: new Date(Date.now() - ago).toISOString(),
});
const bring = (as: { token: string }, ...samples: object[]) => sendRequest(`${API}/observations`, { as, json: { samples } });
const plain = (text: string) => text.replace(/"(error_id|request_id)":"[^"]*"/g, "");

describe("a claim code", () => {
  it("has eight unambiguous characters, is stored as a keyed hash, and returns the device's own credential", async () => {
    const { id } = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const answer = await issue(id);
    expect(answer.status).toBe(201);
    const { data } = await readJson(answer);
    expect(data.code).toMatch(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/);
    expect(Date.parse(data.expires_at) - Date.now()).toBeLessThanOrEqual(CLAIM_CODE_TTL_MS);
    const row = await env.DB.prepare("SELECT * FROM device_claim_codes WHERE device_id = ?").bind(id).first();
    expect(row).not.toBeNull();
    expect(JSON.stringify(row)).not.toContain(data.code.replace("-", ""));

    const claimed = await claim(` ${data.code.toLowerCase().replace("-", " ")} `);
    expect(claimed.status).toBe(201);
    const credential = (await readJson(claimed)).data;
    expect(credential).toMatchObject({ device_id: id, hospital_id: world.hospitalId, kind: "bedside_monitor" });
    expect((await readJson(await bring(credential, sample(71)))).data).toMatchObject({ patient_id: world.patient.id, stored: 1 });
    const [event] = await readAuditEvents(claimed.headers.get("X-Request-Id") ?? "");
    expect(event).toMatchObject({ event: "device.claim", outcome: "success", entity_id: id, hospital_id: world.hospitalId });
    const [issued] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
    expect(issued).toMatchObject({ event: "device_claim_code.issue", actor_id: world.nurse.id });
  });

  it("is worth one credential to fifty at once", async () => {
    const { id } = await newDevice(world.nurse, null, "wearable");
    const code = await codeOf(id);
    const before = await env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE device_id = ?").bind(id).first<number>("n");
    const answers = await Promise.all(Array.from({ length: 50 }, () => claim(code)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(49);
    const after = await env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE device_id = ?").bind(id).first<number>("n");
    expect((after ?? 0) - (before ?? 0)).toBe(1);
    expect((await findEvents({ event: "device.claim", entity_id: id })).map(({ outcome }) => outcome)).toEqual(["success"]);
  });

  it("that is wrong, used, replaced, expired, or of a device out of service gets one and the same answer", async () => {
    const [a, b, c] = [
      await newDevice(world.nurse, null),
      await newDevice(world.nurse, null),
      await newDevice(world.nurse, null),
    ];
    const used = await codeOf(a.id);
    await claim(used);
    const replaced = await codeOf(b.id);
    const present = await codeOf(b.id);
    const idle = await codeOf(c.id);
    const gone = await sendRequest(`${API}/devices/${c.id}`, {
      as: world.nurse,
      method: "DELETE",
      headers: { "If-Match": '"1"' },
    });
    expect(gone.status).toBe(200);
    const answers = [await claim("ZZZZ-ZZZZ"), await claim(used), await claim(replaced), await claim(idle)];
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + CLAIM_CODE_TTL_MS);
    answers.push(await claim(present));
    const seen = await Promise.all(
      answers.map(async (r) => {
        const headers = [...r.headers].filter(([name]) => !["x-request-id", "content-length"].includes(name)).sort();
        return `${r.status} ${JSON.stringify(headers)} ${plain(await r.text())}`;
      }),
    );
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(/^404 /);
    for (const answer of answers) {
      const [event] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
      expect(event).toMatchObject({ event: "device.claim", outcome: "denied", entity_id: null });
    }
  });

  it("lives to its last millisecond, and dies with the rights of who made it", async () => {
    const { id } = await newDevice(world.nurse, null);
    const nurse = await newPerson("nurse", world.hospitalId);
    const code = (await readJson(await issue(id, nurse))).data.code;
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(nurse.id).run();
    expect((await claim(code)).status).toBe(404);
    await env.DB.prepare("UPDATE memberships SET ended_at = NULL WHERE user_id = ?").bind(nurse.id).run();
    const { created_at, expires_at } =
      (await env.DB.prepare("SELECT * FROM device_claim_codes WHERE device_id = ?").bind(id).first()) ?? {};
    expect(Number(expires_at) - Number(created_at)).toBe(CLAIM_CODE_TTL_MS);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Number(expires_at) - 1);
    expect((await claim(code)).status).toBe(201);
  });

  it("is created only by managers of the hospital's devices", async () => {
    const { id } = await newDevice(world.nurse, null);
    expect((await issue(id, world.doctor)).status).toBe(403);
    expect((await issue(id, world.self)).status).toBe(403);
    expect((await issue(id, null)).status).toBe(401);
    const foreign = await newWorld();
    expect((await issue(id, foreign.nurse)).status).toBe(404);
    for (const as of [world.nurse, world.manager, world.admin]) expect((await issue(id, as)).status).toBe(201);
  });

  it("is refused in any other form, and under its other path found too", async () => {
    for (const code of ["", "K7MQ-2XW", "K7MQ-2XWH1", "K0MQ-2XWH", 7, null]) expect((await claim(code)).status).toBe(400);
    const { id } = await newDevice(world.nurse, null, "wearable");
    const code = await codeOf(id);
    expect((await sendRequest(`${API}/wearables/devices/claim`, { json: { code } })).status).toBe(201);
  });

  it("is tried as often as people sign up, and no oftener", async () => {
    const limited = { ...env, RATE_SIGNUP: bindings.RATE_TEST };
    const tries = await withinOneMinute(() => {
      const ip = newAddress();
      return Promise.all(Array.from({ length: 130 }, () => claim("ZZZZ-ZZZZ", { env: limited, ip })));
    });
    expect(tries.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(20);
    expect(tries.some(({ status }) => status === 404)).toBe(true);
  });
});

describe("a device", () => {
  const path = (id: string) => `${API}/devices/${id}`;

  it("is renamed by who has seen it last", async () => {
    const { id } = await newDevice(world.nurse, world.patient.id);
    const first = await sendRequest(path(id), { as: world.nurse });
    expect(first.headers.get("ETag")).toMatch(/^"1-/);
    const change = (headers: Record<string, string>, json: object = { name: "ECG cart 9", model: "MX-4" }) =>
      sendRequest(path(id), { as: world.nurse, method: "PATCH", json, headers });
    expect((await change({})).status).toBe(428);
    expect((await change({ "If-Match": '"2"' })).status).toBe(412);
    const changed = await change({ "If-Match": '"1"' });
    expect((await readJson(changed)).data).toMatchObject({
      name: "ECG cart 9",
      model: "MX-4",
      version: 2,
      patient_id: world.patient.id,
    });
    expect((await change({ "If-Match": '"1"' })).status).toBe(412);
    const both = await Promise.all(["A", "B"].map((name) => change({ "If-Match": '"2"' }, { name })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect(
      (await sendRequest(path(id), { as: world.doctor, method: "PATCH", json: { name: "x" }, headers: { "If-Match": '"3"' } }))
        .status,
    ).toBe(403);
  });

  it("out of service is not assigned, cannot send, and can be restored", async () => {
    const device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    expect((await bring(device, sample(70))).status).toBe(200);
    const remove = (version: string) =>
      sendRequest(path(device.id), { as: world.nurse, method: "DELETE", headers: { "If-Match": version } });
    expect((await remove('"7"')).status).toBe(412);
    expect((await bring(device, sample(71))).status).toBe(200);
    const removed = await remove('"1"');
    expect(removed.status).toBe(200);
    const [event] = await readAuditEvents(removed.headers.get("X-Request-Id") ?? "");
    expect(event).toMatchObject({ event: "device.delete", outcome: "success", subjects: [world.patient.id] });
    expect((await bring(device, sample(72))).status).toBe(401);
    const shown = (await readJson(await sendRequest(path(device.id), { as: world.nurse }))).data;
    expect(shown).toMatchObject({ is_active: false, patient_id: null, version: 2 });
    const bind = () => sendRequest(`${path(device.id)}/assignments`, { as: world.nurse, json: { patient_id: world.patient.id } });
    expect((await bind()).status).toBe(404);
    expect((await issue(device.id)).status).toBe(409);
    const back = await sendRequest(path(device.id), {
      as: world.nurse,
      method: "PATCH",
      json: { is_active: true },
      headers: { "If-Match": '"2"' },
    });
    expect((await readJson(back)).data).toMatchObject({ is_active: true, patient_id: null });
    expect((await bind()).status).toBe(201);
    expect((await bring(device, sample(73))).status).toBe(200);
  });

  it("is found by kind, number and patient, and shows its patient to whom it may", async () => {
    const serial_number = uniqueText();
    const json = { kind: "wearable", name: "Watch", serial_number };
    const made = (await readJson(await sendRequest(`${API}/devices`, { as: world.nurse, json }))).data;
    await sendRequest(`${path(made.device_id)}/assignments`, { as: world.nurse, json: { patient_id: world.stranger.id } });
    const other = await newDevice(world.nurse, world.patient.id, "ecg");
    const list = async (query: string, as: RequestOptions["as"] = world.nurse) =>
      (await readJson(await sendRequest(`${API}/devices?${query}`, { as }))).data;
    expect(await list(`serial_number=${serial_number}`)).toMatchObject([
      { device_id: made.device_id, patient_id: world.stranger.id },
    ]);
    expect(await list(`serial_number=${serial_number}`, world.doctor)).toMatchObject([{ patient_id: null }]);
    expect(await list(`patient_id=${world.patient.id}`)).toMatchObject([{ device_id: other.id }]);
    expect(await list(`patient_id=${world.stranger.id}`, world.doctor)).toEqual([]);
    expect(await list("active=false")).toEqual([]);
    expect((await list("kind=ecg")).length).toBe(1);
    const listed = await sendRequest(`${API}/devices`, { as: world.nurse });
    const [event] = await readAuditEvents(listed.headers.get("X-Request-Id") ?? "");
    expect([...(event?.subjects ?? [])].sort()).toEqual([world.patient.id, world.stranger.id].sort());
  });
});

describe("bindings by time", () => {
  it("follow each other without overlap, newest first, of patients whom the caller may see", async () => {
    const device = await newDevice(world.nurse, world.patient.id);
    const bind = (patient_id: string) =>
      sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id } });
    await bind(world.stranger.id);
    await bind(world.patient.id);
    const answer = await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse });
    const { data, meta } = await readJson(answer);
    expect(data.map((a: { patient_id: string }) => a.patient_id)).toEqual([
      world.patient.id,
      world.stranger.id,
      world.patient.id,
    ]);
    expect(meta.pagination.total).toBe(3);
    for (let i = 0; i < 2; i++) expect(Date.parse(data[i + 1].ended_at)).toBeLessThanOrEqual(Date.parse(data[i].started_at));
    expect(data[0].ended_at).toBeNull();
    const [event] = await readAuditEvents(answer.headers.get("X-Request-Id") ?? "");
    expect([...(event?.subjects ?? [])].sort()).toEqual([world.patient.id, world.stranger.id].sort());
    const seen = (await readJson(await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.doctor }))).data;
    expect(seen.map((a: { patient_id: string }) => a.patient_id)).toEqual([world.patient.id, world.patient.id]);
    // Patients have devices of their own, of which this is none.
    expect((await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.self })).status).toBe(404);
    const foreign = await newWorld();
    expect((await sendRequest(`${API}/devices/${device.id}/assignments`, { as: foreign.nurse })).status).toBe(404);
    const race = await Promise.all([world.patient.id, world.stranger.id, world.patient.id].map(bind));
    expect(race.every(({ status }) => status === 201)).toBe(true);
    const open = env.DB.prepare("SELECT count(*) AS n FROM device_assignments WHERE device_id = ? AND ended_at IS NULL");
    expect(await open.bind(device.id).first<number>("n")).toBe(1);
  });

  it("decide whose a sample is: before a rebinding the former patient's, after it the new one's", async () => {
    const device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const next = await newPatient(world.hospitalId, world.nurse);
    const before = sample(61);
    expect((await readJson(await bring(device, before))).data).toMatchObject({ patient_id: world.patient.id, stored: 1 });
    await new Promise((done) => setTimeout(done, 20));
    const late = sample(62);
    await new Promise((done) => setTimeout(done, 20));
    await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: next.id } });
    await new Promise((done) => setTimeout(done, 20));
    // For a time before its assignment, a device is believed only if it has sent its clock.
    const statuses = async (more: object) => {
      const json = { samples: [late, sample(63)], ...more };
      const { data } = await readJson(await sendRequest(`${API}/observations`, { as: device, json }));
      return data.results.map(({ status }: { status: string }) => status);
    };
    expect(await statuses({})).toEqual(["quarantined", "stored"]);
    expect(await statuses({ sent_at: new Date().toISOString() })).toEqual(["stored", "stored"]);
    const values = async (patient: string) => {
      const monitor = env.PATIENT_MONITOR.getByName(patient);
      await runDurableObjectAlarm(monitor);
      const { samples } = await monitor.history({ codes: null, from: 0, to: Date.now() + 1000, limit: 10, after: null });
      return samples.map(({ value }) => value).sort();
    };
    expect(await values(world.patient.id)).toEqual([61, 62]);
    expect(await values(next.id)).toEqual([63, 63]);
  });
});
