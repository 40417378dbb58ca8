// The policy of second steps before, at and after its date; step-up; and an administrator's reset of factors.
import { describe, expect, it } from "vitest";
import { resolveRole } from "../factor-roles.ts";
import {
  ageSession,
  codeOf,
  enrolTotp,
  forgetTimeStep,
  logIn,
  post,
  registerPasskey,
  signInWithPasskey,
} from "../factor-steps.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { interceptStores } from "../stores.ts";
import { API, createCall, env, findEvents, newPerson, newWorld, PASSWORD, type Person, readJson, sendRequest } from "../world.ts";

const MINUTE_MS = 60_000;

const setPolicy = (manager: Person, hospitalId: string, times: Record<string, string | null>) =>
  sendRequest(`${API}/hospitals/${hospitalId}/factor-policy`, {
    as: manager,
    method: "PUT",
    json: { required_from: { nurse: null, doctor: null, hospital_admin: null, ...times } },
  });

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();

describe("a policy", () => {
  it("reminds before its date, and from then on admits nothing but the own account", async () => {
    const { hospitalId, manager, doctor, nurse, patient } = await newWorld();
    const future = inMinutes(60);
    expect((await setPolicy(manager, hospitalId, { doctor: future })).status).toBe(200);
    const secondStep = async () => (await readJson(await sendRequest(`${API}/auth/me`, { as: doctor }))).data.second_step;
    expect(await secondStep()).toEqual({ required_from: future, is_enrolled: false, is_done: false });
    const told = await env.DB.prepare("SELECT kind FROM notifications WHERE user_id = ?").bind(doctor.id).all();
    expect(told.results).toEqual([{ kind: "account.second_step_required" }]);
    const reads = ["/patients", `/patients/${patient.id}`, "/reports", "/alerts", "/wards", `/patients/${patient.id}/summary`];
    const status = async (path: string, as: Person) => (await sendRequest(API + path, { as })).status;
    for (const path of reads) expect(await status(path, doctor)).toBe(200);

    await setPolicy(manager, hospitalId, { doctor: inMinutes(-1) });
    for (const path of reads) {
      const response = await sendRequest(API + path, { as: doctor });
      expect([path, response.status, await codeOf(response)]).toEqual([path, 403, "enrolment_required"]);
      expect(await status(path, nurse)).toBe(200);
    }
    const writes = [
      ["POST", "/patients", { first_name: "A", gender: "female" }],
      ["PATCH", `/patients/${patient.id}`, { notes: "x" }],
      ["POST", "/live/tickets", { patient_ids: [patient.id] }],
    ] as const;
    for (const [method, path, json] of writes) {
      const response = await sendRequest(API + path, { as: doctor, method, json, headers: { "If-Match": '"1"' } });
      expect([path, await codeOf(response)]).toEqual([path, "enrolment_required"]);
    }
    for (const path of ["/auth/me", "/auth/mfa", "/auth/passkeys", "/auth/sessions"])
      expect(await status(path, doctor)).toBe(200);
    expect((await post("/auth/refresh", null, { refresh_token: doctor.refresh })).status).toBe(200);
    await enrolTotp(doctor);
    for (const path of reads) expect(await status(path, doctor)).toBe(200);
  });

  it("begins today at the earliest, and one that began before stays as it is", async () => {
    const { hospitalId, manager } = await newWorld();
    const set = (nurse: string | null, doctor: string | null) =>
      sendRequest(`${API}/hospitals/${hospitalId}/factor-policy`, {
        as: manager,
        method: "PUT",
        json: { required_from: { nurse, doctor, hospital_admin: null } },
      });
    const refused = await set("2020-01-01T00:00:00.000Z", null);
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors).toMatchObject([{ path: "required_from.nurse" }]);
    const today = new Date(Date.now() - 20 * 3_600_000).toISOString();
    expect((await set(today, null)).status).toBe(200);
    await env.DB.prepare("UPDATE factor_policies SET required_from = 1 WHERE hospital_id = ?").bind(hospitalId).run();
    expect((await set(new Date(1).toISOString(), today)).status).toBe(200);
  });

  it("is exact at its date", async () => {
    const { hospitalId, manager, doctor } = await newWorld();
    const date = Date.now() + 60 * MINUTE_MS;
    await setPolicy(manager, hospitalId, { doctor: new Date(date).toISOString() });
    const call = await createCall(doctor, { role: "doctor", hospitalId, doctorScope: "care_team" });
    const isRequired = async (now: number) => (await resolveRole({ ...call, now }))?.signIn?.isEnrolmentRequired;
    expect([await isRequired(date - 1), await isRequired(date), await isRequired(date + 1)]).toEqual([false, true, true]);
  });

  it("counts a passkey as both steps, and an older session of somebody enrolled as none", async () => {
    const { hospitalId, manager, nurse } = await newWorld();
    const { authenticator } = await registerPasskey(nurse);
    await env.DB.prepare("UPDATE sessions SET amr = 'pwd' WHERE id = ?").bind(nurse.sessionId).run();
    await setPolicy(manager, hospitalId, { nurse: inMinutes(-1) });
    expect(await codeOf(await sendRequest(`${API}/patients`, { as: nurse }))).toBe("enrolment_required");
    const { data } = await readJson(await signInWithPasskey(authenticator));
    expect((await sendRequest(`${API}/patients`, { as: { token: data.access_token } })).status).toBe(200);
    const options = (await readJson(await post("/auth/step-up/options", nurse, undefined))).data;
    expect(options.methods).toEqual(["passkey", "recovery_code"]);
    const passkey = await authenticator.assert(options.passkey_options);
    expect((await post("/auth/step-up", nurse, { passkey })).status).toBe(200);
    expect((await sendRequest(`${API}/patients`, { as: nurse })).status).toBe(200);
  });

  it("is for the managers of the hospital, and audited", async () => {
    const { hospitalId, manager, nurse, admin } = await newWorld();
    const { manager: stranger } = await newWorld();
    const time = inMinutes(600);
    expect((await setPolicy(nurse, hospitalId, { nurse: time })).status).toBe(403);
    expect((await setPolicy(stranger, hospitalId, { nurse: time })).status).toBe(404);
    expect((await setPolicy(manager, hospitalId, { nurse: time })).status).toBe(200);
    const read = await sendRequest(`${API}/hospitals/${hospitalId}/factor-policy`, { as: admin });
    expect((await readJson(read)).data.required_from).toEqual({ nurse: time, doctor: null, hospital_admin: null });
    expect(await findEvents({ event: "factor_policy.set", actor_id: manager.id })).toHaveLength(1);
  });
});

describe("step-up", () => {
  const issueKey = (as: Person) => post("/api-keys", as, { name: "App", scopes: ["patient:read"] });

  it("is required ten minutes after the sign-in, and the password renews it", async () => {
    const { manager } = await newWorld();
    expect((await issueKey(manager)).status).toBe(201);
    await ageSession(manager.sessionId, 11 * MINUTE_MS);
    const response = await issueKey(manager);
    expect(response.status).toBe(401);
    expect(await readJson(response)).toMatchObject({ code: "step_up_required", step_up: "sign_in" });
    expect(await codeOf(await post("/auth/step-up", manager, { password: "wrong horse battery" }))).toBe("wrong_password");
    expect((await post("/auth/step-up", manager, { password: PASSWORD })).status).toBe(200);
    expect((await issueKey(manager)).status).toBe(201);
  });

  it("needs the second factor of somebody who has one, and counts wrong codes towards the lockout", async () => {
    const { manager } = await newWorld();
    const { secret } = await enrolTotp(manager);
    const password = await post("/auth/step-up", manager, { password: PASSWORD });
    expect(await readJson(password)).toMatchObject({ code: "second_step_required", methods: ["totp", "recovery_code"] });
    expect((await post("/auth/step-up", manager, { code: oneTimePassword(secret) })).status).toBe(200);
    const wrong = oneTimePassword(secret, Date.now() + 60 * MINUTE_MS);
    for (let i = 0; i < 5; i++) expect((await post("/auth/step-up", manager, { code: wrong })).status).toBe(401);
    await forgetTimeStep(manager.id);
    expect((await post("/auth/step-up", manager, { code: oneTimePassword(secret) })).status).toBe(423);
  });

  it("is not renewed by the password when a first factor is enrolled meanwhile", async () => {
    const { manager } = await newWorld();
    await enrolTotp(manager);
    await ageSession(manager.sessionId, 11 * MINUTE_MS);
    const confirm = (at: number | null) =>
      env.DB.prepare("UPDATE totp_factors SET confirmed_at = ? WHERE user_id = ?").bind(at, manager.id).run();
    await confirm(null);
    await env.DB.prepare("DELETE FROM recovery_codes WHERE user_id = ?").bind(manager.id).run();
    // The first call that follows the hash is the batch that renews.
    let calls = 0;
    const meanwhile = interceptStores(env, async (call, run) => {
      if (call.store === "DB" && ++calls === 3) await confirm(1);
      return run();
    });
    expect(await codeOf(await post("/auth/step-up", manager, { password: PASSWORD }, { env: meanwhile }))).toBe(
      "second_step_required",
    );
    // The check, the account, the renewal, then the factors and the slot.
    expect(calls).toBe(5);
    expect(await codeOf(await issueKey(manager))).toBe("step_up_required");
  });

  it("protects the own factors from a session that was left open", async () => {
    const { nurse } = await newWorld();
    await ageSession(nurse.sessionId, 11 * MINUTE_MS);
    for (const path of ["/auth/passkeys/options", "/auth/mfa/totp/enroll", "/auth/mfa/recovery-codes"])
      expect(await codeOf(await post(path, nurse, undefined))).toBe("step_up_required");
  });
});

describe("a reset of factors", () => {
  const reset = (as: Person, userId: string) => post(`/users/${userId}/factors/reset`, as, undefined);

  it("needs the administrator's own second step, ends the sessions and is told to the person", async () => {
    const { manager, nurse } = await newWorld();
    await enrolTotp(nurse);
    expect(await readJson(await reset(manager, nurse.id))).toMatchObject({ code: "step_up_required", step_up: "second_step" });
    await registerPasskey(manager);
    expect((await reset(manager, nurse.id)).status).toBe(200);
    expect((await sendRequest(`${API}/auth/me`, { as: nurse })).status).toBe(401);
    expect((await logIn(nurse)).status).toBe(200);
    const told = await env.DB.prepare("SELECT kind FROM notifications WHERE user_id = ?").bind(nurse.id).all();
    expect(told.results).toContainEqual({ kind: "account.factors_reset" });
    expect(await findEvents({ event: "user.factors_reset", entity_id: nurse.id })).toHaveLength(1);
  });

  it("is refused for the own account, another hospital and somebody with wider rights", async () => {
    const { manager, admin } = await newWorld();
    const { nurse: stranger } = await newWorld();
    await registerPasskey(manager);
    expect((await reset(manager, manager.id)).status).toBe(403);
    expect((await reset(manager, stranger.id)).status).toBe(404);
    expect((await reset(manager, admin.id)).status).toBe(404);
    const person = await newPerson("patient");
    expect((await reset(person, manager.id)).status).toBe(403);
  });
});
