// The start of an erasure: decides whether retention and holds allow it, and reads whom it is about.
import { sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { findEndOfRetention } from "../retention/end-of-retention.ts";
import type { ErasureRow, Progress, Subject } from "./progress.ts";

/** Devices and credentials that are read; a patient has at most 100 own devices (row-limits.ts). */
const MAX_CREDENTIALS = 1_000;

export const hasOpenHold = (patientId: ReturnType<typeof sql>) =>
  sql`EXISTS (SELECT 1 FROM patient_holds WHERE patient_id = ${patientId} AND released_at IS NULL)`;

/**
 * Begins an erasure whose date has come. The periods are calculated again: the policy, or the record, may have changed since.
 * @returns whether it may begin
 */
export async function startErasure(env: Env, db: Db, keys: Keys, row: ErasureRow, now: number): Promise<boolean> {
  const end = await findEndOfRetention(env, db, keys, row.patientId, now);
  if (end !== null && end > now) {
    await db.run(sql`UPDATE erasures SET erase_on = CAST(${end} AS INTEGER) WHERE id = ${row.id} AND state = 'restricted'`);
    return false;
  }
  const [started] = await batch(db, [
    db.all<{ id: string }>(sql`UPDATE erasures SET state = 'erasing', started_at = CAST(${now} AS INTEGER)
      WHERE id = ${row.id} AND state = 'restricted' AND NOT ${hasOpenHold(sql`erasures.patient_id`)} RETURNING id`),
  ]);
  return started.length === 1;
}

/** An erasure at its first step; accounts that go with the record can no longer sign in. */
export async function prepareErasure(db: Db, row: ErasureRow, plan: string, now: number): Promise<void> {
  const subject = await readSubject(db, row, now);
  const progress: Progress = { subject, plan, step: 0, cursor: null, counts: {} };
  await batch(db, [
    db.run(
      sql`UPDATE erasures SET progress = ${JSON.stringify(progress)} WHERE id = ${row.id} AND state = 'erasing' AND progress IS NULL`,
    ),
    db.run(sql`UPDATE users SET active = 0 WHERE id IN (SELECT value FROM json_each(${JSON.stringify(subject.users)}))`),
  ]);
}

async function readSubject(db: Db, { patientId, hospitalId }: ErasureRow, now: number): Promise<Subject> {
  const [[patient], users, devices, credentials] = await batch(db, [
    db.all<{ uid: string | null; created_at: number; restricted_at: number | null }>(
      sql`SELECT patient_uid AS uid, created_at, restricted_at FROM patients WHERE id = ${patientId}`,
    ),
    db.all<{ id: string }>(sql`SELECT l.user_id AS id FROM patient_links l JOIN users u ON u.id = l.user_id
      WHERE l.patient_id = ${patientId} AND u.is_admin = 0
        AND NOT EXISTS (SELECT 1 FROM patient_links o WHERE o.user_id = l.user_id AND o.patient_id <> ${patientId})
        AND NOT EXISTS (SELECT 1 FROM guardianships g WHERE g.guardian_id = l.user_id AND g.patient_id <> ${patientId})
        AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = l.user_id)
        AND NOT EXISTS (SELECT 1 FROM practitioners p WHERE p.user_id = l.user_id)`),
    db.all<{ id: string }>(sql`SELECT id FROM devices WHERE owner_patient_id = ${patientId}`),
    db.all<{
      id: string;
    }>(sql`SELECT DISTINCT c.id AS id FROM device_assignments a JOIN credentials c ON c.device_id = a.device_id
      WHERE a.patient_id = ${patientId} ORDER BY c.created_at DESC LIMIT ${MAX_CREDENTIALS}`),
  ]);
  return {
    patientId,
    hospitalId,
    patientUid: patient?.uid ?? null,
    createdAt: patient?.created_at ?? 0,
    // A restored backup may be older than the lock.
    lockedAt: patient?.restricted_at ?? now,
    users: users.map(({ id }) => id),
    ownDevices: devices.map(({ id }) => id),
    credentials: credentials.map(({ id }) => id),
  };
}
