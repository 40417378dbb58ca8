// Hospitals and their staff: visibility, immediate role changes, and limits of hospital administrators.
import { describe, expect, it } from "vitest";
import { expectProblem } from "../token-forge.ts";
import { API, env, newHospital, newPerson, newWorld, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

const setRole = (as: Person, hospitalId: string, userId: string, role: string) =>
  sendRequest(`${API}/hospitals/${hospitalId}/members/${userId}`, { as, method: "PUT", json: { role } });
const endMember = (as: Person, hospitalId: string, userId: string) =>
  sendRequest(`${API}/hospitals/${hospitalId}/members/${userId}`, { as, method: "DELETE" });
const newStaff = (as: Person, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  sendRequest(`${API}/users`, {
    as,
    headers,
    json: {
      email: `${uniqueText()}@example.org`,
      full_name: "Ravi Kumar",
      password: "quiet river stones",
      role: "nurse",
      ...more,
    },
  });
const roleOf = async (as: Person) => (await readJson(await sendRequest(`${API}/auth/me`, { as }))).data?.role ?? null;

describe("hospitals", () => {
  it("are known to administrators, to those who work there and to whom they hold records of", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const idsFor = async (as: Person): Promise<string[]> => {
      const { data } = await readJson(await sendRequest(`${API}/hospitals?limit=100`, { as }));
      return data.map((row: { hospital_id: string }) => row.hospital_id);
    };
    for (const as of [world.nurse, world.doctor, world.manager, world.self]) expect(await idsFor(as)).toEqual([world.hospitalId]);
    expect(await idsFor(await newPerson("patient"))).toEqual([]);
    expect(await idsFor(world.admin)).toEqual(expect.arrayContaining([world.hospitalId, other.hospitalId]));
  });

  it("are made by administrators, once a key", async () => {
    const { admin, manager } = await newWorld();
    const name = `Hospital ${uniqueText()}`;
    const create = (as: Person, body: object) =>
      sendRequest(`${API}/hospitals`, { as, json: body, headers: { "Idempotency-Key": "hospital-0001" } });
    expect((await create(manager, { name })).status).toBe(403);
    const [first, again] = [await create(admin, { name }), await create(admin, { name })];
    expect([first.status, again.status]).toEqual([201, 201]);
    const made = (await readJson(first)).data;
    expect(made).toMatchObject({ name, doctor_scope: "care_team", is_active: true });
    expect((await readJson(again)).data).toEqual(made);
    expect((await create(admin, { name: "Another" })).status).toBe(409);
  });
});

describe("members", () => {
  it("get the rights of a new role with their next request, and lose them with the role", async () => {
    const { manager, nurse, stranger, doctor, hospitalId } = await newWorld();
    const see = async (as: Person) => (await sendRequest(`${API}/patients/${stranger.id}`, { as })).status;
    expect([await see(doctor), await roleOf(doctor)]).toEqual([404, "doctor"]);
    expect((await setRole(manager, hospitalId, doctor.id, "nurse")).status).toBe(200);
    expect([await see(doctor), await roleOf(doctor)]).toEqual([200, "nurse"]);
    expect((await setRole(manager, hospitalId, nurse.id, "doctor")).status).toBe(200);
    expect([await see(nurse), (await sendRequest(`${API}/users`, { as: nurse })).status]).toEqual([404, 403]);
    expect((await endMember(manager, hospitalId, doctor.id)).status).toBe(200);
    expect(await see(doctor)).toBe(401);
    expect((await endMember(manager, hospitalId, doctor.id)).status).toBe(404);
    // A former member has no access: only an administrator can restore it.
    expect((await setRole(manager, hospitalId, doctor.id, "doctor")).status).toBe(404);
    const { data } = await readJson(await sendRequest(`${API}/hospitals/${hospitalId}/members`, { as: manager }));
    expect(data.map((m: { user_id: string }) => m.user_id).sort()).toEqual([nurse.id, manager.id].sort());
  });

  it("show their e-mail to who manages them, and nothing of their password", async () => {
    const { manager, nurse, hospitalId } = await newWorld();
    const text = await (await sendRequest(`${API}/hospitals/${hospitalId}/members`, { as: manager })).text();
    expect(text).toContain(nurse.email);
    expect(text).not.toMatch(/scrypt|password|index|sealed/);
  });

  it("see each other's name and role only, and nobody of another hospital", async () => {
    const [{ nurse, doctor, self, hospitalId }, other] = await Promise.all([newWorld(), newWorld()]);
    for (const as of [nurse, doctor]) {
      const answer = await sendRequest(`${API}/hospitals/${hospitalId}/members`, { as });
      const text = await answer.text();
      expect(text).not.toContain("@");
      const found = JSON.parse(text).data.find(({ user_id }: { user_id: string }) => user_id === doctor.id);
      const full_name = expect.stringMatching(/./);
      expect(found).toEqual({
        user_id: doctor.id,
        full_name,
        role: "doctor",
        is_active: true,
        is_privacy_officer: false,
        since: expect.any(String),
      });
      await expectProblem(await sendRequest(`${API}/hospitals/${other.hospitalId}/members`, { as }), 404, "not_found");
    }
    await expectProblem(await sendRequest(`${API}/hospitals/${hospitalId}/members`, { as: self }), 403, "forbidden");
  });

  it("of one hospital are not found by the other's administrator", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld()]);
    const { manager } = world;
    const tries = [
      () => setRole(manager, other.hospitalId, other.nurse.id, "doctor"),
      () => setRole(manager, other.hospitalId, manager.id, "hospital_admin"),
      () => setRole(manager, world.hospitalId, other.nurse.id, "nurse"),
      () => setRole(manager, world.hospitalId, world.admin.id, "nurse"),
      () => endMember(manager, other.hospitalId, other.nurse.id),
      () => sendRequest(`${API}/hospitals/${other.hospitalId}/members`, { as: manager }),
      () => sendRequest(`${API}/users/${other.nurse.id}/unlock`, { as: manager, method: "POST" }),
      () => sendRequest(`${API}/users/${world.admin.id}/unlock`, { as: manager, method: "POST" }),
      () => newStaff(manager, { hospital_id: other.hospitalId }),
    ];
    const rows = () => env.DB.prepare("SELECT group_concat(user_id || hospital_id || role) AS m FROM memberships").first("m");
    const before = await rows();
    for (const attempt of tries) expect((await attempt()).status, attempt.toString()).toBe(404);
    expect(await rows()).toBe(before);
    expect((await setRole(other.manager, other.hospitalId, other.nurse.id, "doctor")).status).toBe(200);
    expect((await sendRequest(`${API}/users/${other.nurse.id}/unlock`, { as: other.manager, method: "POST" })).status).toBe(200);
    expect((await newStaff(manager, { hospital_id: world.hospitalId })).status).toBe(201);
  });

  it("cannot be made platform administrators by any request", async () => {
    const { manager, nurse, admin, doctor, hospitalId } = await newWorld();
    for (const as of [manager, admin]) {
      for (const role of ["admin", "patient", "device", "ADMIN", ""]) {
        expect((await setRole(as, hospitalId, nurse.id, role)).status).toBe(400);
        expect((await newStaff(as, { role, hospital_id: hospitalId })).status).toBe(400);
      }
      for (const field of ["is_admin", "isAdmin", "active", "roles"]) {
        expect((await newStaff(as, { [field]: 1, hospital_id: hospitalId })).status).toBe(400);
      }
    }
    for (const as of [nurse, doctor]) {
      expect((await setRole(as, hospitalId, as.id, "hospital_admin")).status).toBe(403);
      expect((await newStaff(as, { role: "nurse" })).status).toBe(403);
    }
    const admins = env.DB.prepare("SELECT count(*) AS n FROM users WHERE is_admin = 1 AND id IN (?, ?, ?)");
    expect(await admins.bind(manager.id, nurse.id, doctor.id).first("n")).toBe(0);
  });

  it("are created with a valid password and an unused address; the new member can log in", async () => {
    const { manager, hospitalId } = await newWorld();
    const email = `${uniqueText()}@example.org`;
    for (const password of ["short", "aaaaaaaaaaaaaaaaaaaa", "edgecare-edgecare"]) {
      expect((await readJson(await newStaff(manager, { password }))).errors[0]).toMatchObject({
        path: "password",
        code: "weak_password",
      });
    }
    expect((await newStaff(manager, { email })).status).toBe(201);
    expect((await newStaff(manager, { email: ` ${email.toUpperCase()} ` })).status).toBe(409);
    const login = await sendRequest(`${API}/auth/login`, { json: { email, password: "quiet river stones" } });
    expect((await readJson(login)).data).toMatchObject({ role: "nurse", hospital_id: hospitalId });
  });

  it("a replayed creation is answered under today's rights", async () => {
    const { manager, hospitalId, admin } = await newWorld();
    const email = `${uniqueText()}@example.org`;
    const create = () => newStaff(manager, { email }, { "Idempotency-Key": "staff-0001" });
    const made = await readJson(await create());
    expect((await readJson(await create())).data).toEqual(made.data);
    expect((await endMember(admin, hospitalId, manager.id)).status).toBe(200);
    expect((await create()).status).toBe(401);
  });

  it("an administrator names the hospital, and one that exists", async () => {
    const { admin } = await newWorld();
    const hospitalId = await newHospital();
    expect((await newStaff(admin)).status).toBe(400);
    expect((await newStaff(admin, { hospital_id: admin.id })).status).toBe(404);
    expect((await newStaff(admin, { hospital_id: hospitalId })).status).toBe(201);
  });
});
