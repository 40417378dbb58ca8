// Passkeys with a software authenticator: registration, sign-in without a password, as the second step, and what is refused.
import { describe, expect, it } from "vitest";
import { Authenticator, type Deviation } from "../authenticator.ts";
import { renewSignIn } from "../authz.factors.ts";
import {
  askForTicket,
  codeOf,
  finish,
  logIn,
  passkeyOptions,
  post,
  registerPasskey,
  signInWithPasskey,
} from "../factor-steps.ts";
import { API, env, newLogin, newPerson, newWorld, readJson, sendRequest, uniqueText } from "../world.ts";

const DEVIATIONS: Record<string, Deviation> = {
  "another origin": { origin: "https://edgecare.test.example.org" },
  "another relying party": { rpId: "example.org" },
  "an unsigned challenge": { challenge: "AAAAAAAAAAAAAAAAAAAAAA" },
  "another ceremony type": { type: "payment.get" },
  "no user verification": { isUserVerified: false },
};

describe("a registration", () => {
  it("gives a named passkey, recovery codes with the first one, and a session with two factors", async () => {
    const { nurse } = await newWorld();
    const { response } = await registerPasskey(nurse, {}, "Phone of 'Asha' <b>");
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ name: "Phone of 'Asha' <b>", is_backed_up: false, last_used_at: null });
    expect(data.recovery_codes).toHaveLength(10);
    const second = await readJson((await registerPasskey(nurse, {}, "Key")).response);
    expect(second.data.recovery_codes).toBeNull();
    const sessions = await readJson(await sendRequest(`${API}/auth/sessions`, { as: nurse }));
    expect(sessions.data[0].amr).toEqual(["pwd", "hwk", "user", "mfa"]);
    const stored = JSON.stringify(
      (await env.DB.prepare("SELECT * FROM passkeys WHERE user_id = ?").bind(nurse.id).all()).results,
    );
    expect(stored).not.toContain("Asha");
    const list = await readJson(await sendRequest(`${API}/auth/passkeys`, { as: nurse }));
    expect(list.data.passkeys.map(({ name }: { name: string }) => name)).toEqual(["Phone of 'Asha' <b>", "Key"]);
  });

  it.each(Object.entries(DEVIATIONS))("is refused with %s", async (_, deviation) => {
    const person = await newPerson("patient");
    expect(await codeOf((await registerPasskey(person, deviation)).response)).toBe("invalid_passkey");
    expect((await readJson(await sendRequest(`${API}/auth/mfa`, { as: person }))).data.passkeys).toEqual([]);
  });

  it("uses its challenge once, and only for the person who asked", async () => {
    const [person, other] = await Promise.all([newPerson("patient"), newPerson("patient")]);
    const { data: options } = await readJson(await post("/auth/passkeys/options", person, undefined));
    const register = async (as: typeof person) =>
      post("/auth/passkeys", as, { name: "Key", passkey: await (await Authenticator.create()).register(options) });
    expect(await codeOf(await register(other))).toBe("invalid_passkey");
    const statuses = (await Promise.all(Array.from({ length: 10 }, () => register(person)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  });

  it("is refused for a passkey that another account has, and beyond twenty", async () => {
    const [person, other] = await Promise.all([newPerson("patient"), newPerson("patient")]);
    const { authenticator } = await registerPasskey(person);
    const { data: options } = await readJson(await post("/auth/passkeys/options", other, undefined));
    const passkey = await authenticator.register(options);
    expect(await codeOf(await post("/auth/passkeys", other, { name: "Key", passkey }))).toBe("already_exists");
    for (let i = 1; i < 20; i++) {
      await env.DB.prepare(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, counter, transports, is_backed_up, name_sealed, created_at) SELECT ?1, ?2, ?1, 'AA', 0, '', 0, 'x', 1",
      )
        .bind(uniqueText(), person.id)
        .run();
    }
    await renewSignIn(person.sessionId);
    expect(await codeOf((await registerPasskey(person)).response)).toBe("limit_reached");
  });
});

describe("a sign-in with a passkey", () => {
  it("needs no name and no password", async () => {
    const { nurse } = await newWorld();
    const { authenticator } = await registerPasskey(nurse);
    const options = await passkeyOptions();
    expect(options).toMatchObject({
      rpId: new URL(env.PUBLIC_ORIGIN).hostname,
      userVerification: "required",
      allowCredentials: [],
    });
    const response = await signInWithPasskey(authenticator);
    expect(response.status).toBe(200);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ user_id: nurse.id, role: "nurse" });
    const me = await readJson(await sendRequest(`${API}/auth/me`, { as: { token: data.access_token } }));
    expect(me.data.second_step).toEqual({ required_from: null, is_enrolled: true, is_done: true });
  });

  it.each(Object.entries(DEVIATIONS))("is refused with %s", async (_, deviation) => {
    const person = await newPerson("patient");
    const { authenticator } = await registerPasskey(person);
    expect(await codeOf(await signInWithPasskey(authenticator, deviation))).toBe("invalid_passkey");
  });

  it("is refused with a counter that does not grow, another key, another user handle, and an unknown passkey", async () => {
    const person = await newPerson("patient");
    const { authenticator } = await registerPasskey(person);
    expect((await signInWithPasskey(authenticator, { counter: 7 })).status).toBe(200);
    expect(await codeOf(await signInWithPasskey(authenticator, { counter: 7 }))).toBe("invalid_passkey");
    expect((await signInWithPasskey(authenticator, { counter: 8 })).status).toBe(200);
    const stranger = await Authenticator.create();
    authenticator.counter = 8;
    expect(await codeOf(await signInWithPasskey(authenticator, { signer: stranger }))).toBe("invalid_passkey");
    expect(await codeOf(await signInWithPasskey(authenticator, { userHandle: "AAAA" }))).toBe("invalid_passkey");
    expect(await codeOf(await signInWithPasskey(stranger))).toBe("invalid_passkey");
  });

  it("uses its assertion once, also when it is sent 20 times at once", async () => {
    const person = await newPerson("patient");
    const { authenticator } = await registerPasskey(person);
    const passkey = await authenticator.assert(await passkeyOptions(), { counter: 0 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("/auth/passkey/login", null, { passkey })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("stores nothing for options that nobody uses", async () => {
    const count = () => env.DB.prepare("SELECT count(*) AS n FROM ceremonies").first<number>("n");
    const before = await count();
    for (let i = 0; i < 5; i++) await passkeyOptions();
    expect(await count()).toBe(before);
  });

  it("is refused for a disabled account", async () => {
    const { nurse } = await newWorld();
    const { authenticator } = await registerPasskey(nurse);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(nurse.id).run();
    expect(await codeOf(await signInWithPasskey(authenticator))).toBe("invalid_passkey");
  });
});

describe("a passkey as the second step", () => {
  it("finishes the login whose ticket names its challenge, once", async () => {
    const { nurse } = await newWorld();
    const { authenticator } = await registerPasskey(nurse);
    const problem = await askForTicket(nurse);
    expect(problem.methods).toEqual(["passkey", "recovery_code"]);
    const other = await askForTicket(nurse);
    const foreign = await authenticator.assert(other.passkey_options);
    expect(await codeOf(await finish({ ticket: problem.ticket, passkey: foreign }))).toBe("invalid_passkey");
    const passkey = await authenticator.assert(problem.passkey_options);
    expect((await finish({ ticket: problem.ticket, passkey })).status).toBe(200);
    expect(await codeOf(await finish({ ticket: problem.ticket, passkey }))).toBe("invalid_ticket");
  });

  it("leaves recovery codes as the other way, and removing the last passkey removes them", async () => {
    const { nurse } = await newWorld();
    const { response } = await registerPasskey(nurse);
    const { data } = await readJson(response);
    expect((await logIn(nurse, { mfa_code: data.recovery_codes[0] })).status).toBe(200);
    const other = await newLogin(nurse.id, { role: "nurse", hospitalId: null, doctorScope: "care_team" });
    // Enrolled since, so that it must show a factor first.
    await renewSignIn(other.sessionId);
    const path = `${API}/auth/passkeys/${data.passkey_id}`;
    const renamed = await sendRequest(path, { as: other, method: "PATCH", json: { name: "Old phone" } });
    expect((await readJson(renamed)).data.name).toBe("Old phone");
    const stranger = await newPerson("patient");
    expect((await sendRequest(path, { as: stranger, method: "DELETE" })).status).toBe(404);
    expect((await sendRequest(path, { as: other, method: "DELETE" })).status).toBe(200);
    expect((await logIn(nurse)).status).toBe(200);
    expect((await readJson(await sendRequest(`${API}/auth/mfa`, { as: nurse }))).data.recovery_codes_left).toBe(0);
  });
});
