// The check that people whom a request names work at the hospital.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { ApiError } from "../../platform/errors.ts";

/** A person, and where the request names them. */
export type NamedMember = { userId: string; path: string };

/** @param message of the problem  @throws ApiError invalid_request that lists the paths of those who are not active members of the hospital */
export async function assertMembers(
  { db }: Pick<Call, "db">,
  hospitalId: string,
  named: readonly NamedMember[],
  message: string,
): Promise<void> {
  if (named.length === 0) return;
  const userIds = JSON.stringify(named.map(({ userId }) => userId));
  const found = await db.all<{ id: string }>(sql`SELECT u.id AS id FROM memberships m
    JOIN users u ON u.id = m.user_id AND u.active = 1
    WHERE m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP} AND m.user_id IN (SELECT value FROM json_each(${userIds}))`);
  const members = new Set(found.map(({ id }) => id));
  const errors = named
    .filter(({ userId }) => !members.has(userId))
    .map(({ path }) => ({ path, message: "Not an active member of the hospital", code: "invalid" }));
  if (errors.length > 0) throw new ApiError("invalid_request", message, { errors });
}
