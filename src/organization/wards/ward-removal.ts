// Statements that delete what belongs to a ward, for the batch that deletes it.
import { and, eq, sql } from "drizzle-orm";
import type { Db } from "../../platform/db/client.ts";
import { alertRules, escalationSettings, wardStaff } from "../../platform/db/schema.ts";

/** Before the ward, whose foreign key they hold; only while it has this version. */
export const deleteStaffOf = (db: Db, wardId: string, version: number) =>
  db
    .delete(wardStaff)
    .where(and(eq(wardStaff.wardId, wardId), sql`EXISTS (SELECT 1 FROM wards WHERE id = ${wardId} AND version = ${version})`));

/** After the ward; nothing while it exists. */
export function deleteSettingsOf(db: Db, wardId: string) {
  const isGone = sql`NOT EXISTS (SELECT 1 FROM wards WHERE id = ${wardId})`;
  return [
    db.delete(alertRules).where(and(eq(alertRules.scopeId, wardId), isGone)),
    db.delete(escalationSettings).where(and(eq(escalationSettings.scopeId, wardId), isGone)),
  ] as const;
}
