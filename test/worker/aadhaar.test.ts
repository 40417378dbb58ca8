// Aadhaar: numbers are validated and not stored; a person has one random identifier at every hospital.
import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { isAadhaar } from "../../src/patients/identity/aadhaar.ts";
import { hasValidCheckDigit } from "../../src/patients/identity/verhoeff.ts";
import { toAsciiDigits } from "../../src/platform/text.ts";
import { absent } from "../shared-data.ts";
import { withRandomDelays } from "../stores.ts";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newAddress,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  type World,
  withinOneMinute,
} from "../world.ts";

let [here, there]: World[] = [];
let world: World;
let elsewhere: World;
beforeAll(async () => {
  world = await newWorld();
  elsewhere = await newWorld();
  [here, there] = [world, elsewhere];
});

/** A valid number that no other test uses. */
function newNumber(): string {
  for (;;) {
    const digits = String(2 + Math.floor(Math.random() * 8)) + String(Math.floor(Math.random() * 1e10)).padStart(10, "0");
    const check = [..."0123456789"].find((digit) => hasValidCheckDigit(digits + digit));
    if (check && isAadhaar(digits + check)) return digits + check;
  }
}
const register = (aadhaar_number: unknown, as: RequestOptions["as"] = world.nurse, more: RequestOptions = {}) =>
  sendRequest(`${API}/patients`, {
    as,
    json: { first_name: "Aadhaar", aadhaar_number, duplicate_reason: "Registered again" },
    ...more,
  });
const uid = async (response: Response) => (await readJson(response)).data.patient_uid;

describe("the number", () => {
  it("agrees with published Verhoeff cases", ({ skip }) => {
    skip(inject("vectors").verhoeff.length === 0, absent("vectors/verhoeff"));
    for (const { number, payload, check_digit, valid } of inject("vectors").verhoeff) {
      expect([number ?? payload, hasValidCheckDigit(number ?? `${payload}${check_digit}`)]).toEqual([
        number ?? payload,
        valid ?? true,
      ]);
    }
  });

  it("agrees with published Aadhaar cases", ({ skip }) => {
    skip(inject("vectors").aadhaar.length === 0, absent("vectors/aadhaar"));
    for (const { number, aadhaar_valid } of inject("vectors").aadhaar) {
      expect([number, isAadhaar(number)]).toEqual([number, aadhaar_valid]);
    }
  });

  it("misses no single changed digit and no swapped neighbours", () => {
    let singles = 0;
    let swaps = 0;
    for (let n = 0; n < 200; n++) {
      const number = newNumber();
      for (let i = 0; i < 12; i++) {
        for (const digit of "0123456789".replace(number[i] ?? "", "")) {
          singles++;
          expect(hasValidCheckDigit(number.slice(0, i) + digit + number.slice(i + 1))).toBe(false);
        }
        const next = number[i + 1];
        if (next === undefined || next === number[i]) continue;
        swaps++;
        expect(hasValidCheckDigit(number.slice(0, i) + next + number[i] + number.slice(i + 2))).toBe(false);
      }
    }
    expect(singles).toBe(200 * 108);
    expect(swaps).toBeGreaterThan(1_500);
  });

  it.each([
    "99999999001",
    "9999999900199",
    "99999999001a",
    "099999990019",
    "123412341234",
    "999999999999",
    "333333333333",
    "+91999999990019",
    "",
    "999999990018",
    999999990019,
    1e11,
    null,
    ["999999990019"],
    "x".repeat(5000),
  ])("refuses %j with the same words and without an echo", async (number) => {
    const logs = captureLogs();
    const response = await register(number);
    await expectProblem(response.clone(), 400, "invalid_request");
    const { errors } = await readJson(response);
    expect(errors).toEqual([expect.objectContaining({ path: "aadhaar_number", message: "Not a valid Aadhaar number" })]);
    const digits = String(number).replace(/\D/g, "");
    const told = JSON.stringify(errors) + logs();
    for (let i = 0; i + 8 <= digits.length; i++) expect(told).not.toContain(digits.slice(i, i + 8));
  });

  it("is the same number with spaces, hyphens and any script's digits", async () => {
    const number = newNumber();
    const spelled = [
      number,
      `${number.slice(0, 4)} ${number.slice(4, 8)}-${number.slice(8)}`,
      [...number].map((d) => String.fromCodePoint(0x966 + Number(d))).join(""),
      [...number].map((d) => String.fromCodePoint(0xff10 + Number(d))).join(""),
      [...number].map((d) => String.fromCodePoint(0x660 + Number(d))).join(""),
    ];
    expect(spelled.map(toAsciiDigits).map((text) => text.replace(/\D/g, ""))).toEqual(spelled.map(() => number));
    const uids = await Promise.all(spelled.map(async (text) => uid(await register(text))));
    expect(new Set(uids).size).toBe(1);
    expect(uids[0]).toMatch(/^[a-z2-7]{26}$/);
  });
});

describe("the person", () => {
  it("has one identifier at both hospitals, and no access to the other record", async () => {
    const number = newNumber();
    const first = (await readJson(await register(number))).data;
    const second = (await readJson(await register(number, elsewhere.nurse))).data;
    expect(second.patient_uid).toBe(first.patient_uid);
    expect(second.patient_id).not.toBe(first.patient_id);
    expect(first).toMatchObject({ aadhaar_last4: number.slice(-4), uid_basis: "staff" });
    await expectProblem(await sendRequest(`${API}/patients/${first.patient_id}`, { as: elsewhere.nurse }), 404, "not_found");
    const found = await readJson(await sendRequest(`${API}/patients?patient_uid=${first.patient_uid}`, { as: elsewhere.nurse }));
    expect(found.data.map((p: { patient_id: string }) => p.patient_id)).toEqual([second.patient_id]);
    expect(found.meta.pagination.total).toBe(1);
  });

  it("answers alike whether or not the person is known elsewhere", async () => {
    const number = newNumber();
    const shape = async (response: Response) => {
      const body = await readJson(response);
      return [response.status, [...response.headers.keys()].sort(), Object.keys(body.data), body.data.patient_uid.length];
    };
    expect(await shape(await register(number))).toEqual(await shape(await register(number, elsewhere.nurse)));
  });

  it("is one when many desks register them at once", async () => {
    const number = newNumber();
    const slow = withRandomDelays(env);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => register(number, i % 2 ? there?.nurse : here?.nurse, { env: slow })),
    );
    const uids = await Promise.all(answers.map(uid));
    expect(new Set(uids).size).toBe(1);
    expect(answers.every((a) => a.status === 201)).toBe(true);
  });

  it("gets an identifier when the number is added later, and another one when the number was wrong", async () => {
    const made = (await readJson(await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Later" } }))).data;
    expect(made).toMatchObject({ patient_uid: null, aadhaar_last4: null });
    const change = (version: number, aadhaar_number: string) =>
      sendRequest(`${API}/patients/${made.patient_id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { aadhaar_number },
        headers: { "If-Match": `"${version}"` },
      });
    const [one, two] = [newNumber(), newNumber()];
    const first = (await readJson(await change(1, one))).data;
    const second = (await readJson(await change(2, two))).data;
    expect(first.aadhaar_last4).toBe(one.slice(-4));
    expect(second.patient_uid).not.toBe(first.patient_uid);
    expect(await uid(await register(two, elsewhere.nurse))).toBe(second.patient_uid);
  });
});

describe("the key", () => {
  const ring = (...names: string[]) =>
    names
      .map(
        (name) =>
          `${name}:${btoa(
            name
              .padEnd(32, "ß-key-of-a-test-")
              .slice(0, 32)
              .replace(/[^\x20-\x7e]/g, "s"),
          )}`,
      )
      .join(",");

  it("rotates without giving anybody a second identity", async () => {
    const present = env.IDENTITY_KEYS ?? "";
    const added: Env = { ...env, IDENTITY_KEYS: `${present},${ring("n2")}` };
    const signing: Env = { ...env, IDENTITY_KEYS: `${ring("n2")},${present}` };
    const [before, during] = [newNumber(), newNumber()];
    const old = await uid(await register(before));
    expect(await uid(await register(before, world.nurse, { env: added }))).toBe(old);
    // While some isolates have the new key and others do not, both use the key they share.
    const mixed = await Promise.all(
      [env, added, signing, env, added, signing].map(async (e) =>
        uid(await register(during, world.nurse, { env: withRandomDelays(e) })),
      ),
    );
    expect(new Set(mixed).size).toBe(1);
    expect(await uid(await register(before, elsewhere.nurse, { env: signing }))).toBe(old);
  });

  it("is refused when it is not the one that the database knows under that name", async () => {
    const kid = (env.IDENTITY_KEYS ?? "").split(":")[0] ?? "";
    await register(newNumber());
    const wrong: Env = { ...env, IDENTITY_KEYS: `${kid}:${btoa("another-key-of-thirty-two-bytes!")}` };
    await expectProblem(await register(newNumber(), world.nurse, { env: wrong }), 503, "misconfigured");
  });

  it("may be absent: the deployment then accepts no numbers", async () => {
    const none: Env = { ...env, IDENTITY_KEYS: "" };
    const refused = await register(newNumber(), world.nurse, { env: none });
    await expectProblem(refused.clone(), 400, "invalid_request");
    expect((await readJson(refused)).errors[0]).toMatchObject({ path: "aadhaar_number", code: "not_enabled" });
    expect((await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Without" }, env: none })).status).toBe(
      201,
    );
  });
});

describe("traces of the number", () => {
  it("nothing in any table, log line or answer, however the request ends", async () => {
    const number = newNumber();
    const logs = captureLogs();
    const key = { headers: { "Idempotency-Key": uniqueText() } };
    const answers = [
      await register(number, world.nurse, key),
      await register(number, world.nurse, key),
      await register(number, world.self),
      await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: 1, aadhaar_number: number } }),
      await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "x", aadhaar_number: `${number}0` } }),
      await sendRequest(`${API}/patients/${world.patient.id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { aadhaar_number: number },
        headers: { "If-Match": '"99"' },
      }),
    ];
    const texts = await Promise.all(answers.map((a) => a.text()));
    const tables = await env.DB.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{ name: string }>();
    const dump: string[] = [];
    for (const { name } of tables.results) {
      // biome-ignore lint/plugin: the names come from the schema itself.
      const { results } = await env.DB.prepare(`SELECT * FROM ${name}`).all();
      dump.push(JSON.stringify(results));
    }
    const digest = async (algorithm: string) =>
      Buffer.from(await crypto.subtle.digest(algorithm, new TextEncoder().encode(number))).toString("hex");
    const traces = [
      ...Array.from({ length: 5 }, (_, i) => number.slice(i, i + 8)),
      btoa(number),
      await digest("SHA-256"),
      await digest("MD5"),
    ];
    const all = [...dump, ...texts, logs()].join("\n");
    expect(all.length).toBeGreaterThan(10_000);
    for (const trace of traces) expect(all).not.toContain(trace);
    expect(texts[0]).toContain(number.slice(-4));
  });
});

describe("how often numbers may be named", () => {
  it("is bounded by hospital, for people and programs together", async () => {
    const slow: Env = { ...env, RATE_IDENTITY: bindings.RATE_TEST };
    const { statuses, desk } = await withinOneMinute(async () => {
      const desk = await newWorld();
      const statuses: number[] = [];
      for (let i = 0; i < 102; i++)
        statuses.push((await register("999999990019", i % 2 ? desk.nurse : desk.manager, { env: slow })).status);
      return { statuses, desk };
    });
    expect([statuses.slice(0, 100).every((s) => s === 201), statuses.at(-1)]).toEqual([true, 429]);
    expect((await sendRequest(`${API}/patients`, { as: desk.nurse, json: { first_name: "Without" }, env: slow })).status).toBe(
      201,
    );
  });
});

describe("a patient without a hospital", () => {
  async function registerSelf(number: string) {
    const email = `${uniqueText()}@example.org`;
    const json = { email, password: "lanterns over seven hills", full_name: "Meera Iyer", aadhaar_number: number };
    const registered = await sendRequest(`${API}/auth/register`, { json });
    const { user_id: id, access_token: token, patient_id: patientId } = (await readJson(registered)).data;
    return { id: String(id), token: String(token), patientId: String(patientId) };
  }
  type Self = Awaited<ReturnType<typeof registerSelf>>;
  const name = (self: Self, aadhaar_number: string, more: RequestOptions = {}) =>
    sendRequest(`${API}/patients/${self.patientId}`, {
      as: self,
      method: "PATCH",
      json: { aadhaar_number },
      headers: { "If-Match": '"1"' },
      ...more,
    });
  const prove = (self: Self) =>
    env.DB.prepare(
      "INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at) VALUES (?, ?, 'claim_code', 'test', 1)",
    )
      .bind(self.id, world.patient.id)
      .run();

  it("learns no identifier by registering or by naming a number, until a hospital's code has proved who they are", async () => {
    const number = newNumber();
    const known = await uid(await register(number));
    const self = await registerSelf(number);
    const own = (await readJson(await sendRequest(`${API}/patients/${self.patientId}`, { as: self }))).data;
    expect(own).toMatchObject({ patient_uid: null, uid_basis: null, aadhaar_last4: number.slice(-4) });
    const fresh = newNumber();
    const rows = () => env.DB.prepare("SELECT count(*) AS n FROM person_identifiers").first<number>("n");
    const before = await rows();
    const refused = await name(self, fresh);
    await expectProblem(refused.clone(), 403, "forbidden");
    expect((await readJson(refused)).errors).toMatchObject([{ path: "aadhaar_number" }]);
    expect(await rows()).toBe(before);
    await prove(self);
    const named = (await readJson(await name(self, number))).data;
    expect(named).toMatchObject({ patient_uid: known, uid_basis: "self" });
  });

  it("is limited with everybody at their address, and with all such accounts together; hospitals are not", async () => {
    const perAddress: Env = { ...env, RATE_OWN_IDENTITY: bindings.RATE_TEST_TEN };
    const inAll: Env = { ...env, RATE_IDENTITY: bindings.RATE_TEST_TEN };
    const selves = [await registerSelf(newNumber()), await registerSelf(newNumber()), await registerSelf(newNumber())];
    for (const self of selves) await prove(self);
    const [first] = selves;
    if (!first) throw new Error("nobody registered");
    const { atOne, everywhere, desk } = await withinOneMinute(async () => {
      const ip = newAddress();
      const atOne: Response[] = [];
      for (let i = 0; i < 12; i++)
        atOne.push(await name(selves[i % 3] ?? first, newNumber(), { env: perAddress, ip, headers: { "If-Match": '"99"' } }));
      const everywhere: Response[] = [];
      for (let i = 0; i < 12; i++)
        everywhere.push(await name(selves[i % 3] ?? first, newNumber(), { env: inAll, headers: { "If-Match": '"99"' } }));
      const desk = await register(newNumber(), world.nurse, { env: inAll });
      return { atOne, everywhere, desk };
    });
    expect(atOne.map(({ status }) => status)).toEqual([...Array(10).fill(412), 429, 429]);
    expect(atOne.at(-1)?.headers.get("ratelimit-policy")).toBe('"own-identity";q=5;w=60');
    expect(everywhere.map(({ status }) => status)).toEqual([...Array(10).fill(412), 429, 429]);
    expect(everywhere.at(-1)?.headers.get("ratelimit-policy")).toBe('"identity";q=30;w=60');
    expect(desk.status).toBe(201);
  });
});
