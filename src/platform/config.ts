// Derives keys from the secrets once per isolate; rejects invalid secrets and, in production, demo data.
import { sql } from "drizzle-orm";
import { type CheckpointSigners, parseCheckpointSigners } from "./checkpoint-signers.ts";
import {
  importMacKey,
  type KeyRing,
  type MacKeyRing,
  parseKeyRing,
  parseMacKeyRing,
  sealValue,
  sha256Hex,
  unsealValue,
} from "./crypto.ts";
import { type Db, getDb } from "./db/client.ts";
import { deployment } from "./db/schema.ts";
import { Email } from "./email.ts";
import { ApiError } from "./errors.ts";
import { computeKeyProofs, findUnprovenSecret, type ProvenSecret } from "./key-proofs.ts";
import { log } from "./log.ts";
import { type MacKeys, parseMacKeys } from "./mac-keys.ts";
import { parseSigningKeys, type SigningKeys } from "./signing-keys.ts";
import { getSmsProvider, SMS_VARIABLES } from "./sms-provider.ts";

export type Keys = {
  fields: KeyRing;
  /** Seals the segments of the audit log. */
  audit: KeyRing;
  /** Signs the checkpoints of the audit log. */
  auditSigners: CheckpointSigners;
  index: CryptoKey;
  link: MacKeys;
  refresh: MacKeys;
  jwt: SigningKeys;
  /** Key ring of the identity index; null where the deployment does not accept Aadhaar numbers. */
  identity: MacKeyRing | null;
  /** Identifies the deployment to push services (RFC 8292); null where Web Push is off. */
  vapid: SigningKeys | null;
  bootstrapHash: string;
};

export const SECRETS = [
  "JWT_KEYS",
  "FIELD_KEYS",
  "AUDIT_KEYS",
  "AUDIT_SIGNING_KEYS",
  "INDEX_KEY",
  "LINK_KEY",
  "REFRESH_KEY",
  "BOOTSTRAP_TOKEN",
] as const;
/** Optional secrets. When set, they must meet the same requirements as the others. */
export const OPTIONAL_SECRETS = ["IDENTITY_KEYS", "METRICS_TOKEN", "VAPID_KEYS"] as const;
const PLACEHOLDER_PATTERN =
  /change.?me|placeholder|your.?(own|secret|key|token)|^(dev|test|demo|example|secret|password|key)(?![a-z0-9])/i;
const MIN_SECRET_LENGTH = 32;

export function isProduction(env: Env): boolean {
  return env.ENVIRONMENT !== "development" && env.ENVIRONMENT !== "test";
}

const ORIGIN_PATTERN = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/;
/** Exactly an origin: no wildcard, path or `null`. */
export const isOrigin = (text: string): boolean => ORIGIN_PATTERN.test(text);

const LOCAL_ORIGIN = "http://localhost:8787";

/**
 * The origin of absolute links, from the variable PUBLIC_ORIGIN. The Host header is the caller's choice: a password link that a
 * manager passes on would name the host of an attacker.
 * @throws ApiError misconfigured
 */
export function getPublicOrigin(env: Env): string {
  if (!isProduction(env) && !env.PUBLIC_ORIGIN) return LOCAL_ORIGIN;
  if (!isOrigin(env.PUBLIC_ORIGIN ?? "") || (isProduction(env) && !env.PUBLIC_ORIGIN.startsWith("https:"))) {
    log(env, "CRITICAL", "the public origin is missing or invalid", { variable: "PUBLIC_ORIGIN" });
    throw new ApiError("misconfigured");
  }
  return env.PUBLIC_ORIGIN;
}

/**
 * Years that audit events are kept, from the variable AUDIT_RETENTION_YEARS: a whole number from 1 to 100, six if it is not set.
 * @throws ApiError misconfigured
 */
export function getAuditRetentionYears(env: Env): number {
  const text: string = env.AUDIT_RETENTION_YEARS || "6";
  const years = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (years >= 1 && years <= 100) return years;
  log(env, "CRITICAL", "the retention time of audit events is invalid", { variable: "AUDIT_RETENTION_YEARS" });
  throw new ApiError("misconfigured");
}

const LOCAL_SENDER = "notices@edgecare.example";

/**
 * The sender of mail, from the variable MAIL_FROM; null in production if it is empty: no mail is sent.
 * @throws ApiError misconfigured
 */
export function getMailSender(env: Env): string | null {
  if (!env.MAIL_FROM) return isProduction(env) ? null : LOCAL_SENDER;
  if (Email.safeParse(env.MAIL_FROM).success) return env.MAIL_FROM;
  log(env, "CRITICAL", "the sender of mail is not an e-mail address", { variable: "MAIL_FROM" });
  throw new ApiError("misconfigured");
}

const TEST_ORIGINS = ["WEBHOOK_TEST_ORIGINS", "PUSH_TEST_ORIGINS"] as const;

/**
 * Origins of local receivers that pass without a check of their address, separated by commas; production does not start with them.
 * @throws ApiError misconfigured
 */
export function getTestOrigins(env: Env, variable: (typeof TEST_ORIGINS)[number]): ReadonlySet<string> {
  const origins = (env[variable] ?? "").split(",").filter((origin) => origin !== "");
  if (origins.length === 0) return new Set();
  if (!isProduction(env) && origins.every(isOrigin)) return new Set(origins);
  log(env, "CRITICAL", "local receivers of tests are not allowed in production", { variable });
  throw new ApiError("misconfigured");
}

/** Names of the secrets that are missing, too short, placeholders, or equal to an earlier one. */
export function findInvalidSecrets(env: Env): string[] {
  const seenParts = new Set<string>();
  const configuredOptional = OPTIONAL_SECRETS.filter((name) => env[name]);
  return [...SECRETS, ...configuredOptional].filter((name) => {
    const value: string | undefined = env[name];
    // Compares the key material too: the same 32 bytes under another key id are the same secret.
    const parts = (value ?? "").split(/[:,]/).concat(value ?? "");
    const repeated = parts.some((part) => part.length >= MIN_SECRET_LENGTH && seenParts.has(part));
    for (const part of parts) seenParts.add(part);
    return !value || value.length < MIN_SECRET_LENGTH || PLACEHOLDER_PATTERN.test(value) || new Set(value).size < 10 || repeated;
  });
}

async function loadKeys(env: Env): Promise<Keys> {
  const invalidSecrets = findInvalidSecrets(env);
  const tryLoad = async <T>(name: string, load: Promise<T>): Promise<T | undefined> => {
    try {
      return await load;
    } catch {
      if (!invalidSecrets.includes(name)) invalidSecrets.push(name);
      return undefined;
    }
  };
  const jwt = await tryLoad("JWT_KEYS", parseSigningKeys(env.JWT_KEYS ?? ""));
  const fields = await tryLoad("FIELD_KEYS", parseKeyRing(env.FIELD_KEYS ?? ""));
  const audit = await tryLoad("AUDIT_KEYS", parseKeyRing(env.AUDIT_KEYS ?? ""));
  const auditSigners = await tryLoad("AUDIT_SIGNING_KEYS", parseCheckpointSigners(env.AUDIT_SIGNING_KEYS ?? ""));
  const link = await tryLoad("LINK_KEY", parseMacKeys(env.LINK_KEY ?? ""));
  const refresh = await tryLoad("REFRESH_KEY", parseMacKeys(env.REFRESH_KEY ?? ""));
  const identity = env.IDENTITY_KEYS ? await tryLoad("IDENTITY_KEYS", parseMacKeyRing(env.IDENTITY_KEYS)) : null;
  const vapid = env.VAPID_KEYS ? await tryLoad("VAPID_KEYS", parseSigningKeys(env.VAPID_KEYS)) : null;
  const isComplete = jwt && fields && audit && auditSigners && link && refresh && identity !== undefined && vapid !== undefined;
  if (invalidSecrets.length > 0 || !isComplete) {
    for (const variable of invalidSecrets) log(env, "CRITICAL", "a required secret is missing or invalid", { variable });
    throw new ApiError("misconfigured");
  }
  const [index, bootstrapHash] = await Promise.all([importMacKey(env.INDEX_KEY), sha256Hex(env.BOOTSTRAP_TOKEN)]);
  log(env, "DEBUG", "keys loaded", { kid: jwt.currentKid, count: jwt.publicKeys.size });
  return { fields, audit, auditSigners, index, link, refresh, jwt, identity, vapid, bootstrapHash };
}

// Cache derived from the secrets alone and rebuilt when they change; holds no request state.
let cachedKeys: { fingerprint: Secrets; keys: Promise<Keys> } | undefined;
let verifiedFingerprint: { environment: string; fingerprint: Secrets } | undefined;

const NAMES = [
  ...SECRETS,
  ...OPTIONAL_SECRETS,
  "PUBLIC_ORIGIN",
  "AUDIT_RETENTION_YEARS",
  "MAIL_FROM",
  ...TEST_ORIGINS,
  ...SMS_VARIABLES,
] as const;
type Secrets = readonly (string | undefined)[];
const secretsOf = (env: Env): Secrets => NAMES.map((name) => env[name]);
/** The strings of one environment are identical objects, so comparing them is free. */
const isFrom = (secrets: Secrets, env: Env) => NAMES.every((name, i) => env[name] === secrets[i]);

/** @throws ApiError misconfigured, after a log line that names each invalid variable */
export function getKeys(env: Env): Promise<Keys> {
  if (!cachedKeys || !isFrom(cachedKeys.fingerprint, env)) {
    cachedKeys = { fingerprint: secretsOf(env), keys: loadKeys(env) };
    cachedKeys.keys.catch(() => {
      cachedKeys = undefined;
    });
  }
  return cachedKeys.keys;
}

const SENTINEL_CONTEXT = { table: "deployment", column: "value", id: "sentinel" };
const SENTINEL_TEXT = "edgecare";

/**
 * Decrypts the sealed constant in D1 and compares the proofs of the other keys; writes missing rows at the first start.
 * @returns the variable that does not match this database, or null
 */
async function findMismatchedKey(db: Db, keys: Keys): Promise<ProvenSecret | null> {
  const selectRows = db.select().from(deployment);
  const proofs = await computeKeyProofs(keys);
  let known = toMap(await selectRows);
  const unproven = findUnprovenSecret(proofs, known);
  if (known.has("sentinel") && (await openSentinel(keys, known)) !== SENTINEL_TEXT) return "FIELD_KEYS";
  if (unproven) return unproven;
  if (known.has("sentinel") && proofs.every(({ name }) => known.has(name))) return null;
  const sealed = await sealValue(keys.fields, SENTINEL_CONTEXT, SENTINEL_TEXT);
  const rows = [{ name: "sentinel", value: sealed }, ...proofs.map(({ name, value }) => ({ name, value }))];
  await db.insert(deployment).values(rows).onConflictDoNothing();
  known = toMap(await selectRows);
  return (await openSentinel(keys, known)) === SENTINEL_TEXT ? findUnprovenSecret(proofs, known) : "FIELD_KEYS";
}

const toMap = (rows: { name: string; value: string }[]) => new Map(rows.map(({ name, value }) => [name, value]));

const openSentinel = (keys: Keys, known: ReadonlyMap<string, string>): Promise<unknown> =>
  unsealValue(keys.fields, SENTINEL_CONTEXT, known.get("sentinel") ?? "").catch(() => null);

async function assertNoDemoRows(env: Env, db: Db): Promise<void> {
  const found = await db.all(sql`
    SELECT 1 FROM users WHERE demo = 1 UNION ALL SELECT 1 FROM hospitals WHERE demo = 1
    UNION ALL SELECT 1 FROM patients WHERE demo = 1 LIMIT 1`);
  if (found.length === 0) return;
  log(env, "CRITICAL", "the database contains demo data", { variable: "ENVIRONMENT" });
  throw new ApiError("misconfigured");
}

/**
 * Checks that secrets and variables are valid, that keys match this database, and that production has no demo data.
 * @throws ApiError misconfigured
 */
export async function loadVerifiedKeys(env: Env): Promise<Keys> {
  getPublicOrigin(env);
  getAuditRetentionYears(env);
  getMailSender(env);
  for (const variable of TEST_ORIGINS) getTestOrigins(env, variable);
  getSmsProvider(env);
  const keys = await getKeys(env);
  const db = getDb(env.DB);
  const variable = await findMismatchedKey(db, keys);
  if (variable) {
    log(env, "CRITICAL", "the key does not match the database", { variable });
    throw new ApiError("misconfigured");
  }
  if (isProduction(env)) await assertNoDemoRows(env, db);
  return keys;
}

/** The check before the first request of an isolate; later requests use the cached result. */
export async function getVerifiedKeys(env: Env): Promise<Keys> {
  if (verifiedFingerprint?.environment === env.ENVIRONMENT && isFrom(verifiedFingerprint.fingerprint, env)) return getKeys(env);
  const fingerprint = secretsOf(env);
  const keys = await loadVerifiedKeys(env);
  verifiedFingerprint = { environment: env.ENVIRONMENT, fingerprint };
  return keys;
}
