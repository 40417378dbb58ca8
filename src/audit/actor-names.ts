// Names of the staff in a patient's access log.
import { sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { unsealProfile } from "../access/profile.ts";
import type { LogEntry } from "../audit-log/contract.ts";

export type ActorNames = ReadonlyMap<string, string>;
export const NO_NAMES: ActorNames = new Map();

/**
 * By user id, in one round trip. Without those whose account is gone or whose profile cannot be opened, so that the log stays readable,
 * and without other persons of a record, who are no staff.
 */
export async function readActorNames({ db, keys }: Call, entries: readonly Pick<LogEntry, "actor">[]): Promise<ActorNames> {
  const staff = entries.flatMap(({ actor: { kind, id, role } }) => (kind === "user" && id && role !== "patient" ? [id] : []));
  if (staff.length === 0) return NO_NAMES;
  const rows = await db.all<{ id: string; profileSealed: string }>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed
    FROM users u WHERE u.id IN (SELECT value FROM json_each(${JSON.stringify([...new Set(staff)])}))`);
  const named = rows.map(async (row): Promise<[string, string][]> => {
    const profile = await unsealProfile(keys, row).catch(() => null);
    return profile ? [[row.id, profile.full_name]] : [];
  });
  return new Map((await Promise.all(named)).flat());
}
