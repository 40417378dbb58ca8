// Creation of the first administrator with BOOTSTRAP_TOKEN, once per deployment.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { constantTimeEqual, sha256Hex } from "../../platform/crypto.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { verificationStatements } from "../email/email-links.ts";
import { createUserRow, type NewUser } from "../users/users.ts";

const toBytes = (text: string) => new TextEncoder().encode(text);

/** @throws ApiError invalid_credentials, already_bootstrapped, already_exists, invalid_request (weak password) */
export async function bootstrapAdmin(call: Call, token: string, input: NewUser): Promise<string> {
  const { db, actor, now, keys } = call;
  if (!constantTimeEqual(toBytes(await sha256Hex(token)), toBytes(keys.bootstrapHash))) {
    await batch(
      db,
      recordAuditEvent(db, actor, now, { event: "bootstrap", action: "E", outcome: "denied", reason: "wrong_token" }),
    );
    throw new ApiError("invalid_credentials");
  }
  const [existing] = await db.select({ id: users.id }).from(users).where(sql`is_admin = 1`).limit(1);
  if (existing) throw new ApiError("already_bootstrapped");
  const row = await createUserRow(call, input);
  // The first statement fails the batch on a NOT NULL column if an administrator was created concurrently.
  const userIdIfFirstAdmin = sql<string>`(SELECT ${row.id} WHERE NOT EXISTS (SELECT 1 FROM users WHERE is_admin = 1))`;
  try {
    await batch(db, [
      db.insert(users).values({ ...row, id: userIdIfFirstAdmin, isAdmin: 1 }),
      incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
      ...(await verificationStatements(call, row.id, input.email)),
      ...recordAuditEvent(db, actor, now, { event: "bootstrap", action: "C", entity: { type: "user", id: row.id } }),
    ]);
  } catch (error) {
    if (isUniqueViolation(error, "users")) throw new ApiError("already_exists");
    if (isConditionFailed(error, "users.id")) throw new ApiError("already_bootstrapped");
    throw error;
  }
  return row.id;
}
