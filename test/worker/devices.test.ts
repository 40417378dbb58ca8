// Devices: a credential is shown once and works until it is revoked; a device writes for its current patient.
import { afterEach, describe, expect, it, vi } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { API, env, newDevice, newPdf, newWorld, readJson, sendRequest, uploadReport } from "../world.ts";

afterEach(() => vi.useRealTimers());

describe("a credential", () => {
  it("is shown once, kept as a hash, and works until it is revoked", async () => {
    const world = await newWorld();
    const { id: deviceId } = await newDevice(world.nurse, world.patient.id);
    const path = `${API}/devices/${deviceId}/credentials`;
    const { data } = await readJson(await sendRequest(path, { as: world.nurse, json: { name: "ward PC" } }));
    expect(data).toMatchObject({ device_id: deviceId, name: "ward PC", expires_at: null });
    expect(data.token).toMatch(/^ecd_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}$/);
    const secret = data.token.split("_").slice(2).join("_");
    const listed = await (await sendRequest(path, { as: world.nurse })).text();
    expect(listed).toContain(data.credential_id);
    expect(listed).not.toContain(secret);
    const row = await env.DB.prepare("SELECT * FROM credentials WHERE id = ?").bind(data.credential_id).first();
    expect(row).not.toBeNull();
    expect(JSON.stringify(row)).not.toContain(secret);

    expect((await uploadReport(data, newPdf())).status).toBe(201);
    const revoke = () => sendRequest(`${path}/${data.credential_id}`, { as: world.nurse, method: "DELETE" });
    expect((await revoke()).status).toBe(200);
    expect((await uploadReport(data, newPdf())).status).toBe(401);
    expect((await revoke()).status).toBe(404);
    const [ended] = (await readJson(await sendRequest(path, { as: world.nurse }))).data.filter(
      (c: { credential_id: string }) => c.credential_id === data.credential_id,
    );
    expect(ended.revoked_at).not.toBeNull();
  });

  it("fails with another secret, another id, another prefix, and after its time", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const other = await newDevice(world.nurse, world.patient.id);
    const [, id = "", secret = ""] = /^ecd_([^_]+)_(.+)$/.exec(device.token) ?? [];
    const tokens = [
      `ecd_${id}_${"A".repeat(43)}`,
      `ecd_${other.credentialId}_${secret}`,
      `ecx_${id}_${secret}`,
      `ecd_${id}_${secret}A`,
      `ecd_${id}`,
      secret,
    ];
    for (const token of tokens) expect((await uploadReport({ token }, newPdf())).status, token.slice(0, 8)).toBe(401);
    expect((await uploadReport(device, newPdf())).status).toBe(201);

    const expiry = new Date(Date.now() + 3_600_000).toISOString();
    const path = `${API}/devices/${device.id}/credentials`;
    const past = { name: "x", expires_at: new Date(Date.now() - 1).toISOString() };
    expect((await sendRequest(path, { as: world.nurse, json: past })).status).toBe(400);
    const { data } = await readJson(await sendRequest(path, { as: world.nurse, json: { name: "loan", expires_at: expiry } }));
    expect((await uploadReport(data, newPdf())).status).toBe(201);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.parse(expiry) - 1);
    expect((await uploadReport(data, newPdf())).status).toBe(201);
    vi.setSystemTime(Date.parse(expiry));
    expect((await uploadReport(data, newPdf())).status).toBe(401);
  });

  it("of another device is not found under this one", async () => {
    const world = await newWorld();
    const [a, b] = [await newDevice(world.nurse, null), await newDevice(world.nurse, null)];
    const path = `${API}/devices/${a.id}/credentials/${b.credentialId}`;
    expect((await sendRequest(path, { as: world.nurse, method: "DELETE" })).status).toBe(404);
    expect((await uploadReport(b, newPdf())).status).toBe(202);
  });
});

describe("a binding", () => {
  it("moves: the device writes for the new patient and no more for the old", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const bind = (patient: string) =>
      sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: patient } });
    const patientOf = async () =>
      (await readJson(await sendRequest(`${API}/devices/${device.id}`, { as: world.nurse }))).data.patient_id;
    const first = await readJson(await uploadReport(device, newPdf()));
    expect(await patientOf()).toBe(world.patient.id);
    const moved = await readJson(await bind(String(world.stranger.number)));
    expect(moved.data).toMatchObject({ device_id: device.id, patient_id: world.stranger.id, ended_at: null });
    expect(await patientOf()).toBe(world.stranger.id);

    const second = await readJson(await uploadReport(device, newPdf(), { recorded_at: new Date().toISOString() }));
    const old = await uploadReport(device, newPdf(), { patient_id: world.patient.id });
    expect([old.status, (await readJson(old)).data.report_id]).toEqual([202, null]);
    const reports = await readJson(await sendRequest(`${API}/reports`, { as: world.nurse }));
    const patients = new Map(
      reports.data.map((r: { report_id: string; patient: { patient_id: string } }) => [r.report_id, r.patient.patient_id]),
    );
    expect(patients.get(first.data.report_id)).toBe(world.patient.id);
    expect(patients.get(second.data.report_id)).toBe(world.stranger.id);
    expect(patients.size).toBe(2);

    const unbind = () => sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    expect((await unbind()).status).toBe(200);
    expect(await patientOf()).toBeNull();
    expect((await uploadReport(device, newPdf())).status).toBe(202);
    expect((await unbind()).status).toBe(404);
  });

  it("is one at a time, however many are made at once", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, null);
    const bind = (patient: string) =>
      sendRequest(`${API}/devices/${device.id}/assignments`, {
        as: world.nurse,
        json: { patient_id: patient },
        env: withRandomDelays(env),
      });
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => bind(i % 2 ? world.patient.id : world.stranger.id)));
    expect(new Set(all.map((response) => response.status))).toEqual(new Set([201]));
    const open = env.DB.prepare("SELECT count(*) AS n FROM device_assignments WHERE device_id = ? AND ended_at IS NULL");
    expect(await open.bind(device.id).first("n")).toBe(1);
  });

  it("may start in the past, if the device was assigned to nobody since then", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, null);
    const path = `${API}/devices/${device.id}/assignments`;
    const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
    const assign = (started_at: string, key?: string) =>
      sendRequest(path, {
        as: world.nurse,
        json: { patient_id: world.patient.id, started_at },
        ...(key && { headers: { "Idempotency-Key": key } }),
      });
    const HOUR = 3_600_000;
    for (const at of [ago(-HOUR), ago(31 * 24 * HOUR)]) {
      const refused = await assign(at);
      expect(refused.status).toBe(400);
      expect((await readJson(refused)).errors).toMatchObject([{ path: "started_at" }]);
    }
    const start = ago(3 * HOUR);
    const first = await assign(start, "assign-in-the-past");
    expect(first.status).toBe(201);
    expect((await readJson(first)).data).toMatchObject({ started_at: start, patient_id: world.patient.id, ended_at: null });
    expect((await assign(start, "assign-in-the-past")).status).toBe(201);
    const sample = (hours: number) => ({ code: "8867-4", value: 70 + hours, unit: "/min", effective_at: ago(hours * HOUR) });
    const sent = await sendRequest(`${API}/observations`, { as: device, json: { samples: [sample(1), sample(2), sample(4)] } });
    expect((await readJson(sent)).data.results).toMatchObject([
      { status: "stored" },
      { status: "stored" },
      { status: "quarantined", reason: "not_bound_then" },
    ]);
    // What was measured while the device was on somebody stays that person's.
    expect((await assign(ago(HOUR))).status).toBe(409);
    expect((await sendRequest(`${path}/current`, { as: world.nurse, method: "DELETE" })).status).toBe(200);
    const stranger = (started_at: string) =>
      sendRequest(path, { as: world.nurse, json: { patient_id: world.stranger.id, started_at } });
    expect((await stranger(ago(HOUR))).status).toBe(409);
    const { data } = await readJson(await sendRequest(path, { as: world.nurse }));
    expect((await stranger(data[0].ended_at)).status).toBe(201);
    const events = await readJson(await sendRequest(`${API}/audit-events?event=device.assign&limit=10`, { as: world.admin }));
    expect(events.data.map((event: { outcome: string }) => event.outcome).sort()).toEqual(
      expect.arrayContaining(["failed", "failed", "success", "success"]),
    );
  });

  it("is limited to the hospital and to patients whom the caller may see", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const device = await newDevice(world.nurse, null);
    const path = `${API}/devices/${device.id}/assignments`;
    for (const [as, patient] of [
      [world.nurse, other.patient.id],
      [world.admin, other.patient.id],
      [other.nurse, other.patient.id],
      [other.nurse, world.patient.id],
    ] as const) {
      expect((await sendRequest(path, { as, json: { patient_id: patient } })).status).toBe(404);
    }
    expect((await sendRequest(path, { as: world.admin, json: { patient_id: world.patient.id } })).status).toBe(201);
  });

  it("reads back what the device uploaded, also after the move, and nothing else", async () => {
    const world = await newWorld();
    const [mine, other] = [await newDevice(world.nurse, world.patient.id), await newDevice(world.nurse, world.patient.id)];
    const { data } = await readJson(await uploadReport(mine, newPdf()));
    const get = (as: { token: string }) => sendRequest(`${API}/reports/${data.report_id}`, { as });
    await sendRequest(`${API}/devices/${mine.id}/assignments`, { as: world.nurse, json: { patient_id: world.stranger.id } });
    expect([(await get(mine)).status, (await get(other)).status]).toEqual([200, 404]);
    for (const path of ["/reports", "/patients", `/patients/${world.patient.id}`, "/devices", "/auth/me", "/uploads"]) {
      expect((await sendRequest(API + path, { as: mine })).status, path).toBe(403);
    }
  });
});

describe("the registry", () => {
  it("knows a serial number once a hospital", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const json = { kind: "ecg", name: "cart", serial_number: "SN-1" };
    const statuses = [];
    for (const as of [world.nurse, world.nurse, other.nurse])
      statuses.push((await sendRequest(`${API}/devices`, { as, json })).status);
    expect(statuses).toEqual([201, 409, 201]);
    const list = await readJson(await sendRequest(`${API}/devices`, { as: world.doctor }));
    expect(list.data.map((d: { hospital_id: string }) => d.hospital_id)).toEqual([world.hospitalId]);
  });
});
