// E-mail addresses: what the standards allow is accepted, shown as typed and found; sign-in ignores case.
import { beforeAll, describe, expect, it } from "vitest";
import { API, newHospital, newPerson, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

let nurse: Person;
let manager: Person;
let hospitalId: string;
beforeAll(async () => {
  hospitalId = await newHospital();
  [nurse, manager] = await Promise.all([newPerson("nurse", hospitalId), newPerson("hospital_admin", hospitalId)]);
});

const register = (email: unknown) => sendRequest(`${API}/patients`, { as: nurse, json: { first_name: "Somebody", email } });
const search = async (q: string) =>
  (await readJson(await sendRequest(`${API}/patients/search?q=${encodeURIComponent(q)}`, { as: nurse }))).data.map(
    (p: { patient_id: string }) => p.patient_id,
  );

/** RFC 5321, 5322, 6531 and 1123. */
const VALID = [
  "Asha.Verma+ecg@Example.org",
  "o'brien@example.co.uk",
  "!#$%&'*+-/=?^_`{|}~@example.org",
  '"asha verma"@example.org',
  '"a@b"@example.org',
  '"a\\"b"@example.org',
  "अशा@example.org",
  "josé.muñoz@example.org",
  "𤭢@example.org",
  "asha@बैंक.भारत",
  "asha@bücher.example",
  "asha@xn--bcher-kva.example",
  "a@example.photography",
  "a@example.xn--vermgensberatung-pwb",
  "1234@123.com",
  "a@b-c.d-e.example.org",
  "a@[192.0.2.1]",
  "a@[IPv6:2001:db8::1]",
  `${"l".repeat(64)}@example.org`,
  `a@${`${"d".repeat(60)}.`.repeat(4)}org`,
];
const INVALID = [
  "asha",
  "@example.org",
  "asha@",
  "asha@localhost",
  ".asha@example.org",
  "asha.@example.org",
  "as..ha@example.org",
  "as ha@example.org",
  '"asha@example.org',
  '"as"ha@example.org',
  "asha@-example.org",
  "asha@example-.org",
  "asha@example..org",
  "asha@example.org.",
  "asha@exa_mple.org",
  "asha@example.123",
  "asha@192.0.2.1",
  "asha@[2001:db8::1]",
  "asha@[192.0.2.256]",
  "asha@[IPv6:2001:db8::1::2]",
  "Asha <asha@example.org>",
  "asha@example.org, b@example.org",
  "as\u200bha@example.org",
  "as\u202eha@example.org",
  "asha@exam\u00adple.org\u0007",
  `${"l".repeat(65)}@example.org`,
  `${"अ".repeat(22)}@example.org`,
  `a@${"d".repeat(64)}.org`,
  `a@${`${"d".repeat(60)}.`.repeat(5)}org`,
];

describe("an e-mail address", () => {
  it.each(VALID)("%j is accepted, shown as typed, and found in any case", async (email) => {
    const made = await register(` ${email} `);
    expect(made.status).toBe(201);
    const { data } = await readJson(made);
    expect(data.email).toBe(email);
    for (const q of [email, email.toUpperCase(), email.toLowerCase()])
      expect({ q, found: (await search(q)).includes(data.patient_id) }).toEqual({ q, found: true });
  });

  it.each(INVALID)("%j is refused", async (email) => {
    const answer = await register(email);
    expect({ status: answer.status, errors: (await readJson(answer)).errors?.map((e: { path: string }) => e.path) }).toEqual({
      status: 400,
      errors: ["email"],
    });
  });

  it("of an internationalized domain is found by either form", async () => {
    const { data } = await readJson(await register("front.desk@bücher.example"));
    for (const q of ["front.desk@xn--bcher-kva.example", "FRONT.DESK@BÜCHER.example"])
      expect(await search(q)).toContain(data.patient_id);
  });

  it("of an account is shown as typed, one account in every case and form, and signs in", async () => {
    const word = uniqueText();
    const email = `Asha.${word}@Bücher.example`;
    const create = (address: string) =>
      sendRequest(`${API}/users`, {
        as: manager,
        json: { email: address, full_name: "Asha Rao", role: "nurse", password: "seven quiet harbours" },
      });
    expect((await create(email)).status).toBe(201);
    for (const same of [email.toLowerCase(), `asha.${word}@xn--bcher-kva.example`]) {
      expect((await create(same)).status).toBe(409);
      const login = { email: same, password: "seven quiet harbours" };
      expect((await sendRequest(`${API}/auth/login`, { json: login })).status).toBe(200);
    }
    const found = await sendRequest(`${API}/users?email=${encodeURIComponent(email.toUpperCase())}`, { as: manager });
    expect((await readJson(found)).data.map((u: { email: string }) => u.email)).toEqual([email]);
  });
});
