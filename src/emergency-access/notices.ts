// Who is told of emergency access: the person of the record, at once or after a delay that a privacy officer has set, and those who
// watch over a hospital when there are many.
import { type SQL, sql } from "drizzle-orm";
import type { Actor, SystemActor } from "../access/actor.ts";
import { ACTIVE_MEMBERSHIP } from "../access/effective-role.ts";
import { selectDelay } from "../access/emergency.ts";
import { notify } from "../notifications/notify.ts";
import { batch, type Db, getDb, type Statement } from "../platform/db/client.ts";
import { derivedUuidv7 } from "../platform/ids.ts";
import type { EmergencyRow } from "./rows.ts";

/** Accesses per UTC day of which privacy officers and hospital administrators are told, once each. */
export const MANY = { ofUser: 5, ofHospital: 20 } as const;

/** Notices that one run of cron sends; the next run sends more. */
const MAX_PER_RUN = 50;

const listIds = (ids: readonly string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;

type Access = Pick<EmergencyRow, "id" | "patientId" | "ownPatientId" | "recordHospitalId" | "startedAt">;

/** Statements that notify every login of the records, once, behind the statement that sets `patient_notified_at`. */
export function notifyPatient(db: Db, actor: Actor, now: number, access: Access): Statement[] {
  const { id, patientId, ownPatientId, recordHospitalId, startedAt } = access;
  return notify(db, actor, now, {
    kind: "emergency.access",
    hospitalId: recordHospitalId,
    refs: { emergency_access_id: id },
    recipients: sql`SELECT l.user_id FROM patient_links l WHERE l.patient_id IN ${listIds([patientId, ownPatientId])}`,
    eventId: derivedUuidv7(startedAt, `${id}.patient`),
    when: sql`EXISTS (SELECT 1 FROM emergency_accesses WHERE id = ${id} AND patient_notified_at IS NOT NULL)`,
  });
}

/** Statements that tell of many accesses, behind the statement that adds one. @param from start of the UTC day, Unix ms */
export function notifyOfMany(
  db: Db,
  actor: Actor,
  now: number,
  { userId, hospitalId, from }: { userId: string; hospitalId: string; from: number },
): Statement[] {
  const recipients = sql`SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId}
    AND (m.privacy_officer = 1 OR m.role = 'hospital_admin') AND ${ACTIVE_MEMBERSHIP}`;
  const toNotice = (name: string, where: SQL, count: number) =>
    notify(db, actor, now, {
      kind: "emergency.many",
      hospitalId,
      refs: { hospital_id: hospitalId },
      recipients,
      eventId: derivedUuidv7(from, `${name}.emergency_many`),
      when: sql`(SELECT count(*) FROM (SELECT 1 FROM emergency_accesses WHERE ${where} AND started_at >= ${from}
        LIMIT ${count})) = ${count}`,
    });
  return [
    ...toNotice(`${userId}.${hospitalId}`, sql`user_id = ${userId} AND hospital_id = ${hospitalId}`, MANY.ofUser),
    ...toNotice(hospitalId, sql`hospital_id = ${hospitalId}`, MANY.ofHospital),
  ];
}

const CRON: SystemActor = { kind: "system", name: "cron", via: { requestId: "cron", ip: null } };

/** Notifies the patients whose delay has ended. */
export async function sendDelayedNotices(env: Env, now: number): Promise<void> {
  const db = getDb(env.DB);
  const due = await db.all<Access>(sql`SELECT e.id, e.patient_id AS patientId, e.own_patient_id AS ownPatientId,
      e.record_hospital_id AS recordHospitalId, e.started_at AS startedAt
    FROM emergency_accesses e WHERE e.patient_notified_at IS NULL
      AND NOT EXISTS (${selectDelay(sql`e.patient_id`, sql`e.user_id`, now)})
    ORDER BY e.started_at LIMIT ${MAX_PER_RUN}`);
  for (const access of due) {
    await batch(db, [
      db.run(sql`UPDATE emergency_accesses SET patient_notified_at = CAST(${now} AS INTEGER)
        WHERE id = ${access.id} AND patient_notified_at IS NULL
          AND NOT EXISTS (${selectDelay(access.patientId, sql`emergency_accesses.user_id`, now)})`),
      ...notifyPatient(db, CRON, now, access),
    ]);
  }
}
