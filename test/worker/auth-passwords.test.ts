// Password policy, and the upgrade of hashes of other systems and other costs at the next login.
import crypto from "node:crypto";
import bcrypt from "bcryptjs";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { SCRYPT } from "../../src/accounts/passwords/password-cost.ts";
import { assertPasswordPolicy, hashPassword } from "../../src/accounts/passwords/passwords.ts";
import { toBase64Url } from "../../src/platform/crypto.ts";
import { interceptStores, withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  PASSWORD,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

let hospitalId: string;
let manager: Person;
beforeAll(async () => {
  hospitalId = await newHospital();
  manager = await newPerson("hospital_admin", hospitalId);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const create = (password: string) =>
  sendRequest(`${API}/users`, {
    as: manager,
    json: { email: `${uniqueText()}@example.org`, full_name: "N N", role: "nurse", password },
  });
const login = (email: string, password: string, of = env) =>
  sendRequest(`${API}/auth/login`, { json: { email, password }, env: of });
const hashOf = (id: string) =>
  env.DB.prepare("SELECT password_hash AS hash FROM users WHERE id = ?").bind(id).first<string>("hash");
const setHash = (id: string, hash: string) =>
  env.DB.prepare("UPDATE users SET password_hash = ? WHERE id = ?").bind(hash, id).run();
const TODAY = new RegExp(`^scrypt\\$${SCRYPT.N}\\$${SCRYPT.r}\\$${SCRYPT.p}\\$`);

const WEAK = [
  "password1234567",
  "Password1234567",
  "1234567password",
  "!!password!!123456",
  "qwertyuiop12345",
  "iloveyou-iloveyou",
  "iloveyouiloveyou",
  "dragon dragon dragon",
  "ｐａｓｓｗｏｒｄ1234567",
  "1234567890123456",
  "  password1234567  ",
  "1qaz2wsx1234567!",
  "trustno1trustno1",
  "short and weak",
  "aaaaaaaaaaaaaaaaaaaa",
  "edgecare-edgecare-1",
];
const GOOD = [
  PASSWORD,
  "correct horse battery",
  "dragon monkey football",
  "password of the harbour",
  "मेरी नदी शांत पत्थर है",
  "静かな川の石は丸いと祖母は言った",
  " leading and trailing ",
  "тихая река и камни",
  "zażółć gęślą jaźń",
  "p4ssw0rdless-logins-4-all",
];

describe("the policy", () => {
  it.each(WEAK)("refuses %j", async (password) => {
    expect(() => assertPasswordPolicy(password, [])).toThrow();
  });

  it.each(GOOD)("accepts %j", async (password) => {
    expect(() => assertPasswordPolicy(password, ["Asha Rao", "asha@example.org"])).not.toThrow();
  });

  it("applies to the HTTP API, names the field and repeats no input", async () => {
    const hashes = vi.spyOn(crypto, "scrypt");
    const refused = await create("password1234567");
    const { status, errors, detail } = await readJson(refused);
    expect({ status, errors }).toMatchObject({ status: 400, errors: [{ path: "password", code: "weak_password" }] });
    expect(detail).not.toContain("password1234567");
    expect(hashes).not.toHaveBeenCalled();
  });

  it("rejects 12 KB, 200 KB and 1 MB in every password field, before any hash", async () => {
    const hashes = vi.spyOn(crypto, "scrypt");
    const places: [string, (password: string) => object][] = [
      ["auth/login", (password) => ({ email: "a@example.org", password })],
      ["auth/register", (password) => ({ email: "a@example.org", full_name: "A", password })],
      ["auth/register/patient", (password) => ({ email: "a@example.org", full_name: "A", password })],
      ["auth/invitations/accept", (password) => ({ token: "eci_x", password })],
      ["auth/password/reset", (password) => ({ token: "ecp_x", new_password: password })],
    ];
    for (const [path, body] of places) {
      await expectProblem(await sendRequest(`${API}/${path}`, { json: body("x y z ".repeat(2_000)) }), 400, "invalid_request");
      // Without a credential a body has at most 16 KiB.
      for (const times of [35_000, 170_000])
        await expectProblem(await sendRequest(`${API}/${path}`, { json: body("x y z ".repeat(times)) }), 413, "too_large");
    }
    const change = { current_password: "x".repeat(200_000), new_password: "y" };
    await expectProblem(await sendRequest(`${API}/auth/password/change`, { as: manager, json: change }), 400, "invalid_request");
    expect(hashes).not.toHaveBeenCalled();
  });
});

describe("a hash of bcrypt", () => {
  it.each(["$2a$", "$2b$", "$2y$"])("of the spelling %s verifies once and becomes scrypt", async (prefix) => {
    const person = await newPerson("nurse", hospitalId);
    await setHash(person.id, (await bcrypt.hash(PASSWORD, 4)).replace("$2b$", prefix));
    await expectProblem(await login(person.email, `${PASSWORD}!`), 401, "invalid_credentials");
    expect(await hashOf(person.id)).toContain(prefix);
    const response = await login(person.email, PASSWORD);
    expect(response.status).toBe(200);
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "login.success", detail: '{"rehashed":true}' },
    ]);
    const stronger = await hashOf(person.id);
    expect(stronger).toMatch(TODAY);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
    expect(await hashOf(person.id)).toBe(stronger);
  });

  it("of cost 13 or more, or malformed, is refused before anything is hashed", async () => {
    const person = await newPerson("nurse", hospitalId);
    const fine = await bcrypt.hash(PASSWORD, 4);
    const hashes = [vi.spyOn(crypto, "scrypt"), vi.spyOn(bcrypt, "compare")];
    for (const bad of [
      fine.replace("$04$", "$13$"),
      fine.replace("$04$", "$31$"),
      fine.replace("$2b$", "$2x$"),
      fine.slice(0, -1),
    ]) {
      await setHash(person.id, bad);
      await env.DB.prepare("DELETE FROM login_attempts").run();
      await expectProblem(await login(person.email, PASSWORD), 401, "invalid_credentials");
    }
    for (const spy of hashes) expect(spy).not.toHaveBeenCalled();
  });

  it("of cost 12 costs about what scrypt does", async () => {
    const stored = await bcrypt.hash(PASSWORD, 12);
    const person = await newPerson("nurse", hospitalId);
    await setHash(person.id, stored);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
    expect(await hashOf(person.id)).toMatch(TODAY);
  });
});

describe("a scrypt hash of another cost", () => {
  const hashAt = (password: string, N: number, r: number, p: number) => {
    const salt = crypto.randomBytes(16);
    const hash = crypto.scryptSync(password, salt, 32, { N, r, p, maxmem: 64 * 1024 * 1024 });
    return `scrypt$${N}$${r}$${p}$${toBase64Url(salt)}$${toBase64Url(hash)}`;
  };
  const weak = (password: string) => hashAt(password, 1024, 8, 1);

  it("such as production's is verified by workerd", async () => {
    const person = await newPerson("nurse", hospitalId);
    await setHash(person.id, hashAt(PASSWORD, 16_384, 8, 5));
    await expectProblem(await login(person.email, `${PASSWORD}!`), 401, "invalid_credentials");
    expect((await login(person.email, PASSWORD)).status).toBe(200);
  });

  it("is upgraded by the login's own batch", async () => {
    const person = await newPerson("nurse", hospitalId);
    await setHash(person.id, weak(PASSWORD));
    expect((await login(person.email, PASSWORD)).status).toBe(200);
    expect(await hashOf(person.id)).toMatch(TODAY);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
  });

  it("accepts concurrent logins, and keeps one of their new hashes", async () => {
    const person = await newPerson("nurse", hospitalId);
    await setHash(person.id, weak(PASSWORD));
    const of = withRandomDelays(env);
    const answers = await Promise.all(Array.from({ length: 4 }, () => login(person.email, PASSWORD, of)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await hashOf(person.id)).toMatch(TODAY);
    expect((await login(person.email, PASSWORD)).status).toBe(200);
  });
});

describe("a password typed on another keyboard", () => {
  const MARKS = "ज़रूर कढ़ाई für Zoë";
  const spellings = (text: string) => [text.normalize("NFC"), text.normalize("NFD"), text.replaceAll(" ", "\u00a0")];
  /** Characters with a nukta in one code point, which no normal form keeps. */
  const oneCodePoint = MARKS.normalize("NFC").replaceAll("ज\u093c", "\u095b").replaceAll("ढ\u093c", "\u095d");
  const rawHash = (password: string) => {
    const salt = crypto.randomBytes(16);
    const hash = crypto.scryptSync(password, salt, 32, { ...SCRYPT, maxmem: 64 * 1024 * 1024 });
    return `scrypt$${SCRYPT.N}$${SCRYPT.r}$${SCRYPT.p}$${toBase64Url(salt)}$${toBase64Url(hash)}`;
  };
  const unlock = () => env.DB.prepare("DELETE FROM login_attempts").run();

  it("is the same password, in whichever form it was set", async () => {
    for (const set of [...spellings(MARKS), oneCodePoint]) {
      const person = await newPerson("nurse", hospitalId);
      await setHash(person.id, await hashPassword(set));
      const stored = await hashOf(person.id);
      for (const typed of [...spellings(MARKS), oneCodePoint]) expect((await login(person.email, typed)).status).toBe(200);
      expect(await hashOf(person.id)).toBe(stored);
      for (const other of [MARKS.replaceAll("\u093c", ""), MARKS.toUpperCase(), ` ${MARKS}`])
        await expectProblem(await login(person.email, other), 401, "invalid_credentials");
      await unlock();
    }
  });

  it("whose hash was made before normalization is accepted as typed, once, and as every spelling from then on", async () => {
    for (const typed of [MARKS.normalize("NFD"), oneCodePoint, MARKS.replaceAll(" ", "\u00a0")]) {
      const person = await newPerson("nurse", hospitalId);
      await setHash(person.id, rawHash(typed));
      await expectProblem(await login(person.email, MARKS.normalize("NFC")), 401, "invalid_credentials");
      const response = await login(person.email, typed);
      expect(response.status).toBe(200);
      expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
        { event: "login.success", detail: '{"rehashed":true}' },
      ]);
      for (const other of spellings(MARKS)) expect((await login(person.email, other)).status).toBe(200);
    }
  });

  it("costs as many hashes for an unknown name as for a known one, right or wrong", async () => {
    const [person, disabled] = await Promise.all([newPerson("nurse", hospitalId), newPerson("nurse", hospitalId)]);
    for (const { id } of [person, disabled]) await setHash(id, await hashPassword(MARKS));
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(disabled.id).run();
    const hashes = vi.spyOn(crypto, "scrypt");
    const count = async (email: string, password: string) => {
      hashes.mockClear();
      await login(email, password);
      return hashes.mock.calls.length;
    };
    const nobody = `${uniqueText()}@example.org`;
    const inTurn = async (password: string) => {
      const counts: number[] = [];
      for (const email of [person.email, disabled.email, nobody]) {
        counts.push(await count(email, password), await count(email, `${password}!`));
      }
      return counts;
    };
    expect(await inTurn(MARKS.normalize("NFC"))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await inTurn(MARKS.normalize("NFD"))).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it("counts its characters in its normal form, and has no control character", async () => {
    expect(() => assertPasswordPolicy("n\u0303o\u0308 a\u0301rbol n", [])).toThrow();
    for (const character of ["\u0007", "\u0085", "\u{e000}", "\u0378", "\ud800"])
      expect(() => assertPasswordPolicy(`quiet river${character} stones`, [])).toThrow();
    expect(() => assertPasswordPolicy("quiet river \u{1f468}\u200d\u{1f469} क्\u200dष stones", [])).not.toThrow();
  });
});

describe("a login that is being verified while the password changes", () => {
  it("opens no session with the old password", async () => {
    const person = await newPerson("nurse", hospitalId);
    const next = await hashPassword("another harbour of words");
    let changed = false;
    const of = interceptStores(env, async ({ store, op }, run) => {
      const result = await run();
      if (store === "DB" && op === "batch" && !changed) {
        changed = true;
        await env.DB.prepare("UPDATE users SET password_hash = ?, password_changed_at = password_changed_at + 1 WHERE id = ?")
          .bind(next, person.id)
          .run();
      }
      return result;
    });
    const sessions = () =>
      env.DB.prepare("SELECT count(*) AS n FROM sessions WHERE user_id = ?").bind(person.id).first<number>("n");
    const before = await sessions();
    const response = await login(person.email, PASSWORD, of);
    await expectProblem(response, 401, "invalid_credentials");
    expect(await sessions()).toBe(before);
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "login.failed", reason: "changed_meanwhile" },
    ]);
    expect((await login(person.email, "another harbour of words")).status).toBe(200);
  });
});
