// Invalid secrets, wrong keys or demo rows: every route except /health answers 503, and the log names the variable only.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { getTestOrigins, SECRETS } from "../../src/platform/config.ts";
import { captureLogs, createJwk, expectProblem, readSigningKeys } from "../token-forge.ts";
import { API, env, newPatient, newWorld, PASSWORD, readJson, sendRequest, type World } from "../world.ts";

type Secret = (typeof SECRETS)[number];
let world: World;
beforeAll(async () => {
  world = await newWorld();
  expect((await sendRequest(`${API}/auth/me`, { as: world.nurse })).status).toBe(200);
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Variable = Secret | "ENVIRONMENT" | "WEBHOOK_TEST_ORIGINS" | "PUSH_TEST_ORIGINS";
const changed = (values: Partial<Record<Variable, string>>): Env => ({ ...env, ...values });

function without(...names: Variable[]): Env {
  const rest = { ...env };
  for (const name of names) Reflect.deleteProperty(rest, name);
  return rest;
}

const ID = "0193a5b0-0000-7000-8000-00000000000a";
const ROUTES = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && method !== "OPTIONS" && path !== "/health" && !path.includes("*"))
      .map(({ method, path }) => `${method} ${path.replace(/:[a-z_]+(\{[^}]*\})?/g, ID)}`),
  ),
];

async function refusesAll(of: Env, origin = "http://localhost"): Promise<void> {
  for (const route of ROUTES) {
    const [method = "", path = ""] = route.split(" ");
    const response = await sendRequest(origin + path, {
      as: world.admin,
      method,
      env: of,
      ...(method === "POST" && { json: {} }),
    });
    expect({ route, status: response.status }).toEqual({ route, status: 503 });
    expect(response.headers.get("retry-after")).toBe("5");
  }
  expect((await sendRequest(`${origin}/health`, { env: of })).status).toBe(200);
}

/** The variables named by log lines of level CRITICAL. */
function named(logs: string): string[] {
  return [...logs.matchAll(/"levelname":"CRITICAL"[^\n]*"variable":"([A-Z_]+)"/g)].map((match) => match[1] ?? "").sort();
}

async function isRefused(of: Env, variables: string[]): Promise<void> {
  const logs = captureLogs();
  const json = { email: world.nurse.email, password: PASSWORD };
  await expectProblem(await sendRequest(`${API}/auth/login`, { json, env: of }), 503, "misconfigured");
  await expectProblem(await sendRequest(`${API}/patients`, { as: world.nurse, env: of }), 503, "misconfigured");
  expect([...new Set(named(logs()))]).toEqual(variables);
  const values = SECRETS.map((name) => of[name]).filter((value) => value && value.length > 8);
  for (const value of values) expect(logs()).not.toContain(value);
  vi.restoreAllMocks();
}

/** Rings with a short key, an extra byte, a repeated, an empty, a nameless or a wrongly named entry. */
const malformedRing = (ring: string, kid: string) => [
  `${kid}:${"A".repeat(20)}bcdefghijklmnop!!!!`,
  `${kid}:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==`,
  `${ring},${ring}`,
  `${ring},`,
  ring.replace(`${kid}:`, ""),
  ring.replace(`${kid}:`, "F 1:"),
  ring.replace(":", "="),
];

const MALFORMED: Record<Secret, string[]> = {
  JWT_KEYS: [
    "{}",
    "null",
    '"a text of thirty-two characters and more"',
    `[${JSON.stringify(readSigningKeys()[0])}`,
    "[]".padEnd(40),
  ],
  FIELD_KEYS: malformedRing(env.FIELD_KEYS, "f1"),
  AUDIT_KEYS: malformedRing(env.AUDIT_KEYS, "a1"),
  AUDIT_SIGNING_KEYS: malformedRing(env.AUDIT_SIGNING_KEYS, "s1"),
  INDEX_KEY: ["a".repeat(64), "abababababababababababababababab", " ".repeat(40)],
  LINK_KEY: ["0".repeat(64)],
  REFRESH_KEY: ["12341234123412341234123412341234"],
  BOOTSTRAP_TOKEN: ["x".repeat(32)],
};

const PLACEHOLDERS = [
  "change-me-in-production-please-0123456789",
  "CHANGEME_0123456789abcdefghijklmnopqrstuv",
  "your-secret-key-goes-here-0123456789abcdef",
  "dev-secret-0123456789abcdefghijklmnopqrst",
  "dev_secret_0123456789abcdefghijklmnopqrst",
  "placeholder_0123456789abcdefghijklmnopqrs",
  "test_0123456789abcdefghijklmnopqrstuvwxyz",
  "password123-password456-0789abcdefghijklm".replace("123", "-123"),
];

describe("the secret", () => {
  it.each(SECRETS)("%s, missing, stops every route but /health", async (name) => {
    const logs = captureLogs();
    expect(ROUTES.length).toBeGreaterThan(40);
    await refusesAll(without(name));
    expect([...new Set(named(logs()))]).toEqual([name]);
  });

  it.each(SECRETS)("%s, empty, short, a placeholder or malformed, is named in the log and never shown", async (name) => {
    for (const value of ["", "x7Gq-2", env[name].slice(0, 31), ...PLACEHOLDERS, ...MALFORMED[name]]) {
      await isRefused(changed({ [name]: value }), [name]);
    }
  });

  it.each(SECRETS.flatMap((a, i) => SECRETS.slice(i + 1).map((b) => [a, b] as const)))(
    "%s may not be that of %s too",
    async (first, second) => {
      // A key ring in place of a plain key is long and random: only its repetition reveals it.
      const of = changed({ [second]: env[first] });
      await isRefused(of, [second]);
    },
  );

  it("JWT_KEYS holds private P-256 keys with ids of their own, each a pair", async () => {
    const [own] = readSigningKeys();
    const other = await createJwk("other");
    if (!own) throw new Error("no key");
    const { d: _, ...publicHalf } = own;
    const { kid: __, ...nameless } = other;
    const rings: unknown[][] = [
      [publicHalf],
      [nameless],
      [own, { ...other, kid: own.kid }],
      [{ ...own, crv: "P-384" }],
      [{ ...own, kty: "RSA" }],
      [{ kty: "oct", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", kid: "a" }],
      [{ ...own, d: other.d }],
      [{ ...own, x: other.x }],
      [own, null],
    ];
    for (const ring of rings) await isRefused(changed({ JWT_KEYS: JSON.stringify(ring) }), ["JWT_KEYS"]);
    expect(
      (await sendRequest(`${API}/auth/me`, { as: world.nurse, env: changed({ JWT_KEYS: JSON.stringify([own, other]) }) })).status,
    ).toBe(200);
  });

  it("names all that are bad at once", async () => {
    await isRefused({ ...without("LINK_KEY"), INDEX_KEY: "short", FIELD_KEYS: "x" }, ["FIELD_KEYS", "INDEX_KEY", "LINK_KEY"]);
  });

  it("is checked again when it changes: valid ones work again", async () => {
    await isRefused(without("LINK_KEY"), ["LINK_KEY"]);
    expect((await sendRequest(`${API}/auth/me`, { as: world.nurse })).status).toBe(200);
  });
});

const freshRing = (kid: string) => `${kid}:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

describe.each(["AUDIT_KEYS", "AUDIT_SIGNING_KEYS"] as const)("the keys of %s", (name) => {
  const [known = ""] = env[name].split(":");
  const proofs = async () => {
    const prefix = name === "AUDIT_KEYS" ? "audit:" : "audit_signing:";
    const select = env.DB.prepare("SELECT name FROM deployment WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name");
    const { results } = await select.bind(prefix).all<{ name: string }>();
    return results.map((row) => row.name.slice(prefix.length));
  };

  it("that are of another deployment stop every route, under a known id or a new one, and are not recorded", async () => {
    expect(await proofs()).toContain(known);
    const before = await proofs();
    for (const kid of [known, "z9"]) {
      const wrong = changed({ [name]: freshRing(kid) });
      const logs = captureLogs();
      await refusesAll(wrong);
      expect(new Set(named(logs()))).toEqual(new Set([name]));
      expect(logs()).not.toContain(wrong[name].slice(3));
      vi.restoreAllMocks();
    }
    expect(await proofs()).toEqual(before);
  });

  it("may be joined by a new one, which then must stay the same", async () => {
    const rotated = `${freshRing("n7")},${env[name]}`;
    const reply = await sendRequest(`${API}/auth/me`, { as: world.nurse, env: changed({ [name]: rotated }) });
    expect(reply.status).toBe(200);
    expect(await proofs()).toContain("n7");
    await isRefused(changed({ [name]: `${freshRing("n7")},${env[name]}` }), [name]);
    expect((await sendRequest(`${API}/auth/me`, { as: world.nurse })).status).toBe(200);
  });
});

describe("the field keys", () => {
  const sentinel = () => env.DB.prepare("SELECT value FROM deployment WHERE name = 'sentinel'").first("value");

  it("that did not encrypt this database stop every route, and encrypt nothing", async () => {
    const before = await sentinel();
    expect(before).toMatch(/^s1\.f1\./);
    for (const kid of ["f1", "f2"]) {
      const logs = captureLogs();
      const wrong = changed({ FIELD_KEYS: freshRing(kid) });
      await refusesAll(wrong);
      expect(new Set(named(logs()))).toEqual(new Set(["FIELD_KEYS"]));
      expect(logs()).not.toContain(wrong.FIELD_KEYS.slice(3));
      vi.restoreAllMocks();
    }
    expect(await sentinel()).toBe(before);
    expect((await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse })).status).toBe(200);
  });

  it("and the index key are distinguished in the log", async () => {
    const logs = captureLogs();
    await refusesAll(changed({ INDEX_KEY: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url") }));
    expect(new Set(named(logs()))).toEqual(new Set(["INDEX_KEY"]));
    vi.restoreAllMocks();
  });

  it("may not be used as another secret under a key id", async () => {
    const [, bytes = ""] = env.FIELD_KEYS.split(":");
    await isRefused(changed({ INDEX_KEY: bytes }), ["INDEX_KEY"]);
  });

  it("may be joined by a new one in front: old rows open, new rows are sealed with it", async () => {
    const rotated = changed({ FIELD_KEYS: `${freshRing("f2")},${env.FIELD_KEYS}` });
    const old = await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, env: rotated });
    expect((await readJson(old)).data.first_name).toBe(`First-${world.patient.canary}`);
    const made = await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Asha" }, env: rotated });
    const { patient_id } = (await readJson(made)).data;
    const row = await env.DB.prepare("SELECT identity_sealed FROM patients WHERE id = ?")
      .bind(patient_id)
      .first("identity_sealed");
    expect(row).toMatch(/^s1\.f2\./);
    expect((await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse, env: rotated })).status).toBe(200);
    await env.DB.prepare("DELETE FROM idempotency_keys").run();
    await expectProblem(await sendRequest(`${API}/patients/${patient_id}`, { as: world.nurse }), 500, "integrity_error");
  });
});

describe("origins of webhook tests", () => {
  it("stops production, however harmless they look", async () => {
    const origins = { ENVIRONMENT: "production", WEBHOOK_TEST_ORIGINS: "https://his.example.org" };
    const logs = captureLogs();
    const response = await sendRequest(`https://localhost${API}/patients`, { as: world.nurse, env: { ...env, ...origins } });
    await expectProblem(response, 503, "misconfigured");
    expect(new Set(named(logs()))).toEqual(new Set(["WEBHOOK_TEST_ORIGINS"]));
  });

  it.each(["*", "http://", "http://127.0.0.1:8080/path", "localhost", "https://a.example.org,*"])(
    "stops tests with %s",
    async (text) => {
      await isRefused({ ...env, WEBHOOK_TEST_ORIGINS: text }, ["WEBHOOK_TEST_ORIGINS"]);
    },
  );

  it("are a list, or empty", () => {
    expect(getTestOrigins({ ...env, WEBHOOK_TEST_ORIGINS: "" }, "WEBHOOK_TEST_ORIGINS").size).toBe(0);
    const origins = getTestOrigins(
      { ...env, WEBHOOK_TEST_ORIGINS: "http://127.0.0.1:1,http://localhost:2" },
      "WEBHOOK_TEST_ORIGINS",
    );
    expect([...origins]).toEqual(["http://127.0.0.1:1", "http://localhost:2"]);
  });
});

describe("production", () => {
  const origin = "https://localhost";
  const deployed = { WEBHOOK_TEST_ORIGINS: "", PUSH_TEST_ORIGINS: "" };
  const demo = (table: "users" | "hospitals" | "patients", flag: number) => {
    const statements = {
      users: env.DB.prepare("UPDATE users SET demo = ?"),
      hospitals: env.DB.prepare("UPDATE hospitals SET demo = ?"),
      patients: env.DB.prepare("UPDATE patients SET demo = ?"),
    };
    return statements[table].bind(flag).run();
  };

  it("and an unset ENVIRONMENT refuse to serve a demo world; development serves it", async () => {
    await newPatient(world.hospitalId, world.nurse);
    const environments = [
      changed({ ...deployed, ENVIRONMENT: "production" }),
      without("ENVIRONMENT", "WEBHOOK_TEST_ORIGINS", "PUSH_TEST_ORIGINS"),
      changed({ ...deployed, ENVIRONMENT: "Development" }),
    ];
    for (const table of ["users", "hospitals", "patients"] as const) {
      await demo(table, 1);
      const logs = captureLogs();
      for (const of of environments) {
        const response = await sendRequest(`${origin}${API}/auth/me`, { as: world.nurse, env: of });
        await expectProblem(response, 503, "misconfigured");
      }
      expect(named(logs())).toEqual(["ENVIRONMENT", "ENVIRONMENT", "ENVIRONMENT"]);
      vi.restoreAllMocks();
      await refusesAll(changed({ ...deployed, ENVIRONMENT: "production" }), origin);
      const development = changed({ ENVIRONMENT: "development" });
      expect((await sendRequest(`${API}/auth/me`, { as: world.nurse, env: development })).status).toBe(200);
      await demo(table, 0);
    }
    for (const of of environments) {
      expect((await sendRequest(`${origin}${API}/auth/me`, { as: world.nurse, env: of })).status).toBe(200);
    }
  });

  it("accepts https only", async () => {
    const of = changed({ ...deployed, ENVIRONMENT: "production" });
    const json = { email: world.nurse.email, password: PASSWORD };
    await expectProblem(await sendRequest(`${API}/auth/login`, { json, env: of }), 403, "https_required");
    const read = await sendRequest(`${API}/auth/me?x=1`, { as: world.nurse, env: of });
    expect([read.status, read.headers.get("location")]).toEqual([308, `https://localhost${API}/auth/me?x=1`]);
  });
});
