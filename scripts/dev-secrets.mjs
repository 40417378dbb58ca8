// Writes .dev.vars with random development secrets, unless there is one.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";

/** Fresh values for every secret of wrangler.toml; `keys` in the CLI makes production's the same way. */
export function newSecrets() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: `j${randomBytes(4).toString("hex")}`, alg: "ES256" };
  const random = () => randomBytes(32).toString("base64url");
  return {
    JWT_KEYS: JSON.stringify([jwk]),
    FIELD_KEYS: `f1:${randomBytes(32).toString("base64")}`,
    INDEX_KEY: random(),
    LINK_KEY: random(),
    REFRESH_KEY: random(),
    BOOTSTRAP_TOKEN: random(),
  };
}

export function writeDevVars(path = ".dev.vars") {
  if (existsSync(path)) return false;
  const lines = Object.entries({ ENVIRONMENT: "development", ...newSecrets() }).map(([name, value]) => `${name}='${value}'`);
  writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  return true;
}
