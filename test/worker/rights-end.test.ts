// Access that ends: with a membership, with a reused token, during an upload; and what must not be restored.
import { describe, expect, it } from "vitest";
import { withCounters } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newPdf,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  type World,
} from "../world.ts";

const member = (world: World) => `${API}/hospitals/${world.hospitalId}/members/${world.doctor.id}`;
const refresh = (token: string) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token } });

describe("a membership that ended", () => {
  it("ends its sessions and care team places: a new membership starts without them", async () => {
    const world = await newWorld();
    const reads = () => sendRequest(`${API}/patients/${world.patient.id}`, { as: world.doctor });
    expect((await reads()).status).toBe(200);
    expect((await sendRequest(member(world), { as: world.manager, method: "DELETE" })).status).toBe(200);
    expect((await reads()).status).toBe(401);
    // A hospital administrator cannot reactivate an account; an administrator can.
    const back = { method: "PUT", json: { role: "doctor" } };
    expect((await sendRequest(member(world), { as: world.manager, ...back })).status).toBe(404);
    expect((await sendRequest(member(world), { as: world.admin, ...back })).status).toBe(200);
    expect((await reads()).status).toBe(401);
    expect((await refresh(world.doctor.refresh)).status).toBe(401);
    const team = "SELECT count(*) AS n FROM care_team WHERE user_id = ? AND ended_at IS NULL";
    // biome-ignore lint/plugin: a constant.
    expect(await env.DB.prepare(team).bind(world.doctor.id).first("n")).toBe(0);
    const row = await env.DB.prepare("SELECT created_by FROM memberships WHERE user_id = ?")
      .bind(world.doctor.id)
      .first("created_by");
    expect(row).toBe(world.admin.id);
  });

  it("ends once, and leaves one event, when three say so at once", async () => {
    const world = await newWorld();
    const all = await Promise.all([1, 2, 3].map(() => sendRequest(member(world), { as: world.manager, method: "DELETE" })));
    expect(all.map(({ status }) => status)).toContain(200);
    expect(await findEvents({ event: "member.end", entity_id: world.doctor.id })).toHaveLength(1);
  });
});

describe("a reused refresh token", () => {
  it("ends the session even while its owner does not work here", async () => {
    const world = await newWorld();
    const second = (await readJson(await refresh(world.doctor.refresh))).data.refresh_token;
    const third = (await readJson(await refresh(second))).data.refresh_token;
    const set = (ended: number | null) =>
      env.DB.prepare("UPDATE memberships SET ended_at = ? WHERE user_id = ?").bind(ended, world.doctor.id).run();
    await set(1);
    expect((await refresh(world.doctor.refresh)).status).toBe(401);
    await set(null);
    expect((await refresh(third)).status).toBe(401);
    // Control: another session of the same kind, whose old token was not reused, continues.
    const other = await newWorld();
    const next = (await readJson(await refresh(other.doctor.refresh))).data.refresh_token;
    expect((await refresh(next)).status).toBe(200);
  });
});

/** A raw upload whose body pauses in the middle until `meanwhile` is done. */
async function interrupted(as: { token: string }, query: string, meanwhile: () => Promise<unknown>): Promise<Response> {
  const pdf = newPdf("held", 5_000);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(pdf.slice(0, 2_000));
      await meanwhile();
      controller.enqueue(pdf.slice(2_000));
      controller.close();
    },
  });
  const headers = {
    "Content-Type": "application/pdf",
    "Content-Length": String(pdf.length),
    "X-Content-SHA256": await sha256(pdf),
  };
  return sendRequest(`${API}/reports${query}`, { as, method: "POST", headers, body });
}

describe("access that ends while the body arrives", () => {
  const reportsOf = (patient: { id: string }) =>
    env.DB.prepare("SELECT count(*) AS n FROM reports WHERE patient_id = ?").bind(patient.id).first("n");

  it("refuses a doctor who logged out, or left the care team", async () => {
    const world = await newWorld();
    const query = `?patient_id=${world.patient.id}`;
    const leave = () =>
      sendRequest(`${API}/patients/${world.patient.id}/care-team/${world.doctor.id}`, { as: world.nurse, method: "DELETE" });
    expect((await interrupted(world.doctor, query, async () => undefined)).status).toBe(201);
    const before = await reportsOf(world.patient);
    expect((await interrupted(world.nurse, query, async () => undefined)).status).toBe(200);
    const away = await newWorld();
    const own = `?patient_id=${away.patient.id}`;
    const logout = () => sendRequest(`${API}/auth/logout`, { as: away.doctor, method: "POST" });
    expect((await interrupted(away.doctor, own, logout)).status).toBe(401);
    expect(await reportsOf(away.patient)).toBe(0);
    const other = await newWorld();
    const go = () =>
      sendRequest(`${API}/patients/${other.patient.id}/care-team/${other.doctor.id}`, { as: other.nurse, method: "DELETE" });
    expect((await interrupted(other.doctor, `?patient_id=${other.patient.id}`, go)).status).toBe(404);
    expect(await reportsOf(other.patient)).toBe(0);
    expect((await leave()).status).toBe(200);
    expect(await reportsOf(world.patient)).toBe(before);
  });

  it("puts the report of a device that was unbound into quarantine, with all that came with it", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const unbind = () => sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    const answer = await interrupted(device, "?session_type=rest", unbind);
    expect(answer.status).toBe(202);
    const { data } = await readJson(answer);
    expect(data).toMatchObject({ status: "quarantined", reason: "not_found", report_id: null });
    expect(await reportsOf(world.patient)).toBe(0);
    const row = await env.DB.prepare("SELECT outcome, patient_id, file_key FROM uploads WHERE id = ?")
      .bind(data.upload_id)
      .first();
    expect(row).toMatchObject({ outcome: "quarantined", patient_id: null });
    expect(await env.FILES.head(String(row?.["file_key"]))).not.toBeNull();
  });
});

it("a record that is closed while a device's report arrives gets no report", async () => {
  const { nurse, patient } = await newWorld();
  const device = await newDevice(nurse, patient.id);
  const close = { as: nurse, method: "PATCH", json: { is_active: false, reason: "Moved" }, headers: { "If-Match": "*" } };
  const answer = await interrupted(device, "", () => sendRequest(`${API}/patients/${patient.id}`, close));
  expect([answer.status, (await readJson(answer)).data]).toMatchObject([202, { reason: "record_closed", report_id: null }]);
});

describe("a device that moves to another patient", () => {
  it("concerns both, and needs three round trips even with a key, and four more to notify both objects", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const { env: counted, counts } = withCounters(env);
    const moved = await sendRequest(`${API}/devices/${device.id}/assignments`, {
      as: world.nurse,
      json: { patient_id: world.stranger.id },
      headers: { "Idempotency-Key": "move-the-device" },
      env: counted,
    });
    expect(moved.status).toBe(201);
    expect(counts.d1).toBeLessThanOrEqual(3 + 4);
    const events = await readAuditEvents(moved.headers.get("x-request-id") ?? "");
    expect(events.map(({ event }) => event)).toEqual(["device.assign"]);
    expect(new Set(events[0]?.subjects)).toEqual(new Set([world.patient.id, world.stranger.id]));
    // A nurse of another hospital changes nothing, and the assignment stays.
    const other = await newWorld();
    const theirs = { as: other.nurse, json: { patient_id: other.patient.id } };
    expect((await sendRequest(`${API}/devices/${device.id}/assignments`, theirs)).status).toBe(404);
    const open = env.DB.prepare("SELECT patient_id FROM device_assignments WHERE device_id = ? AND ended_at IS NULL");
    expect(await open.bind(device.id).first("patient_id")).toBe(world.stranger.id);
  });
});
