// Turns secrets into keys once per isolate, and refuses to serve with bad ones or, in production, with demo rows.
import { sql } from "drizzle-orm";
import { exportJWK, importJWK, type JWK } from "jose";
import { z } from "zod";
import { blindIndex, type MacRing, macKey, open, parseMacRing, parseRing, type Ring, seal, sha256Hex } from "./crypto.ts";
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
  /** Of the identity index; null where the deployment takes no government numbers. */
  identity: MacRing | null;
  bootstrapHash: string;
};

export const SECRETS = ["JWT_KEYS", "FIELD_KEYS", "INDEX_KEY", "LINK_KEY", "REFRESH_KEY", "BOOTSTRAP_TOKEN"] as const;
/** A deployment may leave these out; when they are there, they must be as good as the others. */
export const OPTIONAL_SECRETS = ["IDENTITY_KEYS", "METRICS_TOKEN"] as const;
const PLACEHOLDER =
  /change.?me|placeholder|your.?(own|secret|key|token)|^(dev|test|demo|example|secret|password|key)(?![a-z0-9])/i;
const MIN_LENGTH = 32;

export function isProduction(env: Env): boolean {
  return env.ENVIRONMENT !== "development" && env.ENVIRONMENT !== "test";
}

/** Names of the secrets that are missing, short, a placeholder, or the same as an earlier one. */
export function badSecrets(env: Env): string[] {
  const seen = new Set<string>();
  const given = OPTIONAL_SECRETS.filter((name) => env[name]);
  return [...SECRETS, ...given].filter((name) => {
    const value: string | undefined = env[name];
    // A ring's material counts by itself too: the same 32 bytes under a key id are the same secret.
    const parts = (value ?? "").split(/[:,]/).concat(value ?? "");
    const repeated = parts.some((part) => part.length >= MIN_LENGTH && seen.has(part));
    for (const part of parts) seen.add(part);
    return !value || value.length < MIN_LENGTH || PLACEHOLDER.test(value) || new Set(value).size < 10 || repeated;
  });
}

const member = z.string().optional();
const KeyRing = z.array(z.looseObject({ kid: member, kty: z.string(), crv: member, x: member, y: member, d: member }));

/** `JWT_KEYS` is a JSON array of private P-256 JWKs with `kid`; the first signs, all verify (RFC 7517). */
export async function signingKeys(secret: string): Promise<SigningKeys> {
  const ring = KeyRing.parse(JSON.parse(secret));
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
  const identity = env.IDENTITY_KEYS ? await attempt("IDENTITY_KEYS", parseMacRing(env.IDENTITY_KEYS)) : null;
  if (bad.length > 0 || !jwt || !fields || identity === undefined) {
    for (const variable of bad) log(env, "CRITICAL", "a required secret is missing or unfit", { variable });
    throw new ApiError("misconfigured");
  }
  const [index, link, refresh, bootstrapHash] = await Promise.all([
    macKey(env.INDEX_KEY),
    macKey(env.LINK_KEY),
    macKey(env.REFRESH_KEY),
    sha256Hex(env.BOOTSTRAP_TOKEN),
  ]);
  log(env, "DEBUG", "keys loaded", { kid: jwt.current, count: jwt.public.size });
  return { fields, index, link, refresh, jwt, identity, bootstrapHash };
}

// Derived from the secrets alone and rebuilt when they change; holds no state of any request.
let cached: { from: Secrets; keys: Promise<Keys> } | undefined;
let proven: { environment: string; from: Secrets } | undefined;

const NAMES = [...SECRETS, ...OPTIONAL_SECRETS] as const;
type Secrets = readonly (string | undefined)[];
const secretsOf = (env: Env): Secrets => NAMES.map((name) => env[name]);
/** Strings of one environment are the same objects, so that comparing them costs nothing. */
const isFrom = (secrets: Secrets, env: Env) => NAMES.every((name, i) => env[name] === secrets[i]);

/** @throws ApiError misconfigured, after a log line that names each faulty variable. */
export function keysOf(env: Env): Promise<Keys> {
  if (!cached || !isFrom(cached.from, env)) {
    cached = { from: secretsOf(env), keys: loadKeys(env) };
    cached.keys.catch(() => {
      cached = undefined;
    });
  }
  return cached.keys;
}

const SENTINEL = { table: "deployment", column: "value", id: "sentinel" };
const SENTINEL_TEXT = "edgecare";

/** What each key makes of a constant. A wrong identity key would quietly give known people second identities. */
async function proofsOf(keys: Keys): Promise<{ name: string; value: string }[]> {
  const identity = [...(keys.identity?.keys ?? [])].map(async ([kid, key]) => ({
    name: `identity:${kid}`,
    value: await blindIndex(key, "sentinel", SENTINEL_TEXT),
  }));
  return [{ name: "index", value: await blindIndex(keys.index, "sentinel", SENTINEL_TEXT) }, ...(await Promise.all(identity))];
}

/**
 * Opens the sealed constant in D1 and compares MACs under the index keys, writing what is missing at a first start.
 * @returns the variable that is not the one this database was written with, or null
 */
async function foreignKey(db: Db, keys: Keys): Promise<"FIELD_KEYS" | "INDEX_KEY" | "IDENTITY_KEYS" | null> {
  const read = db.select().from(deployment);
  const proofs = await proofsOf(keys);
  let rows = await read;
  if (["sentinel", ...proofs.map(({ name }) => name)].some((name) => !rows.some((row) => row.name === name))) {
    const sealed = await seal(keys.fields, SENTINEL, SENTINEL_TEXT);
    await db
      .insert(deployment)
      .values([{ name: "sentinel", value: sealed }, ...proofs])
      .onConflictDoNothing();
    rows = await read;
  }
  const value = (name: string) => rows.find((row) => row.name === name)?.value ?? "";
  const text = await open(keys.fields, SENTINEL, value("sentinel")).catch(() => null);
  if (text !== SENTINEL_TEXT) return "FIELD_KEYS";
  const other = proofs.find((proof) => proof.value !== value(proof.name));
  return other ? (other.name === "index" ? "INDEX_KEY" : "IDENTITY_KEYS") : null;
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
  if (proven?.environment === env.ENVIRONMENT && isFrom(proven.from, env)) return keysOf(env);
  const from = secretsOf(env);
  const keys = await checkedKeys(env);
  proven = { environment: env.ENVIRONMENT, from };
  return keys;
}
