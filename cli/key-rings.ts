// The next state of a secret that holds several keys: publish a new key, then use it, and finally drop the old one.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { z } from "zod";

export const RING_NAMES = [
  "JWT_KEYS",
  "FIELD_KEYS",
  "IDENTITY_KEYS",
  "AUDIT_KEYS",
  "AUDIT_SIGNING_KEYS",
  "LINK_KEY",
  "REFRESH_KEY",
] as const;
export type RingName = (typeof RING_NAMES)[number];
export const STAGES = ["add", "sign", "drop"] as const;
export type Stage = (typeof STAGES)[number];

/** A rotation step that the ring does not allow; the message says what to do and contains no key. */
export class RingError extends Error {}

/** `age` orders keys by creation: `iat` of a JWK, otherwise the number in a key id such as f2; 0 for a key without an id. */
type RingEntry = { kid: string; age: number; text: string };

export const newFieldKey = (kid: string) => `${kid}:${randomBytes(32).toString("base64")}`;

/** A private P-256 JWK. `iat` orders the keys of a ring by age; the Worker ignores it. */
export function newSigningKey(iat = Math.floor(Date.now() / 1000)) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: `j${randomBytes(4).toString("hex")}`, alg: "ES256", iat };
}

const Jwks = z.array(z.looseObject({ kid: z.string().min(1), iat: z.number().optional() })).min(1);

function parseEntries(name: RingName, secret: string): RingEntry[] {
  if (name === "JWT_KEYS") {
    return Jwks.parse(JSON.parse(secret)).map((jwk) => ({ kid: jwk.kid, age: jwk.iat ?? 0, text: JSON.stringify(jwk) }));
  }
  return secret.split(",").map((part) => {
    const text = part.trim();
    const kid = text.includes(":") ? text.slice(0, text.indexOf(":")) : "the key without an id";
    return { kid, age: Number(/\d+$/.exec(kid)?.[0] ?? 0), text };
  });
}

function formatEntries(name: RingName, ring: readonly RingEntry[]): string {
  const texts = ring.map(({ text }) => text);
  return name === "JWT_KEYS" ? `[${texts.join(",")}]` : texts.join(",");
}

function createEntry(name: RingName, newest: RingEntry): RingEntry {
  if (name === "JWT_KEYS") {
    const jwk = newSigningKey(Math.max(Math.floor(Date.now() / 1000), newest.age + 1));
    return { kid: jwk.kid, age: jwk.iat, text: JSON.stringify(jwk) };
  }
  const kid = `${KID_LETTERS[name]}${newest.age + 1}`;
  return { kid, age: newest.age + 1, text: newFieldKey(kid) };
}

/** The key that the stage `drop` removes. */
export const findOldestKeyId = (name: RingName, secret: string): string | undefined =>
  parseEntries(name, secret)
    .toSorted((a, b) => b.age - a.age)
    .at(-1)?.kid;

const KID_LETTERS = {
  FIELD_KEYS: "f",
  IDENTITY_KEYS: "i",
  AUDIT_KEYS: "a",
  AUDIT_SIGNING_KEYS: "s",
  LINK_KEY: "l",
  REFRESH_KEY: "r",
} as const;

/** Rings whose old keys nothing stored needs: what they signed expires. */
export const isForTokens = (name: RingName): name is "JWT_KEYS" | "LINK_KEY" | "REFRESH_KEY" =>
  name === "JWT_KEYS" || name === "LINK_KEY" || name === "REFRESH_KEY";

const DATA_LOST = {
  FIELD_KEYS: "rows and files that are not sealed again yet can never be opened (edgecare keys status)",
  IDENTITY_KEYS: "people known by it alone would get a second identity",
  AUDIT_KEYS: "segments of the audit log that are not sealed again yet cannot be opened",
  AUDIT_SIGNING_KEYS: "checkpoints of the audit log signed with it can no longer be verified",
} as const;

/**
 * @param secret the current ring, as configured in the Worker  @param force drop a key that stored data still needs
 * @throws RingError where the step would remove a key too early, or repeat one
 */
export function advanceRing(name: RingName, secret: string, stage: Stage, force = false): string {
  const ring = parseEntries(name, secret);
  const [first = ring[0]] = ring;
  // Of keys with the same age, or made by hand, the first in the ring is the newest.
  const byAge = ring.toSorted((a, b) => b.age - a.age);
  const newest = byAge[0];
  const oldest = byAge.at(-1);
  if (!first || !newest || !oldest) throw new RingError("The ring is empty.");
  switch (stage) {
    case "add":
      if (newest !== first) throw new RingError(`${newest.kid} is not used yet: run --stage sign first.`);
      return formatEntries(name, [...ring, createEntry(name, newest)]);
    case "sign":
      if (newest === first) throw new RingError(`${first.kid} is the newest key and already in use: run --stage add first.`);
      return formatEntries(name, [newest, ...ring.filter((entry) => entry !== newest)]);
    case "drop":
      if (oldest === first)
        throw new RingError(`${first.kid} is in use and cannot be dropped: run --stage add and --stage sign first.`);
      if (!isForTokens(name) && !force) {
        throw new RingError(`Without ${oldest.kid} ${DATA_LOST[name]}. Use --force only if no stored data need it.`);
      }
      return formatEntries(
        name,
        ring.filter((entry) => entry !== oldest),
      );
  }
}
