// What a session is worth now: the state of session, user, membership and hospital, for the statement that needs it.
import { type SQL, sql } from "drizzle-orm";
import type { DoctorScope, Role, Standing, UserActor } from "./actor.ts";
import type { Db } from "./db/client.ts";

export type StandingRow = {
  is_admin: number;
  member_role: Role | null;
  acting_hospital: string | null;
  doctor_scope: DoctorScope | null;
};

export const STANDING = sql`u.is_admin AS is_admin, m.role AS member_role, s.hospital_id AS acting_hospital, h.doctor_scope AS doctor_scope`;

/** The session, the user, the membership and the hospital, as they are in this very statement. */
export function liveSession(actor: UserActor, now: number): { from: SQL; where: SQL } {
  return {
    from: sql`sessions s JOIN users u ON u.id = s.user_id AND u.active = 1
      LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = s.hospital_id AND m.ended_at IS NULL
      LEFT JOIN hospitals h ON h.id = s.hospital_id AND h.active = 1`,
    where: sql`s.id = ${actor.sessionId} AND s.user_id = ${actor.userId} AND s.revoked_at IS NULL AND s.expires_at > ${now}`,
  };
}

/** Null when the session acts for a hospital that was deactivated or that the person has left. */
export function standingOf(row: StandingRow | undefined): Standing | null {
  if (!row) return null;
  if (row.is_admin) return { role: "admin", hospitalId: row.acting_hospital, doctorScope: "care_team" };
  if (row.acting_hospital === null) return { role: "patient", hospitalId: null, doctorScope: "care_team" };
  if (!row.member_role || !row.doctor_scope) return null;
  return { role: row.member_role, hospitalId: row.acting_hospital, doctorScope: row.doctor_scope };
}

export function standingStatement(db: Db, actor: UserActor, now: number) {
  const { from, where } = liveSession(actor, now);
  return db.all<StandingRow>(sql`SELECT ${STANDING} FROM ${from} WHERE ${where}`);
}

export function same(a: Standing, b: Standing): boolean {
  return a.role === b.role && a.hospitalId === b.hospitalId && a.doctorScope === b.doctorScope;
}
