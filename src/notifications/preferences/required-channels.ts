// Channels that a hospital requires of its staff, by role.

import { eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, denyNotFound } from "../../access/deny.ts";
import { canManageHospital } from "../../access/effective-role.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { hospitals, requiredChannels, SELF_CARE_HOSPITAL_ID, type STAFF_ROLES } from "../../platform/db/schema.ts";
import { toIso } from "../../platform/time.ts";
import type { PersonChannel } from "../kinds.ts";

export type RequiredChannel = { role: (typeof STAFF_ROLES)[number]; channel: PersonChannel };

const selectRequired = (db: Db, hospitalId: string) =>
  db
    .select()
    .from(requiredChannels)
    .where(eq(requiredChannels.hospitalId, hospitalId))
    .orderBy(requiredChannels.role, requiredChannels.channel);
const selectHospital = (db: Db, hospitalId: string) =>
  db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId));

function toRequired(hospitalId: string, rows: readonly (typeof requiredChannels.$inferSelect)[]) {
  return {
    hospital_id: hospitalId,
    required: rows.map(({ role, channel, setBy, setAt }) => ({ role, channel, set_by: setBy, set_at: toIso(setAt) })),
  };
}

/** @throws ApiError not_found (another hospital) */
export async function getRequiredChannels(anyCall: Call, hospitalId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "user:read", (_, { db }) => [
    selectHospital(db, hospitalId),
    selectRequired(db, hospitalId),
  ]);
  const [[hospital], rows] = results;
  if (!hospital || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, "user:read", effectiveRole, { hospital: hospitalId });
  return toRequired(hospitalId, rows);
}

/** Replaces the list; who and when stays at what was required before. @throws ApiError not_found, forbidden (the built-in hospital) */
export async function replaceRequiredChannels(anyCall: Call, hospitalId: string, required: readonly RequiredChannel[]) {
  const { call, effectiveRole, results } = await withUser(anyCall, "hospital:update", (_, { db }) => [
    selectHospital(db, hospitalId),
  ]);
  const { role } = effectiveRole;
  const target = { hospital: hospitalId };
  if (results[0].length === 0 || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, "hospital:update", effectiveRole, target);
  if (hospitalId === SELF_CARE_HOSPITAL_ID) return denyAccess(call, "hospital:update", "forbidden", { role, hospitalId, target });
  const { db, actor, now } = call;
  const wanted = JSON.stringify(required.map((item) => [item.role, item.channel]));
  const names = [...new Set(required.map((item) => `${item.role} ${item.channel}`))].sort();
  const [, , rows] = await batch(db, [
    db.run(sql`DELETE FROM required_channels WHERE hospital_id = ${hospitalId}
      AND (role, channel) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(${wanted}))`),
    db.run(sql`INSERT INTO required_channels (hospital_id, role, channel, set_by, set_at)
      SELECT ${hospitalId}, value ->> 0, value ->> 1, ${actor.userId}, CAST(${now} AS INTEGER) FROM json_each(${wanted})
      WHERE 1 ON CONFLICT DO NOTHING`),
    selectRequired(db, hospitalId),
    ...recordAuditEvent(db, actor, now, {
      event: "required_channels.update",
      action: "U",
      role,
      hospitalId,
      entity: { type: "hospital", id: hospitalId },
      detail: { required: names.join(", ") },
    }),
  ]);
  return toRequired(hospitalId, rows);
}
