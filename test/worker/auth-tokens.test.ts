// Access tokens: everything except a valid token of this deployment is a 401, without any lookup or fetch.
import { createLocalJWKSet, jwtVerify } from "jose";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { MAX_VERIFIED, verifyAccessToken } from "../../src/accounts/sessions/access-tokens.ts";
import { getKeys } from "../../src/platform/config.ts";
import { base64url, createJwk, decodeToken, expectProblem, forgeToken, readSigningKeys, signToken } from "../token-forge.ts";
import { API, env, newHospital, newPerson, PASSWORD, type Person, readJson, sendRequest } from "../world.ts";

let person: Person;
beforeAll(async () => {
  person = await newPerson("nurse", await newHospital());
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const me = (token: string, of: Env = env) => sendRequest(`${API}/auth/me`, { as: token, env: of });
const refused = async (token: string) => expectProblem(await me(token), 401, "unauthenticated");
const accepted = async (token: string) => expect((await me(token)).status).toBe(200);

async function hmacToken(alg: string, hash: string, key: string): Promise<string> {
  const input = `${base64url(JSON.stringify({ ...decodeToken(person.token).header, alg }))}.${person.token.split(".")[1]}`;
  const secret = new TextEncoder().encode(key);
  const mac = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash }, false, ["sign"]);
  const tag = await crypto.subtle.sign("HMAC", mac, new TextEncoder().encode(input));
  return `${input}.${Buffer.from(tag).toString("base64url")}`;
}

describe("the header", () => {
  it("is accepted only in the expected form", async () => accepted(await forgeToken(person.token, {})));

  it.each(["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES384", "EdDSA"])("refuses alg %j", async (alg) => {
    const { claims, header } = decodeToken(person.token);
    await refused(`${base64url(JSON.stringify({ ...header, alg }))}.${base64url(JSON.stringify(claims))}.`);
    await refused(await forgeToken(person.token, { header: { alg } }));
  });

  it.each([
    ["HS256", "SHA-256"],
    ["HS384", "SHA-384"],
    ["HS512", "SHA-512"],
  ])("refuses %s under the public key or any secret", async (alg, hash) => {
    const { x = "", y = "", kty, crv } = readSigningKeys()[0] ?? {};
    const { jwks } = (await getKeys(env)).jwt;
    const spki = [JSON.stringify({ kty, crv, x, y }), JSON.stringify(jwks.keys[0]), x, env.JWT_KEYS, env.REFRESH_KEY];
    for (const key of spki) await refused(await hmacToken(alg, hash, key));
  });

  it.each(["../../dev/null", "' OR 1=1--", "k".repeat(5000), "unknown", "", "__proto__", 7, null, ["a"], { a: 1 }, true])(
    "refuses kid %j",
    async (kid) => refused(await forgeToken(person.token, { header: { kid } })),
  );

  it("rejects keys embedded in the token, and fetches nothing", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const theirs = await createJwk("theirs");
    const { kty, crv, x, y } = theirs;
    const offers = [
      { jwk: { kty, crv, x, y } },
      { jku: "https://evil.example/jwks" },
      { x5u: "https://evil.example/x" },
      { x5c: ["MIIB"] },
    ];
    for (const header of offers) {
      await refused(await forgeToken(person.token, { header, by: theirs }));
      await refused(await forgeToken(person.token, { header: { ...header, kid: "theirs" }, by: theirs }));
      await refused(await forgeToken(person.token, { header }));
    }
    expect(fetched).not.toHaveBeenCalled();
  });

  it.each([
    { crit: ["unheard-of"], "unheard-of": 1 },
    { crit: [] },
    { b64: false },
    { crit: ["b64"], b64: false },
    { typ: "JWT" },
    { typ: undefined },
    { typ: "application/at+jwt" },
    { typ: "rt+jwt" },
  ])("refuses %j", async (header) => refused(await forgeToken(person.token, { header })));

  it("refuses a member given twice, though the last is right", async () => {
    const { header, claims } = decodeToken(person.token);
    const rest = JSON.stringify(header).slice(1);
    await refused(await signToken(`{"alg":"none",${rest}`, JSON.stringify(claims)));
    await refused(await signToken(JSON.stringify(header), `{"role":"admin",${JSON.stringify(claims).slice(1)}`));
    await refused(await signToken(`{ ${rest}`, JSON.stringify(claims)));
    await accepted(await signToken(`{${rest}`, JSON.stringify(claims)));
  });
});

describe("the claims", () => {
  it.each(["exp", "iat", "jti", "sub", "sid", "iss", "aud", "role", "scp", "hid"])("must have %s", async (name) =>
    refused(await forgeToken(person.token, { claims: { [name]: undefined } })),
  );

  it.each(["exp", "iat", "nbf"])("refuses %s that is no sensible number", async (name) => {
    const { header, claims } = decodeToken(person.token);
    for (const value of [
      '"1795303790"',
      "1e400",
      "-1e400",
      "-5",
      "1795303790.5",
      "9007199254740992",
      "null",
      "[1]",
      "true",
      "{}",
    ]) {
      const text = JSON.stringify({ ...claims, [name]: 0 }).replace(`"${name}":0`, `"${name}":${value}`);
      expect(text).toContain(value);
      await refused(await signToken(JSON.stringify(header), text));
    }
    await refused(await signToken(JSON.stringify(header), JSON.stringify(claims).replace('"exp":', '"exp":NaN,"a":')));
  });

  it.each([
    { iss: "other" },
    { iss: `${env.ISSUER}/` },
    { iss: [env.ISSUER] },
    { iss: "" },
    { aud: "other" },
    { aud: ["other"] },
    { aud: [] },
    { aud: [1, 2] },
    { aud: {} },
    { sub: "not-a-uuid" },
    { sid: "0193a5b0-0000-7000-8000-000000000007" },
    { sub: "0193a5b0-0000-7000-8000-000000000003" },
    { role: "root" },
    { role: ["nurse"] },
    { hid: "x" },
  ])("refuses %j", async (claims) => refused(await forgeToken(person.token, { claims })));

  it("accepts an audience list that contains ours", async () =>
    accepted(await forgeToken(person.token, { claims: { aud: ["other", "edgecare-api"] } })));

  it("honours exp, nbf and iat with 5 seconds of leeway, to the second", async () => {
    const now = Math.floor(Date.now() / 1000);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(now * 1000);
    for (const [good, bad] of [
      [{ exp: now - 4 }, { exp: now - 5 }],
      [{ nbf: now + 5 }, { nbf: now + 6 }],
      [{ iat: now + 5 }, { iat: now + 6 }],
    ]) {
      await accepted(await forgeToken(person.token, { claims: good ?? {} }));
      await refused(await forgeToken(person.token, { claims: bad ?? {} }));
    }
  });

  it("lives as long as ACCESS_TOKEN_EXPIRE_MINUTES says: 1440 minutes are a day, to the second", async () => {
    const now = Math.floor(Date.now() / 1000);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(now * 1000);
    const of = { ...env, ACCESS_TOKEN_EXPIRE_MINUTES: "1440" };
    const json = { email: person.email, password: PASSWORD };
    const { data } = await readJson(await sendRequest(`${API}/auth/login`, { json, env: of }));
    expect(data.expires_in).toBe(86_400);
    const { iat, exp } = decodeToken(data.access_token).claims;
    expect([iat, exp]).toEqual([now, now + 86_400]);
    vi.setSystemTime((now + 86_400 + 4) * 1000);
    expect((await me(data.access_token, of)).status).toBe(200);
    vi.setSystemTime((now + 86_400 + 5) * 1000);
    await expectProblem(await me(data.access_token, of), 401, "unauthenticated");
  });

  it("believes no role and no hospital that the database does not confirm", async () => {
    const claims = { role: "admin", hid: null };
    const own = await readJson(await me(await forgeToken(person.token, { claims })));
    expect(own.data).toMatchObject({ user_id: person.id, role: "nurse" });
    await expectProblem(
      await sendRequest(`${API}/admin/users`, { as: await forgeToken(person.token, { claims }) }),
      403,
      "forbidden",
    );
    const other = await forgeToken(person.token, { claims: { hid: await newHospital() } });
    expect((await readJson(await me(other))).data.hospital).toEqual((await readJson(await me(person.token))).data.hospital);
  });
});

describe("a token that was verified", () => {
  const signatures = () => vi.spyOn(crypto.subtle, "verify");
  const check = async (token: string, now: number, of: Env = env) => verifyAccessToken(of, (await getKeys(env)).jwt, token, now);

  it("is taken again by its text alone, for the same person", async () => {
    const token = await forgeToken(person.token, {});
    const verify = signatures();
    const first = await check(token, Date.now());
    expect(verify).toHaveBeenCalledTimes(1);
    expect(await check(token, Date.now())).toEqual(first);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it("is verified again from the second of its exp, at an earlier time than before, and for another issuer", async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await forgeToken(person.token, { claims: { exp: now + 60 } });
    const verify = signatures();
    await check(token, now * 1000);
    await check(token, (now + 60) * 1000 - 1);
    expect(verify).toHaveBeenCalledTimes(1);
    await check(token, (now + 60) * 1000);
    expect(verify).toHaveBeenCalledTimes(2);
    await expect(check(token, (now + 65) * 1000)).rejects.toMatchObject({ code: "unauthenticated" });
    await check(token, now * 1000 - 1);
    expect(verify).toHaveBeenCalledTimes(4);
    await expect(check(token, now * 1000, { ...env, ISSUER: "another" })).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("is forgotten when 2,048 others were used since", async () => {
    const now = Date.now();
    const mine = await forgeToken(person.token, {});
    await check(mine, now);
    for (let i = 0; i < MAX_VERIFIED; i++) await check(await forgeToken(person.token, { claims: { jti: `other-${i}` } }), now);
    const verify = signatures();
    await check(mine, now);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it("counts no longer than its session", async () => {
    const leaver = await newPerson("nurse", await newHospital());
    await accepted(leaver.token);
    await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE user_id = ?").bind(leaver.id).run();
    await refused(leaver.token);
  });
});

describe("the spelling", () => {
  it("refuses a token with any one bit flipped", async () => {
    const { jwt } = await getKeys(env);
    const now = Date.now();
    await verifyAccessToken(env, jwt, person.token, now);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let flips = 0;
    const survivors: number[] = [];
    for (let at = 0; at < person.token.length; at++) {
      const value = alphabet.indexOf(person.token.charAt(at));
      if (value < 0) continue;
      for (let bit = 1; bit < 64; bit <<= 1) {
        const flipped = person.token.slice(0, at) + alphabet.charAt(value ^ bit) + person.token.slice(at + 1);
        flips++;
        await verifyAccessToken(env, jwt, flipped, now).then(
          () => survivors.push(at),
          () => undefined,
        );
        if (at % 60 === 0 || at === person.token.length - 1) await refused(flipped);
      }
    }
    expect(survivors).toEqual([]);
    expect(flips).toBeGreaterThan(2000);
  });

  it("refuses other numbers of segments, padding, and characters of other alphabets", async () => {
    const [header = "", claims = "", signature = ""] = person.token.split(".");
    const odd = [
      header,
      `${header}.${claims}`,
      `${header}.${claims}.${signature}.`,
      `${header}.${claims}.${signature}.x`,
      `${header}.${claims}.${signature}.${claims}.${signature}`,
      `.${header}.${claims}.${signature}`,
      "..",
      ".",
      "....",
      `${header}..${signature}`,
      `${header}.${claims}.`,
      `${header}.${claims}.${signature}==`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims}=.${signature}`,
      `${header}.${claims}.${signature}A`,
      `${header}.${claims}.${signature.slice(0, -1)}`,
      `${header}.${claims}.${signature.replaceAll("-", "+").replaceAll("_", "/")}+/`,
      `${header}.${claims}.%00${signature}`,
      person.token.replace(".", "%2E"),
      `${person.token}x`.padEnd(8200, "x"),
    ];
    for (const token of odd) await refused(token);
    await accepted(person.token);
  });

  it("refuses a right signature in the other base64 alphabet", async () => {
    let token = person.token;
    for (let i = 0; !/[-_]/.test(token.split(".")[2] ?? ""); i++)
      token = await forgeToken(token, { claims: { jti: `again-${i}` } });
    await accepted(token);
    await refused(`${decodeToken(token).input}.${(token.split(".")[2] ?? "").replaceAll("-", "+").replaceAll("_", "/")}`);
  });
});

describe("the key ring", () => {
  const withRing = (...keys: Jwk[]): Env => ({ ...env, JWT_KEYS: JSON.stringify(keys) });
  type Jwk = Awaited<ReturnType<typeof createJwk>>;

  it("keeps a token of the old key while the key stays, and signs with the new one", async () => {
    const [old] = readSigningKeys();
    if (!old) throw new Error("no key");
    const next = await createJwk("next");
    const both = withRing(next, old);
    expect((await me(person.token, both)).status).toBe(200);
    const refreshed = await readJson(
      await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: person.refresh }, env: both }),
    );
    expect(decodeToken(refreshed.data.access_token).header).toEqual({ alg: "ES256", kid: "next", typ: "at+jwt" });
    expect((await me(refreshed.data.access_token, withRing(next))).status).toBe(200);
    await expectProblem(await me(person.token, withRing(next)), 401, "unauthenticated");
    const edited = await forgeToken(person.token, { claims: { role: "admin", hid: null }, by: old });
    await expectProblem(await me(edited, withRing(next)), 401, "unauthenticated");
    await expectProblem(await me(refreshed.data.access_token), 401, "unauthenticated");
  });

  it("publishes what others verify with, and nothing private", async () => {
    const both = withRing(...readSigningKeys(), await createJwk("next"));
    const answer = await sendRequest("/.well-known/jwks.json", { env: both });
    const jwks = JSON.parse(await answer.text());
    expect(jwks.keys).toHaveLength(2);
    for (const key of jwks.keys) expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    const { payload } = await jwtVerify(person.token, createLocalJWKSet(jwks), { issuer: env.ISSUER, audience: "edgecare-api" });
    expect(payload.sub).toBe(person.id);
  });
});
