// Turns secrets into keys once per isolate, and refuses to serve with bad ones or, in production, with demo rows.
import { sql } from "drizzle-orm";
import { exportJWK, importJWK, type JWK } from "jose";
import { blindIndex, macKey, open, parseRing, type Ring, seal, sha256Hex } from "./crypto.ts";
import { type Db, database } from "./db/client.ts";
import { deployment } from "./db/schema.ts";
import { ApiError } from "./errors.ts";
import { log } from "./log.ts";

export type SigningKeys = { current: string; private: CryptoKey; public: Map<string, CryptoKey>; jwks: { keys: JWK[] } };
export type Keys = {
  fields: Ring;
  index: CryptoKey;
  link: CryptoKey;
  refresh: CryptoKey;
  jwt: SigningKeys;
  bootstrapHash: string;
};

export const SECRETS = ["JWT_KEYS", "FIELD_KEYS", "INDEX_KEY", "LINK_KEY", "REFRESH_KEY", "BOOTSTRAP_TOKEN"] as const;
const PLACEHOLDER =
  /change.?me|placeholder|your.?(own|secret|key|token)|^(dev|test|demo|example|secret|password|key)(?![a-z0-9])/i;
const MIN_LENGTH = 32;

export function isProduction(env: Env): boolean {
  return env.ENVIRONMENT !== "development" && env.ENVIRONMENT !== "test";
}

/** Names of the secrets that are missing, short, a placeholder, or the same as an earlier one. */
export function badSecrets(env: Env): string[] {
  const seen = new Set<string>();
  return SECRETS.filter((name) => {
    const value: string | undefined = env[name];
    // A ring's material counts by itself too: the same 32 bytes under a key id are the same secret.
    const parts = (value ?? "").split(/[:,]/).concat(value ?? "");
    const repeated = parts.some((part) => part.length >= MIN_LENGTH && seen.has(part));
    for (const part of parts) seen.add(part);
    return !value || value.length < MIN_LENGTH || PLACEHOLDER.test(value) || new Set(value).size < 10 || repeated;
  });
}

/** `JWT_KEYS` is a JSON array of private P-256 JWKs with `kid`; the first signs, all verify (RFC 7517). */
async function signingKeys(secret: string): Promise<SigningKeys> {
  const ring: JWK[] = JSON.parse(secret);
  const publics = new Map<string, CryptoKey>();
  const jwks: JWK[] = [];
  let first: { kid: string; key: CryptoKey } | undefined;
  for (const jwk of ring) {
    const { kid, kty, crv, x, y, d } = jwk;
    if (!kid || kty !== "EC" || crv !== "P-256" || !x || !y || !d || publics.has(kid)) throw new Error("not a P-256 key ring");
    const bare = { kty, crv, x, y };
    const [priv, pub] = await Promise.all([importJWK(jwk, "ES256"), importJWK(bare, "ES256", { extractable: true })]);
    if (!(priv instanceof CryptoKey) || !(pub instanceof CryptoKey)) throw new Error("not a P-256 key ring");
    first ??= { kid, key: priv };
    publics.set(kid, pub);
    jwks.push({ ...(await exportJWK(pub)), kid, alg: "ES256", use: "sig" });
  }
  if (!first) throw new Error("an empty key ring");
  return { current: first.kid, private: first.key, public: publics, jwks: { keys: jwks } };
}

async function loadKeys(env: Env): Promise<Keys> {
  const bad = badSecrets(env);
  const attempt = async <T>(name: string, load: Promise<T>): Promise<T | undefined> => {
    try {
      return await load;
    } catch {
      if (!bad.includes(name)) bad.push(name);
      return undefined;
    }
  };
  const jwt = await attempt("JWT_KEYS", signingKeys(env.JWT_KEYS ?? ""));
  const fields = await attempt("FIELD_KEYS", parseRing(env.FIELD_KEYS ?? ""));
  if (bad.length > 0 || !jwt || !fields) {
    for (const variable of bad) log(env, "CRITICAL", "a required secret is missing or unfit", { variable });
    throw new ApiError("misconfigured");
  }
  const [index, link, refresh, bootstrapHash] = await Promise.all([
    macKey(env.INDEX_KEY),
    macKey(env.LINK_KEY),
    macKey(env.REFRESH_KEY),
    sha256Hex(env.BOOTSTRAP_TOKEN),
  ]);
  return { fields, index, link, refresh, jwt, bootstrapHash };
}

// Derived from the secrets alone and rebuilt when they change; holds no state of any request.
let cached: { from: string; keys: Promise<Keys> } | undefined;
let proven: string | undefined;

const fingerprint = (env: Env) => SECRETS.map((name) => env[name] ?? "").join("\n");

/** @throws ApiError misconfigured, after a log line that names each faulty variable. */
export function keysOf(env: Env): Promise<Keys> {
  const from = fingerprint(env);
  if (cached?.from !== from) {
    cached = { from, keys: loadKeys(env) };
    cached.keys.catch(() => {
      cached = undefined;
    });
  }
  return cached.keys;
}

const SENTINEL = { table: "deployment", column: "value", id: "sentinel" };
const SENTINEL_TEXT = "edgecare";

/**
 * Opens the sealed constant in D1 and compares a MAC under the index key, writing both on the first start.
 * @returns the variable that is not the one this database was written with, or null
 */
async function foreignKey(db: Db, keys: Keys): Promise<"FIELD_KEYS" | "INDEX_KEY" | null> {
  const read = db.select().from(deployment);
  let rows = await read;
  if (rows.length < 2) {
    const sealed = await seal(keys.fields, SENTINEL, SENTINEL_TEXT);
    const indexed = await blindIndex(keys.index, "sentinel", SENTINEL_TEXT);
    await db
      .insert(deployment)
      .values([
        { name: "sentinel", value: sealed },
        { name: "index", value: indexed },
      ])
      .onConflictDoNothing();
    rows = await read;
  }
  const value = (name: string) => rows.find((row) => row.name === name)?.value ?? "";
  const text = await open(keys.fields, SENTINEL, value("sentinel")).catch(() => null);
  if (text !== SENTINEL_TEXT) return "FIELD_KEYS";
  return (await blindIndex(keys.index, "sentinel", SENTINEL_TEXT)) === value("index") ? null : "INDEX_KEY";
}

async function refuseDemoRows(env: Env, db: Db): Promise<void> {
  const found = await db.all(sql`
    SELECT 1 FROM users WHERE demo = 1 UNION ALL SELECT 1 FROM hospitals WHERE demo = 1
    UNION ALL SELECT 1 FROM patients WHERE demo = 1 LIMIT 1`);
  if (found.length === 0) return;
  log(env, "CRITICAL", "the database holds demo rows", { variable: "ENVIRONMENT" });
  throw new ApiError("misconfigured");
}

/** Secrets fit, they are the ones of this database, and no demo world stands in production. @throws ApiError misconfigured */
export async function checkedKeys(env: Env): Promise<Keys> {
  const keys = await keysOf(env);
  const db = database(env.DB);
  const variable = await foreignKey(db, keys);
  if (variable) {
    log(env, "CRITICAL", "this key is not the one the database was written with", { variable });
    throw new ApiError("misconfigured");
  }
  if (isProduction(env)) await refuseDemoRows(env, db);
  return keys;
}

/** The check before the first request of an isolate; later requests find it done. */
export async function readyKeys(env: Env): Promise<Keys> {
  const from = `${env.ENVIRONMENT}\n${fingerprint(env)}`;
  if (proven === from) return keysOf(env);
  const keys = await checkedKeys(env);
  proven = from;
  return keys;
}
