// Key rotation without a restart: some isolates serve each step while others are one step behind.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { withRandomDelays } from "../stores.ts";
import { createJwk, decodeToken, expectProblem, type Jwk, readSigningKeys } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uploadReport,
} from "../world.ts";

let person: Person;
let hospitalId: string;
let next: Jwk;
let old: Jwk;
beforeAll(async () => {
  hospitalId = await newHospital();
  person = await newPerson("nurse", hospitalId);
  const [own] = readSigningKeys();
  if (!own) throw new Error("no key");
  old = own;
  next = await createJwk("next");
});
afterEach(() => {
  vi.useRealTimers();
});

const newSecret = (kid: string) => `${kid}:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
const withRing = (...ring: Jwk[]): Env => ({ ...env, JWT_KEYS: JSON.stringify(ring) });
/** The stages of a rotation as `edgecare keys rotate` makes them: before, add, sign, drop. */
const stages = (): Env[] => [env, withRing(old, next), withRing(next, old), withRing(next)];
const me = async (token: string, of: Env) => (await sendRequest(`${API}/auth/me`, { as: token, env: of })).status;

async function tokenOf(of: Env): Promise<string> {
  // Each of a different user: the number of sessions per user is limited.
  const { refresh } = await newPerson("nurse", hospitalId);
  const answer = await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: refresh }, env: of });
  expect(answer.status).toBe(200);
  return (await readJson(answer)).data.access_token;
}

describe("a rotation of JWT_KEYS", () => {
  it("signs with the new key from the stage `sign` on, and each stage accepts tokens of its neighbours", async () => {
    const tokens = await Promise.all(stages().map(tokenOf));
    expect(tokens.map((token) => decodeToken(token).header["kid"])).toEqual([old.kid, old.kid, "next", "next"]);
    const taken = await Promise.all(stages().map((of) => Promise.all(tokens.map((token) => me(token, of)))));
    expect(taken).toEqual([
      [200, 200, 401, 401],
      [200, 200, 200, 200],
      [200, 200, 200, 200],
      [401, 401, 200, 200],
    ]);
  });

  it("leaves a token of the old key good to its last second, and no longer", async () => {
    const signing = withRing(next, old);
    const { exp } = decodeToken(person.token).claims;
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Number(exp) * 1000 + 4000);
    expect(await me(person.token, signing)).toBe(200);
    vi.setSystemTime(Number(exp) * 1000 + 5000);
    await expectProblem(await sendRequest(`${API}/auth/me`, { as: person.token, env: signing }), 401, "unauthenticated");
  });

  it("shows the whole ring, in its order, at every stage", async () => {
    const shown = await Promise.all(
      stages().map(async (of) =>
        (await readJson(await sendRequest("/.well-known/jwks.json", { env: of }))).keys.map((k: Jwk) => k.kid),
      ),
    );
    expect(shown).toEqual([[old.kid], [old.kid, "next"], ["next", old.kid], ["next"]]);
  });

  it("fails no request in flight: reads and renewals that overlap each change of a stage", async () => {
    const tokens = [await tokenOf(env)];
    for (const [from, to] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const [before = env, after = env] = [stages()[from], stages()[to]].map((of) => of && withRandomDelays(of));
      const people = await Promise.all(Array.from({ length: 20 }, () => newPerson("nurse", hospitalId)));
      const requests = people.flatMap(({ token, refresh }, i) => {
        const of = i % 2 === 0 ? before : after;
        const renewal = sendRequest(`${API}/auth/refresh`, { json: { refresh_token: refresh }, env: of });
        return [me(token, of), renewal.then((answer) => answer.status), ...tokens.map((known) => me(known, of))];
      });
      expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
      tokens.push(await tokenOf(after));
    }
    // The last step invalidates only what the old key signed.
    const dropped = await Promise.all(tokens.map((token) => me(token, withRing(next))));
    expect(dropped).toEqual([401, 401, 200]);
  });

  it("without the stage in between, half of the isolates refuse what the others sign", async () => {
    const abrupt = await tokenOf(withRing(next));
    expect(await me(abrupt, env)).toBe(401);
    expect(await me(person.token, withRing(next))).toBe(401);
  });
});

describe("a rotation of FIELD_KEYS", () => {
  it("has each stage read what its neighbours wrote, in flight too", async () => {
    const second = `f2:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
    const rings = [env.FIELD_KEYS, `${env.FIELD_KEYS},${second}`, `${second},${env.FIELD_KEYS}`];
    const stage = rings.map((ring): Env => withRandomDelays({ ...env, FIELD_KEYS: ring }));
    const kids: string[] = [];
    for (const [from, to] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const [before = env, after = env] = [stage[from], stage[to]];
      const written = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const made = await sendRequest(`${API}/patients`, {
            as: person,
            json: { first_name: `Asha ${i}` },
            env: i % 2 === 0 ? before : after,
          });
          expect(made.status).toBe(201);
          return (await readJson(made)).data.patient_id;
        }),
      );
      const seen = await Promise.all(
        written.flatMap((id, i) =>
          [before, after].map(async (of) => {
            const answer = await readJson(await sendRequest(`${API}/patients/${id}`, { as: person, env: of }));
            return answer.data?.first_name === `Asha ${i}`;
          }),
        ),
      );
      expect(new Set(seen)).toEqual(new Set([true]));
      const { results } = await env.DB.prepare(
        "SELECT DISTINCT substr(identity_sealed, 4, 2) AS kid FROM patients ORDER BY 1",
      ).all();
      kids.push(results.map(({ kid }) => kid).join());
    }
    expect(kids).toEqual(["f1", "f1,f2"]);
  });
});

describe("a rotation of LINK_KEY and REFRESH_KEY", () => {
  const second = { LINK_KEY: newSecret("l1"), REFRESH_KEY: newSecret("r1") };
  const withSecrets = (secretOf: (name: "LINK_KEY" | "REFRESH_KEY") => string): Env => ({
    ...env,
    LINK_KEY: secretOf("LINK_KEY"),
    REFRESH_KEY: secretOf("REFRESH_KEY"),
  });
  const stages = [
    env,
    withSecrets((name) => `${env[name]},${second[name]}`),
    withSecrets((name) => `${second[name]},${env[name]}`),
    withSecrets((name) => second[name]),
  ];
  const statusesAt = (check: (of: Env) => Promise<Response>) => Promise.all(stages.map(async (of) => (await check(of)).status));

  it("has each stage accept the links, cursors and refresh tokens of its neighbours", async () => {
    const { nurse, patient } = await newWorld();
    const uploaded = await readJson(await uploadReport(nurse, newPdf(), { patient_id: patient.id }));
    await uploadReport(nurse, newPdf(), { patient_id: patient.id });
    const linksWork: number[][] = [];
    const cursorsWork: number[][] = [];
    for (const of of stages) {
      const { data } = await readJson(await sendRequest(`${API}/reports/${uploaded.data.report_id}`, { as: nurse, env: of }));
      const link = new URL(data.download_url);
      linksWork.push(await statusesAt((at) => sendRequest(`${link.pathname}${link.search}`, { env: at })));
      const { meta } = await readJson(await sendRequest(`${API}/reports?limit=1`, { as: nurse, env: of }));
      const next = `${API}/reports?limit=1&cursor=${encodeURIComponent(meta.pagination.next_cursor)}`;
      cursorsWork.push(await statusesAt((at) => sendRequest(next, { as: nurse, env: at })));
    }
    const works = (refused: number) => [
      [200, 200, 200, refused],
      [200, 200, 200, refused],
      [refused, 200, 200, 200],
      [refused, 200, 200, 200],
    ];
    const refusedLink = linksWork[0]?.[3] ?? 0;
    expect(refusedLink).toBeGreaterThanOrEqual(400);
    expect(linksWork).toEqual(works(refusedLink));
    expect(cursorsWork).toEqual(works(400));
  });

  it("renews sessions of before with the key of now", async () => {
    const [before = env, , signing = env, dropped = env] = stages;
    const renew = (refresh: string, of: Env) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: refresh }, env: of });
    const { refresh } = await newPerson("nurse", hospitalId);
    expect((await renew(refresh, dropped)).status).toBe(401);
    const renewed = await readJson(await renew(refresh, signing));
    expect((await renew(renewed.data.refresh_token, before)).status).toBe(401);
    expect((await renew(renewed.data.refresh_token, dropped)).status).toBe(200);
  });

  it("repeats the link of an invitation that was made under the key of before", async () => {
    const [before = env, , signing = env, dropped = env] = stages;
    const manager = await newPerson("hospital_admin", hospitalId);
    const json = { email: `${crypto.randomUUID()}@example.org`, role: "nurse" };
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const invite = async (of: Env) => {
      const response = await sendRequest(`${API}/users/invite`, { as: manager, json, headers, env: of });
      return { status: response.status, token: (await readJson(response)).data?.token };
    };
    const first = await invite(before);
    expect(first).toEqual({ status: 201, token: expect.any(String) });
    expect((await invite(signing)).token).toBe(first.token);
    expect((await invite(dropped)).token).toBeUndefined();
  });
});
