// ABHA numbers: they are stored, found by the whole number, and lead to the same person at every hospital, as Aadhaar numbers do.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { isAadhaar } from "../../src/patients/identity/aadhaar.ts";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
  withinOneMinute,
} from "../world.ts";

let a: World;
let b: World;
let c: World;
beforeAll(async () => {
  [a, b, c] = [await newWorld(), await newWorld(), await newWorld()];
});

const digits = (n: number) => Array.from({ length: n }, () => Math.floor(Math.random() * 10)).join("");
/** A number that no other test uses, as it is stored. */
const newAbha = () => `91-${digits(4)}-${digits(4)}-${digits(4)}`;
function newAadhaar(): string {
  for (;;) {
    const number = digits(12);
    if (isAadhaar(number)) return number;
  }
}
const register = (json: object, as: RequestOptions["as"] = a.nurse, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients`, {
    as,
    json: { first_name: uniqueText(), duplicate_reason: "Registered again", ...json },
    ...more,
  });
const dataOf = async (response: Response | Promise<Response>) => (await readJson(await response)).data;
const uidOf = async (json: object, as?: RequestOptions["as"]): Promise<string> => (await dataOf(register(json, as))).patient_uid;
const change = (id: string, json: object, as: RequestOptions["as"] = a.nurse, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients/${id}`, { as, method: "PATCH", json, headers: { "If-Match": "*" }, ...more });
const read = (id: string, as: Person = a.nurse) => dataOf(sendRequest(`${API}/patients/${id}`, { as }));

describe("the number", () => {
  it.each([
    "9112345678901",
    "911234567890123",
    "91-1234-5678-901x",
    "+91123456789012",
    "",
    91123456789012,
    ["91"],
    "1".repeat(5000),
  ])("is refused: %j", async (abha_number) => {
    const response = await register({ abha_number });
    await expectProblem(response.clone(), 400, "invalid_request");
    expect((await readJson(response)).errors).toEqual([
      expect.objectContaining({ path: "abha_number", message: "Not a valid ABHA number" }),
    ]);
  });

  it("is the same in every spelling, and shown as ABDM writes it", async () => {
    const number = newAbha();
    const plain = number.replaceAll("-", "");
    const spelled = [
      number,
      plain,
      number.replaceAll("-", " "),
      plain.replace(/\d/g, (d) => String.fromCodePoint(0x966 + Number(d))),
    ];
    const records = await Promise.all(spelled.map((abha_number) => dataOf(register({ abha_number }))));
    expect(records.map(({ abha_number }) => abha_number)).toEqual(spelled.map(() => number));
    expect(new Set(records.map(({ patient_uid }) => patient_uid)).size).toBe(1);
    expect(records[0]).toMatchObject({ patient_uid: expect.stringMatching(/^[a-z2-7]{26}$/), uid_basis: "staff" });
  });

  it("is stored sealed: no table has its digits", async () => {
    const number = newAbha();
    await register({ abha_number: number }, a.nurse, { headers: { "Idempotency-Key": uniqueText() } });
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{ name: string }>();
    for (const { name } of tables.results) {
      // biome-ignore lint/plugin: the names come from the schema itself.
      const text = JSON.stringify((await env.DB.prepare(`SELECT * FROM ${name}`).all()).results);
      expect(text.includes(number) || text.includes(number.replaceAll("-", "")), name).toBe(false);
    }
  });

  it("is searched as a whole, at this hospital alone, and no more once it was corrected", async () => {
    const [old, number] = [newAbha(), newAbha()];
    const { patient_id } = await dataOf(register({ abha_number: old }));
    const find = async (q: string, as: Person = a.nurse) =>
      (await dataOf(sendRequest(`${API}/patients/search?q=${encodeURIComponent(q)}`, { as }))).map(
        (found: { patient_id: string }) => found.patient_id,
      );
    for (const q of [old, old.replaceAll("-", ""), old.replaceAll("-", " ")]) expect(await find(q), q).toEqual([patient_id]);
    expect(await find(old.slice(0, -1))).toEqual([]);
    expect(await find(old, b.nurse)).toEqual([]);
    expect((await change(patient_id, { abha_number: number })).status).toBe(200);
    expect([await find(old), await find(number)]).toEqual([[], [patient_id]]);
  });

  it("stays in the history with both values", async () => {
    const [old, number] = [newAbha(), newAbha()];
    const { patient_id } = await dataOf(register({ abha_number: old }));
    await change(patient_id, { abha_number: number, reason: "Mistyped" });
    const [latest] = await dataOf(sendRequest(`${API}/patients/${patient_id}/changes`, { as: a.nurse }));
    expect(latest).toMatchObject({ reason: "Mistyped", fields: [{ field: "abha_number", before: old, after: number }] });
  });

  it("finds a possible duplicate at this hospital", async () => {
    const abha_number = newAbha();
    const { patient_id } = await dataOf(register({ abha_number }));
    const response = await register({ abha_number, duplicate_reason: undefined });
    await expectProblem(response.clone(), 409, "possible_duplicate");
    expect((await readJson(response)).duplicates).toMatchObject([{ patient_id, matched_by: ["patient_uid"] }]);
    expect((await register({ abha_number, duplicate_reason: undefined }, b.nurse)).status).toBe(201);
  });

  it("may be named as often as an Aadhaar number", async () => {
    const slow: Env = { ...env, RATE_IDENTITY: bindings.RATE_TEST_TEN };
    const statuses = await withinOneMinute(async () => {
      const desk = await newWorld();
      const statuses: number[] = [];
      for (let i = 0; i < 12; i++) statuses.push((await register({ abha_number: newAbha() }, desk.nurse, { env: slow })).status);
      return statuses;
    });
    expect(statuses).toEqual([...Array(10).fill(201), 429, 429]);
  });
});

describe("the person", () => {
  it("has one identifier at all hospitals, by one number or both, and no access to the other records", async () => {
    const numbers = { aadhaar_number: newAadhaar(), abha_number: newAbha() };
    const first = await dataOf(register(numbers));
    expect(await uidOf({ abha_number: numbers.abha_number }, b.nurse)).toBe(first.patient_uid);
    expect(await uidOf({ aadhaar_number: numbers.aadhaar_number }, c.nurse)).toBe(first.patient_uid);
    await expectProblem(await sendRequest(`${API}/patients/${first.patient_id}`, { as: b.nurse }), 404, "not_found");
  });

  it("is one when many desks register both numbers at once", async () => {
    const numbers = { aadhaar_number: newAadhaar(), abha_number: newAbha() };
    const [slow, given] = [withRandomDelays(env), [numbers, { abha_number: numbers.abha_number }]];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => register(given[i % 2] ?? {}, i % 3 ? a.nurse : b.nurse, { env: slow })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(await Promise.all(answers.map(async (answer) => (await dataOf(answer)).patient_uid))).size).toBe(1);
  });

  it("is never two: numbers of two persons are a conflict, and nothing is saved", async () => {
    const [aadhaar_number, abha_number] = [newAadhaar(), newAbha()];
    const [byAadhaar, byAbha] = [await uidOf({ aadhaar_number }, b.nurse), await uidOf({ abha_number }, c.nurse)];
    expect(byAadhaar).not.toBe(byAbha);
    const first_name = uniqueText();
    const refused = await register({ first_name, aadhaar_number, abha_number });
    await expectProblem(refused.clone(), 409, "conflict");
    expect((await readJson(refused)).detail).toContain("two persons");
    expect(await dataOf(sendRequest(`${API}/patients/search?q=${first_name}`, { as: a.nurse }))).toEqual([]);
    const own = await dataOf(register({ abha_number }));
    const changed = await change(own.patient_id, { aadhaar_number });
    await expectProblem(changed.clone(), 409, "conflict");
    for (const { headers } of [refused, changed])
      expect(await readAuditEvents(headers.get("x-request-id") ?? "")).toMatchObject([{ outcome: "failed", reason: "conflict" }]);
    expect(await read(own.patient_id)).toMatchObject({ patient_uid: byAbha, aadhaar_last4: null, version: 1 });
    expect([await uidOf({ aadhaar_number }, b.nurse), await uidOf({ abha_number }, c.nurse)]).toEqual([byAadhaar, byAbha]);
  });

  it("keeps the identifier when a second number joins, and when a number is given again", async () => {
    const numbers = { aadhaar_number: newAadhaar(), abha_number: newAbha() };
    const { patient_id, patient_uid } = await dataOf(register({ aadhaar_number: numbers.aadhaar_number }));
    for (const json of [{ abha_number: numbers.abha_number }, numbers, { aadhaar_number: numbers.aadhaar_number }])
      expect((await dataOf(change(patient_id, json))).patient_uid).toBe(patient_uid);
    expect(await uidOf({ abha_number: numbers.abha_number }, b.nurse)).toBe(patient_uid);
  });

  it("takes the identifier of the added number where no other record has the present one", async () => {
    const [aadhaar_number, abha_number] = [newAadhaar(), newAbha()];
    const known = await uidOf({ aadhaar_number }, b.nurse);
    const { patient_id } = await dataOf(register({ abha_number }));
    expect((await dataOf(change(patient_id, { aadhaar_number }))).patient_uid).toBe(known);
    expect(await uidOf({ abha_number }, c.nurse)).toBe(known);
  });

  it("without Aadhaar keys is found by the ABHA number alone", async () => {
    const without: RequestOptions = { env: { ...env, IDENTITY_KEYS: "" } };
    const abha_number = newAbha();
    const first = await dataOf(register({ abha_number }, a.nurse, without));
    expect(first).toMatchObject({ abha_number, uid_basis: "staff" });
    expect((await dataOf(register({ abha_number }, b.nurse, without))).patient_uid).toBe(first.patient_uid);
    expect((await dataOf(register({ abha_number }, b.nurse))).patient_uid).toBe(first.patient_uid);
  });
});

describe("a mistyped number", () => {
  it("gives another identifier when it is corrected, and none when it is removed", async () => {
    const [wrong, right] = [newAbha(), newAbha()];
    const { patient_id, patient_uid } = await dataOf(register({ abha_number: wrong }));
    const corrected = await dataOf(change(patient_id, { abha_number: right }));
    expect(corrected.patient_uid).not.toBe(patient_uid);
    expect(await uidOf({ abha_number: right }, b.nurse)).toBe(corrected.patient_uid);
    expect(await dataOf(change(patient_id, { abha_number: null }))).toMatchObject({
      abha_number: null,
      patient_uid: null,
      uid_basis: null,
    });
  });

  it("that was somebody else's Aadhaar number leaves that person alone, and takes the ABHA number along", async () => {
    const [others, right, abha_number] = [newAadhaar(), newAadhaar(), newAbha()];
    const other = await uidOf({ aadhaar_number: others }, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number: others, abha_number }));
    expect(mistaken.patient_uid).toBe(other);
    const corrected = await dataOf(change(mistaken.patient_id, { aadhaar_number: right }));
    expect(corrected.patient_uid).not.toBe(other);
    const uids = [{ aadhaar_number: right }, { abha_number }, { aadhaar_number: others }].map((json) => uidOf(json, c.nurse));
    expect(await Promise.all(uids)).toEqual([corrected.patient_uid, corrected.patient_uid, other]);
  });

  it("that was somebody else's ABHA number leaves them alone, and takes the Aadhaar number along", async () => {
    const [others, right, aadhaar_number] = [newAbha(), newAbha(), newAadhaar()];
    const other = await uidOf({ abha_number: others }, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number, abha_number: others }));
    expect(mistaken.patient_uid).toBe(other);
    const corrected = await dataOf(change(mistaken.patient_id, { abha_number: right }));
    expect(corrected.patient_uid).not.toBe(other);
    const uids = [{ abha_number: right }, { aadhaar_number }, { abha_number: others }].map((json) => uidOf(json, c.nurse));
    expect(await Promise.all(uids)).toEqual([corrected.patient_uid, corrected.patient_uid, other]);
  });

  it("that was the ABHA number of somebody with an Aadhaar number leaves both alone", async () => {
    const others = { aadhaar_number: newAadhaar(), abha_number: newAbha() };
    const [aadhaar_number, right] = [newAadhaar(), newAbha()];
    const other = await uidOf(others, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number, abha_number: others.abha_number }));
    expect(mistaken.patient_uid).toBe(other);
    const corrected = await dataOf(change(mistaken.patient_id, { abha_number: right }));
    expect(corrected.patient_uid).not.toBe(other);
    expect([await uidOf({ aadhaar_number }, c.nurse), await uidOf(others, c.nurse)]).toEqual([corrected.patient_uid, other]);
  });

  it("leaves the Aadhaar number its identifier, also while the key rotates", async () => {
    const rotated: Env = { ...env, IDENTITY_KEYS: `${env.IDENTITY_KEYS},n9:${btoa("a-key-that-is-32-bytes-long-abha")}` };
    const [aadhaar_number, wrong, right] = [newAadhaar(), newAbha(), newAbha()];
    const known = await uidOf({ aadhaar_number }, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number, abha_number: wrong }, a.nurse, { env: rotated }));
    expect(mistaken.patient_uid).toBe(known);
    const corrected = await dataOf(change(mistaken.patient_id, { abha_number: right }, a.nurse, { env: rotated }));
    expect(corrected.patient_uid).toBe(known);
    const uids = [await uidOf({ abha_number: right }, c.nurse), await uidOf({ abha_number: wrong }, c.nurse)];
    expect(uids).toEqual([known, expect.not.stringMatching(known)]);
  });

  it("does not lead its real owner to this person, also where another hospital has followed", async () => {
    const [wrong, right, abha_number] = [newAadhaar(), newAadhaar(), newAbha()];
    const mistaken = await dataOf(register({ aadhaar_number: wrong, abha_number }));
    const follower = await uidOf({ abha_number }, b.nurse);
    expect(follower).toBe(mistaken.patient_uid);
    const corrected = await dataOf(change(mistaken.patient_id, { aadhaar_number: right }));
    expect([follower, corrected.patient_uid]).not.toContain(await uidOf({ aadhaar_number: wrong }, c.nurse));
  });

  it("keeps the person whom another hospital has identified by the other number", async () => {
    const [wrong, right, abha_number] = [newAadhaar(), newAadhaar(), newAbha()];
    const known = await uidOf({ abha_number }, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number: wrong, abha_number }));
    expect((await dataOf(change(mistaken.patient_id, { aadhaar_number: right }))).patient_uid).toBe(known);
    expect(await uidOf({ aadhaar_number: wrong }, c.nurse)).not.toBe(known);
    expect(await uidOf({ aadhaar_number: right }, c.nurse)).toBe(known);
  });

  it("that is removed beside another one leaves its owner alone", async () => {
    const [others, aadhaar_number] = [newAbha(), newAadhaar()];
    const other = await uidOf({ abha_number: others }, b.nurse);
    const mistaken = await dataOf(register({ aadhaar_number, abha_number: others }));
    const removed = await dataOf(change(mistaken.patient_id, { abha_number: null }));
    expect(removed).toMatchObject({ abha_number: null, aadhaar_last4: aadhaar_number.slice(-4), uid_basis: "staff" });
    expect(removed.patient_uid).not.toBe(other);
    expect(await uidOf({ aadhaar_number }, c.nurse)).toBe(removed.patient_uid);
    expect(await uidOf({ abha_number: others }, c.nurse)).toBe(other);
  });

  it("is forgotten with a record that was made by mistake and deleted", async () => {
    const numbers = { aadhaar_number: newAadhaar(), abha_number: newAbha() };
    const { patient_id } = await dataOf(register(numbers));
    const deleted = await sendRequest(`${API}/patients/${patient_id}`, {
      as: a.manager,
      method: "DELETE",
      headers: { "If-Match": "*" },
    });
    expect(deleted.status).toBe(200);
    const { aadhaar_number, abha_number } = numbers;
    expect(await uidOf({ aadhaar_number }, b.nurse)).not.toBe(await uidOf({ abha_number }, c.nurse));
  });

  it("of a change that came too late is not taken", async () => {
    const { patient_id, patient_uid } = await dataOf(register({ aadhaar_number: newAadhaar() }));
    const numbers = Array.from({ length: 6 }, newAbha);
    const more = { headers: { "If-Match": '"1"' }, env: withRandomDelays(env) };
    const answers = await Promise.all(numbers.map((abha_number) => change(patient_id, { abha_number }, a.nurse, more)));
    const saved = numbers.filter((_, i) => answers[i]?.status === 200);
    const leading: string[] = [];
    for (const abha_number of numbers) if ((await uidOf({ abha_number }, b.nurse)) === patient_uid) leading.push(abha_number);
    expect(saved).toHaveLength(1);
    expect(leading).toEqual(saved);
  });
});

describe("a number that people give for themselves", () => {
  async function registerSelf(numbers: object) {
    const json = {
      email: `${uniqueText()}@example.org`,
      password: "lanterns over seven hills",
      full_name: "Meera Iyer",
      ...numbers,
    };
    const {
      user_id: id,
      access_token: token,
      patient_id: patientId,
    } = await dataOf(sendRequest(`${API}/auth/register`, { json }));
    return { id: String(id), token: String(token), patientId: String(patientId) };
  }
  const prove = ({ id }: { id: string }) =>
    env.DB.prepare(
      "INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at) VALUES (?, ?, 'claim_code', 'test', 1)",
    )
      .bind(id, a.patient.id)
      .run();

  it("is kept at registration and not looked up; later only by those whom a hospital knows", async () => {
    const abha_number = newAbha();
    const known = await uidOf({ abha_number });
    const self = await registerSelf({ abha_number });
    const own = await dataOf(sendRequest(`${API}/patients/${self.patientId}`, { as: self }));
    expect(own).toMatchObject({ abha_number, patient_uid: null, uid_basis: null });
    const refused = await change(self.patientId, { abha_number: newAbha() }, self);
    await expectProblem(refused.clone(), 403, "forbidden");
    expect((await readJson(refused)).errors).toMatchObject([{ path: "abha_number" }]);
    await prove(self);
    expect(await dataOf(change(self.patientId, { abha_number }, self))).toMatchObject({ patient_uid: known, uid_basis: "self" });
  });

  it("does not connect two numbers", async () => {
    const [others, own] = [newAadhaar(), newAbha()];
    const other = await uidOf({ aadhaar_number: others });
    const self = await registerSelf({});
    await prove(self);
    for (const json of [{ aadhaar_number: others, abha_number: own }, { abha_number: own }, { aadhaar_number: others }])
      expect((await change(self.patientId, json, self)).status).toBe(200);
    expect(await uidOf({ abha_number: own }, b.nurse)).not.toBe(other);
  });

  it("does not keep staff from recording it with the other number", async () => {
    const [aadhaar_number, abha_number] = [newAadhaar(), newAbha()];
    const known = await uidOf({ aadhaar_number });
    const self = await registerSelf({});
    await prove(self);
    expect((await dataOf(change(self.patientId, { abha_number }, self))).patient_uid).not.toBe(known);
    expect(await uidOf({ aadhaar_number, abha_number }, b.nurse)).toBe(known);
  });
});
