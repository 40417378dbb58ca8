// Names of the staff whom alarms of a ward name, so that a board needs no list of all members.
import { sql } from "drizzle-orm";
import type { UserCall } from "../../access/actor.ts";
import { unsealProfile } from "../../access/profile.ts";

/** Without a round trip when nobody is named. @param userIds null for nobody */
export async function findStaffNames(
  { db, keys }: UserCall,
  userIds: readonly (string | null)[],
): Promise<{ user_id: string; full_name: string }[]> {
  const ids = [...new Set(userIds)].filter((id) => id !== null);
  if (ids.length === 0) return [];
  const rows = await db.all<{ id: string; profileSealed: string }>(
    sql`SELECT id, profile_sealed AS profileSealed FROM users WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
  );
  return Promise.all(rows.map(async (row) => ({ user_id: row.id, full_name: (await unsealProfile(keys, row)).full_name })));
}
