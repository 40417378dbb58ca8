// Staff who hear of a ward's alarms.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, type DoctorScope, getActorId } from "../../access/actor.ts";
import { type AuditAction, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { wards } from "../../platform/db/schema.ts";
import { STAFF_COLUMNS, type StaffRow, toNamedPerson } from "./alarm-scope.ts";
import { assertMembers } from "./members.ts";

type Ward = { id: string; hospitalId: string; doctorScope: DoctorScope; version: number };

const selectStaff = (db: Db, wardId: string) =>
  db.all<StaffRow>(sql`SELECT ${STAFF_COLUMNS} FROM ward_staff s JOIN wards w ON w.id = s.ward_id JOIN users u ON u.id = s.user_id
    LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = w.hospital_id WHERE s.ward_id = ${wardId} ORDER BY u.id`);

/** @throws ApiError not_found (audited) */
async function load(anyCall: Call, wardId: string, permission: Permission, name: string, action: AuditAction) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db.all<Ward>(sql`SELECT w.id AS id, w.hospital_id AS hospitalId, h.doctor_scope AS doctorScope, w.version AS version
      FROM wards w JOIN hospitals h ON h.id = w.hospital_id
      WHERE w.id = ${wardId} AND ${isInCallerHospital(effectiveRole, sql`w.hospital_id`)}`),
    selectStaff(db, wardId),
  ]);
  const [[ward], rows] = results;
  const { role, hospitalId } = effectiveRole;
  if (!ward) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { ward: wardId } });
  return {
    call,
    ward,
    rows,
    event: { event: name, action, role, hospitalId: ward.hospitalId, entity: { type: "ward", id: wardId } },
  };
}

const toView = async ({ keys }: Pick<Call, "keys">, ward: Ward, rows: readonly StaffRow[]) => ({
  ward_id: ward.id,
  hospital_id: ward.hospitalId,
  people: await Promise.all(rows.map((row) => toNamedPerson(keys, row, ward.doctorScope))),
  version: ward.version,
});

export async function getWardStaff(anyCall: Call, wardId: string) {
  const { call, ward, rows, event } = await load(anyCall, wardId, "ward:read", "ward_staff.read", "R");
  const detail = { count: rows.length };
  return afterAudit(appendAuditEvent(call, { ...event, detail }), toView(call, ward, rows));
}

const listed = (userIds: readonly string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(userIds)}))`;

/**
 * Replaces the list, as a new version of the ward.
 * @throws ApiError not_found, invalid_request, precondition_failed
 */
export async function putWardStaff(anyCall: Call, wardId: string, expected: ExpectedVersion, userIds: readonly string[]) {
  const { call, ward, rows, event } = await load(anyCall, wardId, "ward:manage", "ward_staff.update", "U");
  const { db, actor, now } = call;
  const version = matchVersion(expected, ward.version);
  if (version !== ward.version) return failWithAudit(call, "precondition_failed", event);
  const added = userIds.filter((id) => !rows.some((row) => row.id === id));
  const named = added.map((userId, place) => ({ userId, path: `user_ids.${place}` }));
  await assertMembers(call, ward.hospitalId, named, "The list names somebody who is not on the staff.");
  const detail = { added, removed: rows.map(({ id }) => id).filter((id) => !userIds.includes(id)) };
  const isCurrent = sql`EXISTS (SELECT 1 FROM wards WHERE id = ${wardId} AND version = ${version})`;
  const [, , [changed], , after] = await batch(db, [
    db.run(sql`DELETE FROM ward_staff WHERE ward_id = ${wardId} AND user_id NOT IN ${listed(userIds)} AND ${isCurrent}`),
    db.run(sql`INSERT INTO ward_staff (ward_id, user_id, added_by, added_at)
      SELECT ${wardId}, value, ${getActorId(actor)}, CAST(${now} AS INTEGER) FROM json_each(${JSON.stringify(added)}) WHERE ${isCurrent}
      ON CONFLICT DO NOTHING`),
    db
      .update(wards)
      .set({ version: version + 1, updatedAt: now })
      .where(and(eq(wards.id, wardId), eq(wards.version, version)))
      .returning({ version: wards.version }),
    ...recordAuditEvent(db, actor, now, { ...event, detail, when: sql`changes() > 0` }),
    selectStaff(db, wardId),
  ]);
  return changed ? toView(call, { ...ward, ...changed }, after) : failWithAudit(call, "precondition_failed", event);
}
