// A password set by an administrator gives that administrator no additional access.
import { beforeEach, describe, expect, it } from "vitest";
import { interceptStores, withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newLogin,
  newPerson,
  PASSWORD,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

const OWN = "lanterns over seven hills";
type As = { token: string };
let here: string;
let there: string;
let manager: Person;
let other: Person;
let admin: Person;
beforeEach(async () => {
  [here, there] = await Promise.all([newHospital(), newHospital()]);
  [manager, other, admin] = await Promise.all([
    newPerson("hospital_admin", here),
    newPerson("hospital_admin", there),
    newPerson("admin"),
  ]);
});

const login = async (email: string, password = PASSWORD) => {
  const { data } = await readJson(await sendRequest(`${API}/auth/login`, { json: { email, password } }));
  return { id: data.user_id as string, email, token: data.access_token as string };
};
/** A nurse whose password the manager knows, and a session that the manager keeps with it. */
async function hired() {
  const email = `${uniqueText()}@example.org`;
  const json = { email, full_name: "Nila Rao", role: "nurse", password: PASSWORD };
  expect((await sendRequest(`${API}/users`, { as: manager, json })).status).toBe(201);
  return login(email);
}
const invited = async (email: string): Promise<string> =>
  (await readJson(await sendRequest(`${API}/users/invite`, { as: other, json: { email, role: "nurse" } }))).data.token;
const join = (as: As, token: string, options: RequestOptions = {}) =>
  sendRequest(`${API}/auth/invitations/join`, { as, json: { token }, ...options });
const change = (as: As) =>
  sendRequest(`${API}/auth/password/change`, { as, json: { current_password: PASSWORD, new_password: OWN } });
const member = (userId: string, at: string, role = "nurse", options: RequestOptions = {}) =>
  sendRequest(`${API}/hospitals/${at}/members/${userId}`, { as: admin, method: "PUT", json: { role }, ...options });
const status = async (as: As) => (await sendRequest(`${API}/auth/me`, { as })).status;
const trace = async (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");
const given = (id: string) => env.DB.prepare("SELECT password_given AS n FROM users WHERE id = ?").bind(id).first<number>("n");
const seats = (id: string) =>
  env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE user_id = ?").bind(id).first<number>("n");

describe("an account whose password a manager has set", () => {
  it("joins no other hospital before its owner has chosen one, and then without the manager's session", async () => {
    const kept = await hired();
    const owner = await login(kept.email);
    const token = await invited(kept.email);
    const refused = await join(owner, token);
    expect(await trace(refused)).toMatchObject([
      { event: "invitation.accept", outcome: "denied", reason: "password_given", actor_id: owner.id, hospital_id: there },
    ]);
    await expectProblem(refused, 409, "password_given");
    expect([await given(owner.id), await seats(owner.id)]).toEqual([1, 1]);
    expect((await change(owner)).status).toBe(200);
    expect([await given(owner.id), await status(kept)]).toEqual([0, 401]);
    expect((await join(owner, token)).status).toBe(200);
    expect(await seats(owner.id)).toBe(2);
  });

  it("is its owner's by a reset link too; by an invitation or a registration it always was", async () => {
    const nurse = await hired();
    const issued = await readJson(await sendRequest(`${API}/users/${nurse.id}/password-reset`, { as: manager, method: "POST" }));
    const json = { token: issued.data.token, new_password: OWN };
    expect((await sendRequest(`${API}/auth/password/reset`, { json })).status).toBe(200);
    expect(await given(nurse.id)).toBe(0);
    expect((await join(await login(nurse.email, OWN), await invited(nurse.email))).status).toBe(200);
    const token = await invited(`${uniqueText()}@example.org`);
    const accepted = await sendRequest(`${API}/auth/invitations/accept`, {
      json: { token, password: OWN, full_name: "Ravi Kumar" },
    });
    expect(await given((await readJson(accepted)).data.user_id)).toBe(0);
    const patient = { email: `${uniqueText()}@example.org`, password: OWN, full_name: "Meera Iyer" };
    expect(await given((await readJson(await sendRequest(`${API}/auth/register`, { json: patient }))).data.user_id)).toBe(0);
  });

  it("cannot be added to a hospital by an administrator or made one", async () => {
    const nurse = await hired();
    const refused = await member(nurse.id, there);
    expect(await trace(refused)).toMatchObject([
      { event: "member.set", outcome: "failed", reason: "password_given", entity_id: nurse.id, hospital_id: there },
    ]);
    await expectProblem(refused, 409, "password_given");
    expect((await member(nurse.id, here, "doctor")).status).toBe(200);
    const raise = () =>
      sendRequest(`${API}/users/${nurse.id}`, {
        as: admin,
        method: "PATCH",
        json: { is_admin: true },
        headers: { "If-Match": '"1"' },
      });
    const kept = await raise();
    expect(await trace(kept)).toMatchObject([{ event: "user.update", outcome: "failed", reason: "password_given" }]);
    await expectProblem(kept, 409, "password_given");
    expect(await seats(nurse.id)).toBe(1);
    expect((await change(nurse)).status).toBe(200);
    expect((await member(nurse.id, there)).status).toBe(200);
    expect((await raise()).status).toBe(200);
  });

  /** Runs a statement between the access check and the write of a request, which are its first two round trips. */
  function meanwhile(query: string, value: string) {
    let trips = 0;
    return interceptStores(env, async (call, run) => {
      // biome-ignore lint/plugin: constants of this file.
      if (call.store === "DB" && ++trips === 2) await env.DB.prepare(query).bind(value).run();
      return run();
    });
  }

  const GIVE = "UPDATE users SET password_given = 1 WHERE id = ?";

  it.each([
    ["the password", GIVE, "id"],
    ["the session", "UPDATE sessions SET revoked_at = 1 WHERE id = ?", "sessionId"],
  ] as const)("is judged by %s as it is in the very write", async (_, query, which) => {
    const person = await newPerson("nurse", here);
    const of = meanwhile(query, person[which]);
    await expectProblem(await join(person, await invited(person.email), { env: of }), 403, "link_invalid");
    expect(await seats(person.id)).toBe(1);
  });

  it("is rejected also at the time an administrator adds or promotes it", async () => {
    const person = await newPerson("nurse", here);
    await expectProblem(await member(person.id, there, "nurse", { env: meanwhile(GIVE, person.id) }), 404, "not_found");
    const peer = await newPerson("nurse", here);
    const json = { is_admin: true };
    const headers = { "If-Match": '"1"' };
    const raised = sendRequest(`${API}/users/${peer.id}`, {
      as: admin,
      method: "PATCH",
      json,
      headers,
      env: meanwhile(GIVE, peer.id),
    });
    await expectProblem(await raised, 409, "conflict");
    expect(await seats(person.id)).toBe(1);
  });
});

describe("who joins a hospital", () => {
  it("ends their other sessions, and keeps the one they join with", async () => {
    const person = await newPerson("nurse", here);
    const elsewhere = await newLogin(person.id, { role: "nurse", hospitalId: here, doctorScope: "care_team" });
    await expectProblem(await join(person, "eci_nonsense"), 403, "link_invalid");
    expect(await status(elsewhere)).toBe(200);
    const token = await invited(person.email);
    expect((await join(person, token)).status).toBe(200);
    expect([await status(person), await status(elsewhere)]).toEqual([200, 401]);
    const late = await newLogin(person.id, { role: "nurse", hospitalId: here, doctorScope: "care_team" });
    await expectProblem(await join(late, token), 403, "link_invalid");
    expect([await status(person), await status(late)]).toEqual([200, 200]);
  });

  it("from ten sessions at once joins by one, which alone remains", async () => {
    const person = await newPerson("nurse", here);
    const standing = { role: "nurse", hospitalId: here, doctorScope: "care_team" } as const;
    const all: As[] = [person];
    for (let i = 0; i < 9; i++) all.push(await newLogin(person.id, standing));
    const token = await invited(person.email);
    const of = withRandomDelays(env);
    const answers = await Promise.all(all.map((as) => join(as, token, { env: of })));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    for (const answer of answers) expect([200, 401, 403]).toContain(answer.status);
    const left = await Promise.all(all.map(status));
    expect(left.map((code) => code === 200)).toEqual(answers.map((answer) => answer.status === 200));
  });
});
