// Changes of an account's e-mail address: by its owner with a link to the new address, and by an administrator.

import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { unsealLinkAddress } from "../../src/access/link-addresses.ts";
import { getKeys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { listLetters, listNotices, readToken, setVerified } from "../letters.ts";
import { stepsOf } from "../steps.ts";
import { withRandomDelays } from "../stores.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newPerson,
  PASSWORD,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
} from "../world.ts";

const PHRASE = "lanterns over seven hills";
const MINUTE_MS = 60_000;
let person: Person;
beforeEach(async () => {
  person = await newPerson("patient");
  await setVerified(person.id);
});
afterEach(() => {
  vi.useRealTimers();
});

const newAddress = () => `${uniqueText()}@example.org`;
const change = (as: Person, email: string, options: RequestOptions = {}, password = PASSWORD) =>
  sendRequest(`${API}/auth/email/change`, { as, json: { email, password }, ...options });
const confirm = (token: string, options: RequestOptions = {}) =>
  sendRequest(`${API}/auth/email/verify`, { json: { token }, ...options });
const changeToken = (userId: string) => readToken(userId, "letter.email_change");
const me = async (as: { token: string }) => (await readJson(await sendRequest(`${API}/auth/me`, { as }))).data;
const login = (email: string, password = PASSWORD) => sendRequest(`${API}/auth/login`, { json: { email, password } });
const later = (ms: number) => vi.useFakeTimers({ now: Date.now() + ms, toFake: ["Date"] });
const eventsOf = async (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");
const strip = (text: string) => text.replace(/"(error_id|request_id)":"[^"]{36}"/g, "");
async function toldAddresses(userId: string): Promise<string[]> {
  const keys = await getKeys(env);
  const ids = await listLetters(userId, "letter.email_changed");
  const read = env.DB.prepare("SELECT id, address_sealed AS addressSealed FROM email_links WHERE id = ?");
  const rows = await Promise.all(ids.map((id) => read.bind(id).first<{ id: string; addressSealed: string }>()));
  return Promise.all(rows.map((row) => unsealLinkAddress(keys, row ?? { id: "", addressSealed: "" })));
}

describe("a change of the own address", () => {
  it("happens when the link in the new mailbox is opened; the former address and the person are told, sessions stay", async () => {
    const email = newAddress();
    const asked = await change(person, email);
    expect(await eventsOf(asked)).toMatchObject([{ event: "user.email_change_request", actor_id: person.id }]);
    expect(await me(person)).toMatchObject({ email: person.email, email_verified: true });
    const done = await confirm(await changeToken(person.id));
    expect(await eventsOf(done)).toMatchObject([{ event: "user.email_change", outcome: "success", entity_id: person.id }]);
    expect(await me(person)).toMatchObject({ email, email_verified: true, version: 2 });
    expect((await login(email)).status).toBe(200);
    await expectProblem(await login(person.email), 401, "invalid_credentials");
    expect(await toldAddresses(person.id)).toEqual([person.email]);
    expect(await listNotices(person.id)).toContain("account.email_changed");
    const stored = JSON.stringify([
      (await env.DB.prepare("SELECT * FROM email_links").all()).results,
      (await env.DB.prepare("SELECT * FROM deliveries").all()).results,
    ]);
    for (const address of [email, person.email]) expect(stored).not.toContain(address);
  });

  it("tells no former address that was never verified", async () => {
    await setVerified(person.id, null);
    await change(person, newAddress());
    expect((await confirm(await changeToken(person.id))).status).toBe(200);
    expect(await toldAddresses(person.id)).toEqual([]);
    expect((await me(person)).email_verified).toBe(true);
  });

  it("needs the password, tried under the lock of logins", async () => {
    await expectProblem(await change(person, newAddress(), {}, `${PASSWORD}!`), 403, "wrong_password");
    for (let i = 0; i < 4; i++) await change(person, newAddress(), {}, `${PASSWORD}${i}`);
    await expectProblem(await login(person.email), 423, "account_locked");
    expect(await listLetters(person.id, "letter.email_change")).toEqual([]);
  });

  it("can be asked for once a minute and five times a day", async () => {
    expect((await change(person, newAddress())).status).toBe(200);
    const soon = await change(person, newAddress());
    expect(Number(soon.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    await expectProblem(soon, 429, "rate_limited");
    // Four earlier ones, which would cost more hashes than the limit of a minute allows.
    for (let i = 1; i <= 4; i++) {
      await getDb(env.DB).run(sql`INSERT INTO email_links SELECT id || ${i}, token_hash || ${i}, user_id, purpose, email_index,
        address_sealed, created_at - ${i} * 600000, expires_at, used_at FROM email_links
        WHERE user_id = ${person.id} AND length(id) = 36`);
    }
    await env.DB.prepare("UPDATE email_links SET created_at = created_at - 60000 WHERE user_id = ?").bind(person.id).run();
    const beyond = await change(person, newAddress());
    expect(Number(beyond.headers.get("retry-after"))).toBeGreaterThan(80_000);
    await expectProblem(beyond, 429, "rate_limited");
  });

  const ENDS: [string, () => Promise<unknown>][] = [
    [
      "a password change",
      () =>
        sendRequest(`${API}/auth/password/change`, { as: person, json: { current_password: PASSWORD, new_password: PHRASE } }),
    ],
    ["a day", async () => later(1_440 * MINUTE_MS)],
    [
      "a further request",
      async () => {
        later(MINUTE_MS);
        await change(person, newAddress());
      },
    ],
  ];
  it.each(ENDS)("is called off by %s", async (_, end) => {
    await change(person, newAddress());
    const token = await changeToken(person.id);
    await end();
    await expectProblem(await confirm(token), 403, "link_invalid");
    vi.useRealTimers();
    expect((await me(person)).email).toBe(person.email);
  });

  it("ends reset links that were mailed to the former address", async () => {
    await sendRequest(`${API}/auth/password/forgot`, { json: { email: person.email } });
    const reset = await readToken(person.id, "letter.password_reset");
    await change(person, newAddress());
    await confirm(await changeToken(person.id));
    const json = { token: reset, new_password: PHRASE };
    await expectProblem(await sendRequest(`${API}/auth/password/reset`, { json }), 403, "link_invalid");
  });

  it("happens once of twenty uses of the link at once, and beside a change of the name", async () => {
    await change(person, newAddress());
    const token = await changeToken(person.id);
    const of = withRandomDelays(env);
    const patch = { as: person, method: "PATCH", json: { full_name: "Nila Rao" }, headers: { "If-Match": '"1"' } };
    const [renamed, ...answers] = await Promise.all([
      sendRequest(`${API}/auth/me`, patch),
      ...Array.from({ length: 20 }, () => confirm(token, { env: of })),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await listLetters(person.id, "letter.email_changed")).toHaveLength(1);
    const { full_name, email } = await me(person);
    expect(email).not.toBe(person.email);
    // One of the two lost the version: the change of the address is tried again, that of the name is refused.
    expect(full_name === "Nila Rao").toBe(renamed?.status === 200);
  });
});

describe("an address of another account", () => {
  it("gets the same answer with the same steps, and no mail", async () => {
    const other = await newPerson("patient");
    const third = await newPerson("patient");
    const seen = new Set<string>();
    const steps = new Set<string>();
    for (const [as, email] of [
      [person, newAddress()],
      [third, other.email],
    ] as const) {
      steps.add(
        JSON.stringify(
          await stepsOf(async (of) => {
            const response = await change(as, email, { env: of });
            seen.add(`${response.status} ${strip(await response.text())}`);
          }),
        ),
      );
    }
    expect([seen.size, steps.size]).toEqual([1, 1]);
    expect(await listLetters(third.id, "letter.email_change")).toEqual([]);
    // It counts as a request, so that the limit does not tell either.
    await expectProblem(await change(third, other.email), 429, "rate_limited");
  });

  it("by the time the link is opened makes the link invalid, like one that never was", async () => {
    const other = await newPerson("patient");
    const email = newAddress();
    await change(person, email);
    await change(other, email);
    const [first, second] = [await changeToken(person.id), await changeToken(other.id)];
    expect((await confirm(first)).status).toBe(200);
    const lost = await confirm(second);
    expect(await eventsOf(lost)).toMatchObject([{ event: "user.email_change", outcome: "denied", reason: "already_exists" }]);
    const never = await confirm("ece_nonsense");
    expect(lost.status).toBe(never.status);
    expect(strip(await lost.text())).toBe(strip(await never.text()));
    expect((await me(other)).email).toBe(other.email);
  });
});

describe("an administrator's change of an address", () => {
  it("makes it unverified and sends a link; the former address and the person are told", async () => {
    const admin = await newPerson("admin");
    const nurse = await newPerson("nurse", null);
    await setVerified(nurse.id);
    const email = newAddress();
    const patch = (json: object, match: string) =>
      sendRequest(`${API}/users/${nurse.id}`, { as: admin, method: "PATCH", json, headers: { "If-Match": match } });
    expect((await patch({ full_name: "Nila Rao" }, '"1"')).status).toBe(200);
    expect((await me(nurse)).email_verified).toBe(true);
    expect((await patch({ email }, '"2"')).status).toBe(200);
    expect(await me(nurse)).toMatchObject({ email, email_verified: false });
    expect(await toldAddresses(nurse.id)).toEqual([nurse.email]);
    expect(await listNotices(nurse.id)).toContain("account.email_changed");
    expect((await confirm(await readToken(nurse.id, "letter.email_verification"))).status).toBe(200);
    expect((await me(nurse)).email_verified).toBe(true);
    // The own profile has no field that would get round the link.
    const own = { as: nurse, method: "PATCH", json: { email: newAddress() }, headers: { "If-Match": '"3"' } };
    await expectProblem(await sendRequest(`${API}/auth/me`, own), 400, "invalid_request");
  });
});
