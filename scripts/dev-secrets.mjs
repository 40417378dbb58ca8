// Adds random development secrets to .dev.vars where they are missing.
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { newFieldKey, newSigningKey } from "../cli/key-rings.ts";

/** Random values for every secret; `edgecare keys new` uses it for production too. */
export function newSecrets() {
  const random = () => randomBytes(32).toString("base64url");
  return {
    JWT_KEYS: JSON.stringify([newSigningKey()]),
    FIELD_KEYS: newFieldKey("f1"),
    AUDIT_KEYS: newFieldKey("a1"),
    // An Ed25519 seed is 32 random bytes too.
    AUDIT_SIGNING_KEYS: newFieldKey("s1"),
    INDEX_KEY: random(),
    LINK_KEY: random(),
    REFRESH_KEY: random(),
    BOOTSTRAP_TOKEN: random(),
    IDENTITY_KEYS: newFieldKey("i1"),
    METRICS_TOKEN: random(),
    VAPID_KEYS: JSON.stringify([newSigningKey()]),
  };
}

/** The assignments in the file, without quotes. */
export function readDevVars(path = ".dev.vars") {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line) => {
    const [, name, value] = /^([A-Z0-9_]+)='?(.*?)'?$/.exec(line) ?? [];
    return name ? [[name, value]] : [];
  });
}

/** @returns the names that were added; existing values stay unchanged */
export function writeDevVars(path = ".dev.vars") {
  const existing = new Set(readDevVars(path).map(([name]) => name));
  const added = Object.entries({ ENVIRONMENT: "development", ...newSecrets() }).filter(([name]) => !existing.has(name));
  const lines = added.map(([name, value]) => `${name}='${value}'\n`);
  if (added.length > 0) appendFileSync(path, lines.join(""), { mode: 0o600 });
  return added.map(([name]) => name);
}

/** Secrets that wrangler.toml does not require, and that wrangler therefore does not read from the file. */
export function optionalDevVars(path = ".dev.vars") {
  return readDevVars(path).filter(([name]) => OPTIONAL.test(name));
}
const OPTIONAL = /^(IDENTITY_KEYS|METRICS_TOKEN|VAPID_KEYS|PUSH_TEST_ORIGINS|WEBHOOK_TEST_ORIGINS|R2_S3_.*|SMS_.*)$/;
