// Challenges of passkeys. A challenge is signed and not stored: a row is written when it is used, so that it is used once and that
// nobody fills the table by asking for challenges.
import { lt } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { fromBase64Url } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { ceremonies } from "../../platform/db/schema.ts";
import { UUID_PATTERN, uuidv7 } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";

export const CEREMONY_TTL_MS = 5 * 60_000;

export type CeremonyKind = (typeof ceremonies.$inferSelect)["kind"];
/** `userId`: null for a sign-in, before the person is known. */
export type Ceremony = { id: string; kind: CeremonyKind; userId: string | null; expiresAt: number };

const PAYLOAD = /^([0-9a-f-]{36})\.([0-9]{13})$/;
const macParts = (kind: CeremonyKind, userId: string | null, payload: string) => ["ceremony", kind, userId ?? "", payload];

export function newCeremony(kind: CeremonyKind, userId: string | null, now: number, id: string = uuidv7()): Ceremony {
  return { id, kind, userId, expiresAt: now + CEREMONY_TTL_MS };
}

/** The text whose UTF-8 bytes are the challenge. */
export function signChallenge(keys: Keys, { id, kind, userId, expiresAt }: Ceremony): Promise<string> {
  const payload = `${id}.${expiresAt}`;
  return signToken(keys.link, payload, ".", macParts(kind, userId, payload));
}

/** The ceremony of an unexpired challenge of this kind and person, else null. @param challenge base64url, as a client returns it */
export async function readChallenge(
  keys: Keys,
  kind: CeremonyKind,
  userId: string | null,
  challenge: string,
  now: number,
): Promise<Ceremony | null> {
  const bytes = fromBase64Url(challenge);
  const token = bytes && new TextDecoder().decode(bytes);
  const payload = token && (await verifyToken(keys.link, token, ".", (text) => macParts(kind, userId, text)));
  const [, id = "", expiry = ""] = PAYLOAD.exec(payload ?? "") ?? [];
  const expiresAt = Number(expiry);
  return UUID_PATTERN.test(id) && expiresAt > now ? { id, kind, userId, expiresAt } : null;
}

/** Fails its batch on the primary key (`isCeremonyUsed`) when the ceremony was used before. */
export function consumeCeremony(db: Db, { id, kind, userId, expiresAt }: Ceremony, now: number): Statement {
  return db.insert(ceremonies).values({ id, kind, userId, challenge: "", createdAt: now, expiresAt, usedAt: now });
}

/** Expired ones are refused by their time. */
export const pruneCeremonies = (db: Db, now: number): Statement => db.delete(ceremonies).where(lt(ceremonies.expiresAt, now));
