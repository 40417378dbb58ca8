// What a session or an app's credential is worth now, for the statement that needs it.
import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../platform/db/client.ts";
import type { AppStanding, DoctorScope, Principal, Role, Standing, UserActor } from "./actor.ts";
import { appHolds, appStandingStatement } from "./machines.ts";
import type { Action } from "./roles.ts";

export type StandingRow = {
  is_admin: number;
  member_role: Role | "app" | null;
  acting_hospital: string | null;
  doctor_scope: DoctorScope | null;
  scopes: string | null;
};

export const STANDING = sql`u.is_admin AS is_admin, m.role AS member_role, s.hospital_id AS acting_hospital,
  h.doctor_scope AS doctor_scope, NULL AS scopes`;

/** A membership that counts: neither ended nor suspended. The table is called `m` wherever this stands. */
export const MEMBER_NOW = sql`m.ended_at IS NULL AND m.suspended_at IS NULL`;

/** The hospital's id while it works, else nothing: a NOT NULL column then fails the batch (`isUnmet`). */
export const openHospital = (id: string): SQL => sql`(SELECT id FROM hospitals WHERE id = ${id} AND active = 1)`;

/** The session, the user, the membership and the hospital, as they are in this very statement. */
export function liveSession(actor: UserActor, now: number): { from: SQL; where: SQL } {
  return {
    from: sql`sessions s JOIN users u ON u.id = s.user_id AND u.active = 1
      LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = s.hospital_id AND ${MEMBER_NOW}
      LEFT JOIN hospitals h ON h.id = s.hospital_id AND h.active = 1`,
    where: sql`s.id = ${actor.sessionId} AND s.user_id = ${actor.userId} AND s.revoked_at IS NULL AND s.expires_at > ${now}`,
  };
}

/** Null when the session acts for a hospital that was deactivated or that the person has left. */
export function standingOf(row: StandingRow | undefined): Standing | null {
  if (!row) return null;
  const { acting_hospital: hospitalId, member_role: role, doctor_scope: doctorScope } = row;
  if (role === "app") {
    return { role, hospitalId: hospitalId ?? "", doctorScope: "care_team", scopes: row.scopes?.split(" ") ?? [] };
  }
  if (row.is_admin) return { role: "admin", hospitalId, doctorScope: "care_team" };
  if (hospitalId === null) return { role: "patient", hospitalId: null, doctorScope: "care_team" };
  if (!role || !doctorScope) return null;
  return { role, hospitalId, doctorScope };
}

export function standingStatement(db: Db, actor: Principal, now: number) {
  if (actor.kind === "app") return appStandingStatement(db, actor, now);
  const { from, where } = liveSession(actor, now);
  return db.all<StandingRow>(sql`SELECT ${STANDING} FROM ${from} WHERE ${where}`);
}

/**
 * Fails its batch (`isOtherwise`) unless session or credential are worth this now and allow the action: the absolute
 * value of the smallest integer overflows. For writes that go with their check in one round trip.
 */
export function holdsStatement(db: Db, actor: Principal, standing: Standing, action: Action, now: number) {
  const holds = actor.kind === "app" ? appHolds(actor, action, now) : userHolds(actor, standing, now);
  return db.all(sql`SELECT abs(-9223372036854775807 - 1 + EXISTS (${holds})) > 0 AS holds`);
}

function userHolds(actor: UserActor, { role, hospitalId, doctorScope }: Standing, now: number): SQL {
  const { from, where } = liveSession(actor, now);
  const worth: SQL =
    role === "admin"
      ? sql`u.is_admin = 1`
      : role === "patient"
        ? sql`u.is_admin = 0 AND s.hospital_id IS NULL`
        : sql`u.is_admin = 0 AND m.role = ${role} AND h.doctor_scope = ${doctorScope}`;
  return sql`SELECT 1 FROM ${from} WHERE ${where} AND s.hospital_id IS ${hospitalId} AND ${worth}`;
}

/** What the caller's token says. Of an app it says no scopes; the database has the last word on both. */
export function claimedBy(actor: Principal): Standing {
  if (actor.kind === "user") return actor.claimed;
  return { role: "app", hospitalId: actor.hospitalId, doctorScope: "care_team", scopes: [] } satisfies AppStanding;
}

/** Whether what was built for one standing serves the other. */
export function same(a: Standing, b: Standing): boolean {
  return a.role === b.role && a.hospitalId === b.hospitalId && a.doctorScope === b.doctorScope;
}
