// Sessions: the row in D1 is authoritative; refresh tokens are derived from it and rotate with one statement.

import { and, count, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, Role, UserActor, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { forgetSession } from "../../access/known-sessions.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { nameClient } from "../../platform/client-names.ts";
import type { Keys } from "../../platform/config.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { sessions } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID_PATTERN, uuidv7 } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import type { AccessTokenSubject } from "./access-tokens.ts";
import { readSessionClient, type SessionClient, sealSessionClient } from "./session-client.ts";

export const REFRESH_TTL_MS = 30 * DAY_MS;
export const REFRESH_IDLE_TTL_MS = 7 * DAY_MS;
/** Within this time of a rotation, the previous token gets the same successor (two tabs); later, one that replaces it. */
export const ROTATION_GRACE_MS = 10_000;
export const MAX_SESSIONS = 10;
/** Ended sessions that are kept per account; a login deletes the oldest beyond. */
export const MAX_ENDED_SESSIONS = 100;

/** `ecr_<user>_<session>_<generation>_<HMAC(REFRESH_KEY, all three)>`; only the generation is stored. */
export function refreshToken(keys: Keys, userId: string, sessionId: string, generation: number): Promise<string> {
  const macParts = ["refresh", userId, sessionId, String(generation)];
  return signToken(keys.refresh, `ecr_${userId}_${sessionId}_${generation}`, "_", macParts);
}

const REFRESH_PAYLOAD_PATTERN = /^ecr_([^_]{36})_([^_]{36})_([1-9][0-9]{0,8})$/;
const splitRefreshPayload = (payload: string) => REFRESH_PAYLOAD_PATTERN.exec(payload)?.slice(1) ?? [];

type RefreshToken = { userId: string; sessionId: string; generation: number };

/** Reads a token with a valid tag, without a lookup. @throws ApiError invalid_refresh_token */
export async function readRefreshToken(keys: Keys, token: string): Promise<RefreshToken> {
  const payload = await verifyToken(keys.refresh, token, "_", (payload) => ["refresh", ...splitRefreshPayload(payload)]);
  const [userId = "", sessionId = "", generationText = ""] = splitRefreshPayload(payload ?? "");
  if (!UUID_PATTERN.test(sessionId)) throw new ApiError("invalid_refresh_token");
  return { userId, sessionId, generation: Number(generationText) };
}

export type NewSession = { id: string; statements: Statement[] };

/**
 * Statements for a new session, which end the oldest beyond ten and delete ended ones beyond a hundred; for the batch of the login.
 * @param when the whole batch fails on sessions.user_id unless this holds  @param amr methods of the sign-in (RFC 8176)
 */
export async function prepareSession(
  call: Call,
  userId: string,
  effectiveRole: UserEffectiveRole,
  client: SessionClient,
  when: SQL = sql`1`,
  amr = "pwd",
): Promise<NewSession> {
  const { db, keys, now } = call;
  const id = uuidv7();
  const clientSealed = await sealSessionClient(keys, id, client);
  const isActive = sql`user_id = ${userId} AND revoked_at IS NULL AND expires_at > ${now}`;
  const isEnded = sql`user_id = ${userId} AND NOT (revoked_at IS NULL AND expires_at > ${now})`;
  return {
    id,
    statements: [
      db.insert(sessions).values({
        id,
        userId: sql`(SELECT ${userId} WHERE ${when})`,
        hospitalId: effectiveRole.hospitalId,
        rotatedAt: now,
        createdAt: now,
        idleExpiresAt: now + REFRESH_IDLE_TTL_MS,
        expiresAt: now + REFRESH_TTL_MS,
        clientSealed,
        amr,
      }),
      db
        .update(sessions)
        .set({ revokedAt: now, revokedReason: "too_many" })
        .where(
          sql`${isActive} AND id NOT IN (SELECT id FROM sessions WHERE ${isActive} ORDER BY created_at DESC, id DESC LIMIT ${MAX_SESSIONS})`,
        ),
      ...recordAuditEvent(db, call.actor, now, {
        event: "session.end",
        action: "D",
        reason: "too_many",
        hospitalId: effectiveRole.hospitalId,
        entity: { type: "user", id: userId },
        when: sql`changes() > 0`,
      }),
      // Every login adds a row, and every later login reads the rows of the account.
      db.run(sql`DELETE FROM sessions WHERE ${isEnded} AND id NOT IN
        (SELECT id FROM sessions WHERE ${isEnded} ORDER BY created_at DESC, id DESC LIMIT ${MAX_ENDED_SESSIONS})`),
    ],
  };
}

type RotatedSession = {
  hospital_id: string | null;
  generation: number;
  revoked_reason: string | null;
  is_admin: number;
  role: Role | null;
  doctor_scope: UserEffectiveRole["doctorScope"] | null;
};

/** The user is active and, if the session acts for a hospital, still an active member there. */
const USER_STILL_ACTIVE = sql`EXISTS (SELECT 1 FROM users u WHERE u.id = sessions.user_id AND u.active = 1 AND (u.is_admin = 1
  OR sessions.hospital_id IS NULL OR EXISTS (SELECT 1 FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
    WHERE m.user_id = u.id AND m.hospital_id = sessions.hospital_id AND ${ACTIVE_MEMBERSHIP})))`;

/**
 * Rotates a refresh token with one compare-and-set. The current one gets a successor. The previous one, whose response may have been
 * lost, is accepted while no successor was used: within ten seconds it gets the same successor, later one that replaces it. Anything
 * else, also a replaced successor, is a reuse and ends the session: two holders of a stolen token cannot both go on.
 * @throws ApiError invalid_refresh_token
 */
export async function rotateRefreshToken(
  call: Call,
  { userId, sessionId, generation }: RefreshToken,
): Promise<AccessTokenSubject & { refreshToken: string }> {
  const { db, keys, now } = call;
  const isCurrent = sql`generation = ${generation}`;
  const isPrevious = sql`generation - lost_successors = ${generation + 1}`;
  const isAccepted = sql`(${isCurrent} OR ${isPrevious})`;
  const isRotated = sql`(${isCurrent} OR (${isPrevious} AND rotated_at <= ${now - ROTATION_GRACE_MS}))`;
  // A current token of an inactive member changes nothing; a reused token always ends the session.
  const mayChange = sql`(${USER_STILL_ACTIVE} OR NOT ${isAccepted})`;
  // Only the use of a current token prolongs the session, so a previous one is accepted for seven days at most.
  const update = db.all<RotatedSession>(sql`UPDATE sessions SET
      revoked_at = CASE WHEN ${isAccepted} THEN NULL ELSE CAST(${now} AS INTEGER) END,
      revoked_reason = CASE WHEN ${isAccepted} THEN NULL ELSE 'token_reuse' END,
      rotated_at = CASE WHEN ${isRotated} THEN CAST(${now} AS INTEGER) ELSE rotated_at END,
      idle_expires_at = CASE WHEN ${isCurrent} THEN CAST(${now + REFRESH_IDLE_TTL_MS} AS INTEGER) ELSE idle_expires_at END,
      lost_successors = CASE WHEN ${isCurrent} THEN 0 WHEN ${isRotated} THEN lost_successors + 1 ELSE lost_successors END,
      generation = CASE WHEN ${isRotated} THEN generation + 1 ELSE generation END
    WHERE id = ${sessionId} AND user_id = ${userId} AND revoked_at IS NULL AND expires_at > ${now}
      AND idle_expires_at > ${now} AND ${mayChange}
    RETURNING hospital_id, generation, revoked_reason,
      (SELECT is_admin FROM users u WHERE u.id = user_id) AS is_admin,
      (SELECT role FROM memberships m WHERE m.user_id = sessions.user_id AND m.hospital_id = sessions.hospital_id) AS role,
      (SELECT doctor_scope FROM hospitals h WHERE h.id = hospital_id) AS doctor_scope`);
  const selectSession = sql`SELECT 1 FROM sessions WHERE id = ${sessionId}`;
  const placeholderRole: UserEffectiveRole = { role: "patient", hospitalId: null, doctorScope: "care_team" };
  const actor: UserActor = { kind: "user", userId, sessionId, claimedRole: placeholderRole, via: call.actor.via };
  const entity = { type: "session", id: sessionId };
  const [[row]] = await batch(db, [
    update,
    ...recordAuditEvent(db, actor, now, {
      event: "session.refresh",
      action: "E",
      entity,
      when: sql`changes() > 0 AND EXISTS (${selectSession} AND revoked_at IS NULL)`,
    }),
    ...recordAuditEvent(db, actor, now, {
      event: "session.token_reuse",
      action: "E",
      outcome: "denied",
      reason: "token_reuse",
      entity,
      when: sql`EXISTS (${selectSession} AND revoked_reason = 'token_reuse' AND revoked_at = ${now})`,
    }),
  ]);
  if (!row) {
    const reason = "session_ended";
    await batch(
      db,
      recordAuditEvent(db, actor, now, { event: "session.refresh", action: "E", outcome: "denied", reason, entity }),
    );
  }
  if (!row || row.revoked_reason) throw new ApiError("invalid_refresh_token");
  const refresh = await refreshToken(keys, userId, sessionId, row.generation);
  return { userId, sessionId, claimedRole: toSessionRole(row, row.hospital_id), refreshToken: refresh };
}

/**
 * Switches the hospital that the caller's session acts for; null for none. Tokens issued before act there too, because the row
 * decides. The refresh token stays valid.
 * @throws ApiError not_found for a hospital where the caller is not an active member
 */
export async function switchHospital(anyCall: Call, hospitalId: string | null): Promise<AccessTokenSubject> {
  const { call, effectiveRole } = await requireRole(anyCall, "self:write");
  const { db, actor, now } = call;
  const { userId, sessionId, viaCookie = false } = actor;
  const fromMembership = sql`FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP}`;
  const isMemberThere = hospitalId === null ? sql`1` : sql`EXISTS (SELECT 1 ${fromMembership})`;
  const [[row]] = await batch(db, [
    db.all<Pick<RotatedSession, "is_admin" | "role" | "doctor_scope">>(sql`UPDATE sessions SET hospital_id = ${hospitalId}
      WHERE id = ${sessionId} AND user_id = ${userId} AND revoked_at IS NULL AND ${isMemberThere}
      RETURNING (SELECT is_admin FROM users u WHERE u.id = user_id) AS is_admin, (SELECT m.role ${fromMembership}) AS role,
        (SELECT h.doctor_scope ${fromMembership}) AS doctor_scope`),
    ...recordAuditEvent(db, actor, now, {
      event: "session.switch",
      action: "U",
      role: effectiveRole.role,
      hospitalId,
      actorHospitalId: effectiveRole.hospitalId,
      entity: { type: "session", id: sessionId },
      when: sql`changes() > 0`,
    }),
  ]);
  if (row) return { userId, sessionId, claimedRole: toSessionRole(row, hospitalId), viaCookie };
  const target = { hospital: hospitalId ?? "" };
  return denyAccess(call, "self:write", "not_found", { role: effectiveRole.role, hospitalId: effectiveRole.hospitalId, target });
}

const toSessionRole = (
  row: Pick<RotatedSession, "is_admin" | "role" | "doctor_scope">,
  hospitalId: string | null,
): UserEffectiveRole => ({
  role: row.is_admin ? "admin" : (row.role ?? "patient"),
  hospitalId,
  doctorScope: row.doctor_scope ?? "care_team",
});

/** Ends one of the caller's own sessions. @throws ApiError not_found when it is not theirs or has ended */
export async function endSession(anyCall: Call, sessionId: string, reason: "logout" | "revoked"): Promise<void> {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, { db, actor, now }) => [
    db
      .select({ id: sessions.id })
      .from(sessions)
      .where(
        and(
          eq(sessions.id, sessionId),
          eq(sessions.userId, actor.userId),
          isNull(sessions.revokedAt),
          gt(sessions.expiresAt, now),
        ),
      ),
  ]);
  if (results[0].length === 0) {
    const { role, hospitalId } = effectiveRole;
    await denyAccess(call, "self:write", "not_found", { role, hospitalId, target: { session: sessionId } });
  }
  const { db, actor, now } = call;
  await batch(db, [
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: reason })
      .where(and(eq(sessions.id, sessionId), isNull(sessions.revokedAt))),
    ...recordAuditEvent(db, actor, now, {
      event: reason === "logout" ? "session.logout" : "session.revoke",
      action: "D",
      role: effectiveRole.role,
      hospitalId: effectiveRole.hospitalId,
      entity: { type: "session", id: sessionId },
      when: sql`changes() > 0`,
    }),
  ]);
  forgetSession(sessionId);
}

/** The caller's active sessions, newest first (at most ten). */
export async function listSessions(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "sessions", query);
  const { where, orderBy } = keysetClauses(start, sessions.createdAt, sessions.id);
  const { call, results } = await withUser(anyCall, "self:read", (_, { db, actor, now }) => {
    const isActive = and(eq(sessions.userId, actor.userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, now));
    return [
      db
        .select()
        .from(sessions)
        .where(and(isActive, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.select({ n: count() }).from(sessions).where(isActive),
    ];
  });
  const [rows, [counted]] = results;
  const key = (row: { createdAt: number; id: string }) => ({ value: row.createdAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  return { items: await Promise.all(pageRows.map((row) => toSession(call, row))), pagination };
}

async function toSession(call: UserCall, row: typeof sessions.$inferSelect) {
  const client = await readSessionClient(call.keys, row);
  return {
    session_id: row.id,
    current: row.id === call.actor.sessionId,
    created_at: toIso(row.createdAt),
    last_used_at: toIso(row.rotatedAt),
    expires_at: toIso(row.expiresAt),
    authenticated_at: toIso(row.authenticatedAt ?? row.createdAt),
    amr: row.amr.split(" "),
    ...client,
    ...nameClient(client.user_agent),
  };
}
