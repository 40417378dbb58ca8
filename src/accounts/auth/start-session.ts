// The end of every sign-in: the account as a sign-in reads it, and the batch that starts its session.
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Call, DoctorScope, Role, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { notify } from "../../notifications/notify.ts";
import { batch, type Db, type Statement } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { AMR, type FactorProof, type FactorsRow, factorColumns, type Method } from "../factors/factors.ts";
import type { AccessTokenSubject } from "../sessions/access-tokens.ts";
import { type SignInClient, selectRecentSessions, type Transport } from "../sessions/new-browser.ts";
import { prepareSession, refreshToken } from "../sessions/sessions.ts";

export type LoginAccount = FactorsRow & {
  id: string;
  email_index: string;
  password_hash: string;
  password_changed_at: number;
  active: number;
  is_admin: number;
  role: Role | null;
  hospital_id: string | null;
  doctor_scope: DoctorScope | null;
  has_membership: number;
  has_record: number;
  /** For `SignInClient.isNew`. */
  recent_sessions: string;
};

export type SessionTokens = AccessTokenSubject & { refreshToken: string };

/** @param match condition on `users u` */
export const selectAccount = (db: Db, match: SQL, transport: Transport) =>
  db.all<LoginAccount>(sql`SELECT u.id AS id, u.email_index AS email_index, u.password_hash AS password_hash, u.active AS active,
      u.password_changed_at AS password_changed_at, u.is_admin AS is_admin, m.role AS role, m.hospital_id AS hospital_id,
      h.doctor_scope AS doctor_scope, ${factorColumns(sql`u.id`)},
      EXISTS (SELECT 1 FROM memberships x WHERE x.user_id = u.id AND x.ended_at IS NULL) AS has_membership,
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id) AS has_record,
      ${selectRecentSessions(transport)} AS recent_sessions
    FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND ${ACTIVE_MEMBERSHIP}
        AND EXISTS (SELECT 1 FROM hospitals x WHERE x.id = m.hospital_id AND x.active = 1)
      LEFT JOIN hospitals h ON h.id = m.hospital_id
    WHERE ${match} ORDER BY m.created_at, m.hospital_id LIMIT 1`);

/** Users whose hospitals are all closed or have suspended them can only act for their own records. */
export const canLogIn = (found: LoginAccount): boolean =>
  found.active === 1 && (found.is_admin === 1 || found.role !== null || found.has_membership === 0 || found.has_record === 1);

export function recordLoginEvent(call: Call, event: string, found: LoginAccount | undefined, reason: string): Statement[] {
  return recordAuditEvent(call.db, call.actor, call.now, {
    event,
    action: "E",
    outcome: "denied",
    reason,
    hospitalId: found?.hospital_id ?? null,
    ...(found && { entity: { type: "user", id: found.id } }),
  });
}

/** Replaces an outdated hash of the right password, if that is still stored. */
export const upgradeHash = (db: Db, found: LoginAccount, hash: string | null): Statement[] =>
  hash === null
    ? []
    : [
        db
          .update(users)
          .set({ passwordHash: hash })
          .where(and(eq(users.id, found.id), eq(users.passwordHash, found.password_hash))),
      ];

/** The membership that the session will act under. */
const isActiveMember = (userId: string, hospitalId: string | null) =>
  hospitalId === null
    ? sql`1`
    : sql`EXISTS (SELECT 1 FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
        WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP})`;

export type SignInMethods = { password: boolean; proof: FactorProof | null };

function toAmr({ password, proof }: SignInMethods): string {
  return [...(password ? [AMR.password] : []), ...(proof ? [AMR[proof.method]] : [])].join(" ");
}

/**
 * Starts the session of a finished sign-in.
 * @param statements for the same batch  @param rehashed the hash was upgraded
 * @throws an error of `isConditionFailed` (sessions.user_id) when account, membership or factor changed since they were read
 */
export async function startSession(
  call: Call,
  found: LoginAccount,
  client: SignInClient,
  methods: SignInMethods,
  statements: readonly Statement[],
  rehashed = false,
): Promise<SessionTokens> {
  const { db, keys, now } = call;
  const claimedRole: UserEffectiveRole = {
    role: found.is_admin ? "admin" : (found.role ?? "patient"),
    hospitalId: found.is_admin ? null : found.hospital_id,
    doctorScope: found.is_admin ? "care_team" : (found.doctor_scope ?? "care_team"),
  };
  const { proof } = methods;
  // The account may have changed its password, been disabled or removed while the hash was computed.
  const isUnchanged = sql`EXISTS (SELECT 1 FROM users WHERE id = ${found.id} AND active = 1
    AND password_changed_at = ${found.password_changed_at}) AND ${isActiveMember(found.id, claimedRole.hospitalId)}
    AND ${proof?.when ?? sql`1`}`;
  const session = await prepareSession(call, found.id, claimedRole, client.details, isUnchanged, toAmr(methods));
  const actor: UserActor = { kind: "user", userId: found.id, sessionId: session.id, claimedRole, via: call.actor.via };
  const method: Method | undefined = proof?.method;
  const recipients = sql`SELECT ${found.id}`;
  const notice = { kind: "account.new_browser", hospitalId: null, refs: { session_id: session.id }, recipients } as const;
  await batch(db, [
    ...session.statements,
    ...((await client.isNew(found)) ? notify(db, actor, now, notice) : []),
    ...(proof?.use ?? []),
    ...statements,
    ...recordAuditEvent(db, actor, now, {
      event: "login.success",
      action: "E",
      role: claimedRole.role,
      hospitalId: claimedRole.hospitalId,
      entity: { type: "session", id: session.id },
      ...((rehashed || method) && { detail: { ...(rehashed && { rehashed }), ...(method && { method }) } }),
    }),
  ]);
  return {
    userId: found.id,
    sessionId: session.id,
    claimedRole,
    refreshToken: await refreshToken(keys, found.id, session.id, 1),
  };
}
