// The first administrator: whoever holds BOOTSTRAP_TOKEN, once.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { count, scopes } from "../../platform/counters.ts";
import { sameBytes, sha256Hex } from "../../platform/crypto.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { type NewUser, prepareUser } from "../users/users.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** @throws ApiError invalid_credentials, already_bootstrapped, already_exists, invalid_request (weak password) */
export async function bootstrap(call: Call, token: string, input: NewUser): Promise<string> {
  const { db, actor, now, keys } = call;
  if (!sameBytes(bytes(await sha256Hex(token)), bytes(keys.bootstrapHash))) {
    await batch(db, audit(db, actor, now, { event: "bootstrap", action: "E", outcome: "denied", reason: "wrong_token" }));
    throw new ApiError("invalid_credentials");
  }
  const [existing] = await db.select({ id: users.id }).from(users).where(sql`is_admin = 1`).limit(1);
  if (existing) throw new ApiError("already_bootstrapped");
  const row = await prepareUser(call, input);
  // The first statement fails the batch on a NOT NULL column when an administrator exists by now.
  const onlyFirst = sql<string>`(SELECT ${row.id} WHERE NOT EXISTS (SELECT 1 FROM users WHERE is_admin = 1))`;
  try {
    await batch(db, [
      db.insert(users).values({ ...row, id: onlyFirst, isAdmin: 1 }),
      count(db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
      ...audit(db, actor, now, { event: "bootstrap", action: "C", entity: { type: "user", id: row.id } }),
    ]);
  } catch (error) {
    if (isConflict(error, "users")) throw new ApiError("already_exists");
    if (isUnmet(error, "users.id")) throw new ApiError("already_bootstrapped");
    throw error;
  }
  return row.id;
}
