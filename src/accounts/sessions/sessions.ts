// Sessions: a row in D1 is the truth; refresh tokens are derived from it and rotate with one statement.
import { and, desc, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller, requireRole } from "../../access/access.ts";
import type { Call, Role, UserActor, UserCall, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { MEMBER_NOW } from "../../access/standing.ts";
import type { Keys } from "../../platform/config.ts";
import { DAY_MS } from "../../platform/counters.ts";
import { fromBase64Url, mac, open, sameBytes, seal, toBase64Url } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { sessions } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID, uuidv7 } from "../../platform/ids.ts";
import type { AccessToken } from "./tokens.ts";

export const REFRESH_LIFE_MS = 30 * DAY_MS;
export const REFRESH_IDLE_MS = 7 * DAY_MS;
/** Within this time of a rotation, the same old token gets the same successor (a lost reply, two tabs). */
export const ROTATION_GRACE_MS = 10_000;
export const MAX_SESSIONS = 10;

export type Client = { user_agent: string | null; ip: string | null };
const Client = z.object({ user_agent: z.string().nullable(), ip: z.string().nullable() });
const place = (id: string) => ({ table: "sessions", column: "client", id });

/** `ecr_<user>_<session>_<generation>_<HMAC(REFRESH_KEY, all three)>`; only the generation is stored. */
export async function refreshToken(keys: Keys, userId: string, sessionId: string, generation: number): Promise<string> {
  const tag = await mac(keys.refresh, ["refresh", userId, sessionId, String(generation)]);
  return `ecr_${userId}_${sessionId}_${generation}_${toBase64Url(tag)}`;
}

const REFRESH_TOKEN = /^ecr_([^_]{36})_([^_]{36})_([1-9][0-9]{0,8})_(.{43})$/;

/** @throws ApiError invalid_refresh_token */
async function readRefreshToken(keys: Keys, token: string) {
  const [, userId = "", sessionId = "", n = "", tag = ""] = REFRESH_TOKEN.exec(token) ?? [];
  const given = fromBase64Url(tag);
  const expected = await mac(keys.refresh, ["refresh", userId, sessionId, n]);
  if (!UUID.test(sessionId) || !given || !sameBytes(given, expected)) throw new ApiError("invalid_refresh_token");
  return { userId, sessionId, generation: Number(n) };
}

export type NewSession = { id: string; statements: Statement[] };

/**
 * A session and the end of the oldest beyond ten, for the batch that logs in.
 * @param when the whole batch fails on sessions.user_id unless this holds
 */
export async function newSession(
  call: Call,
  userId: string,
  standing: UserStanding,
  client: Client,
  when: SQL = sql`1`,
): Promise<NewSession> {
  const { db, keys, now } = call;
  const id = uuidv7();
  const clientSealed = await seal(keys.fields, place(id), client);
  const live = sql`user_id = ${userId} AND revoked_at IS NULL AND expires_at > ${now}`;
  return {
    id,
    statements: [
      db.insert(sessions).values({
        id,
        userId: sql`(SELECT ${userId} WHERE ${when})`,
        hospitalId: standing.hospitalId,
        rotatedAt: now,
        createdAt: now,
        idleExpiresAt: now + REFRESH_IDLE_MS,
        expiresAt: now + REFRESH_LIFE_MS,
        clientSealed,
      }),
      db
        .update(sessions)
        .set({ revokedAt: now, revokedReason: "too_many" })
        .where(
          sql`${live} AND id NOT IN (SELECT id FROM sessions WHERE ${live} ORDER BY created_at DESC, id DESC LIMIT ${MAX_SESSIONS})`,
        ),
      ...audit(db, call.actor, now, {
        event: "session.end",
        action: "D",
        reason: "too_many",
        hospitalId: standing.hospitalId,
        entity: { type: "user", id: userId },
        when: sql`changes() > 0`,
      }),
    ],
  };
}

type Rotated = {
  hospital_id: string | null;
  generation: number;
  revoked_reason: string | null;
  is_admin: number;
  role: Role | null;
  doctor_scope: UserStanding["doctorScope"] | null;
};

/** The person is active and, if the session acts for a hospital, still works there. */
const STILL_WORKS = sql`EXISTS (SELECT 1 FROM users u WHERE u.id = sessions.user_id AND u.active = 1 AND (u.is_admin = 1
  OR sessions.hospital_id IS NULL OR EXISTS (SELECT 1 FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
    WHERE m.user_id = u.id AND m.hospital_id = sessions.hospital_id AND ${MEMBER_NOW})))`;

/**
 * Rotates a refresh token. Compare-and-set in one statement: the present generation moves on; the one before it, within
 * ten seconds, gets the same successor; anything older is a reuse and ends the session.
 * @throws ApiError invalid_refresh_token
 */
export async function rotate(call: Call, token: string): Promise<AccessToken & { refreshToken: string }> {
  const { db, keys, now } = call;
  const { userId, sessionId, generation } = await readRefreshToken(keys, token);
  const present = sql`generation = ${generation}`;
  const kept = sql`(${present} OR (generation = ${generation + 1} AND rotated_at > ${now - ROTATION_GRACE_MS}))`;
  // A present token of somebody who does not work here just now changes nothing; a reused one always ends the session.
  const counts = sql`(${STILL_WORKS} OR NOT ${kept})`;
  const update = db.all<Rotated>(sql`UPDATE sessions SET
      revoked_at = CASE WHEN ${kept} THEN NULL ELSE CAST(${now} AS INTEGER) END,
      revoked_reason = CASE WHEN ${kept} THEN NULL ELSE 'token_reuse' END,
      rotated_at = CASE WHEN ${present} THEN CAST(${now} AS INTEGER) ELSE rotated_at END,
      idle_expires_at = CASE WHEN ${present} THEN CAST(${now + REFRESH_IDLE_MS} AS INTEGER) ELSE idle_expires_at END,
      generation = CASE WHEN ${present} THEN generation + 1 ELSE generation END
    WHERE id = ${sessionId} AND user_id = ${userId} AND revoked_at IS NULL AND expires_at > ${now}
      AND idle_expires_at > ${now} AND ${counts}
    RETURNING hospital_id, generation, revoked_reason,
      (SELECT is_admin FROM users u WHERE u.id = user_id) AS is_admin,
      (SELECT role FROM memberships m WHERE m.user_id = sessions.user_id AND m.hospital_id = sessions.hospital_id) AS role,
      (SELECT doctor_scope FROM hospitals h WHERE h.id = hospital_id) AS doctor_scope`);
  const session = sql`SELECT 1 FROM sessions WHERE id = ${sessionId}`;
  const nobody: UserStanding = { role: "patient", hospitalId: null, doctorScope: "care_team" };
  const actor: UserActor = { kind: "user", userId, sessionId, claimed: nobody, via: call.actor.via };
  const entity = { type: "session", id: sessionId };
  const [[row]] = await batch(db, [
    update,
    ...audit(db, actor, now, {
      event: "session.refresh",
      action: "E",
      entity,
      when: sql`changes() > 0 AND EXISTS (${session} AND revoked_at IS NULL)`,
    }),
    ...audit(db, actor, now, {
      event: "session.token_reuse",
      action: "E",
      outcome: "denied",
      reason: "token_reuse",
      entity,
      when: sql`EXISTS (${session} AND revoked_reason = 'token_reuse' AND revoked_at = ${now})`,
    }),
  ]);
  if (!row) {
    const reason = "session_ended";
    await batch(db, audit(db, actor, now, { event: "session.refresh", action: "E", outcome: "denied", reason, entity }));
  }
  if (!row || row.revoked_reason) throw new ApiError("invalid_refresh_token");
  const refresh = await refreshToken(keys, userId, sessionId, row.generation);
  return { userId, sessionId, claimed: standingIn(row, row.hospital_id), refreshToken: refresh };
}

/**
 * Lets the caller's session act for another of their hospitals, or for nobody but themselves. The row decides what a
 * session is worth, so tokens issued before act there too; the refresh token stays as it is.
 * @throws ApiError not_found for a hospital where the caller does not work now
 */
export async function actAt(anyCall: Call, hospitalId: string | null): Promise<AccessToken> {
  const { call, standing } = await requireRole(anyCall, "self:write");
  const { db, actor, now } = call;
  const { userId, sessionId } = actor;
  const member = sql`FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${MEMBER_NOW}`;
  const place = hospitalId === null ? sql`1` : sql`EXISTS (SELECT 1 ${member})`;
  const [[row]] = await batch(db, [
    db.all<Pick<Rotated, "is_admin" | "role" | "doctor_scope">>(sql`UPDATE sessions SET hospital_id = ${hospitalId}
      WHERE id = ${sessionId} AND user_id = ${userId} AND revoked_at IS NULL AND ${place}
      RETURNING (SELECT is_admin FROM users u WHERE u.id = user_id) AS is_admin, (SELECT m.role ${member}) AS role,
        (SELECT h.doctor_scope ${member}) AS doctor_scope`),
    ...audit(db, actor, now, {
      event: "session.switch",
      action: "U",
      role: standing.role,
      hospitalId,
      actorHospitalId: standing.hospitalId,
      entity: { type: "session", id: sessionId },
      when: sql`changes() > 0`,
    }),
  ]);
  if (row) return { userId, sessionId, claimed: standingIn(row, hospitalId) };
  const target = { hospital: hospitalId ?? "" };
  return refuse(call, "self:write", "not_found", { role: standing.role, hospitalId: standing.hospitalId, target });
}

const standingIn = (row: Pick<Rotated, "is_admin" | "role" | "doctor_scope">, hospitalId: string | null): UserStanding => ({
  role: row.is_admin ? "admin" : (row.role ?? "patient"),
  hospitalId,
  doctorScope: row.doctor_scope ?? "care_team",
});

/** Ends one of the caller's own sessions. @throws ApiError not_found for one that is not theirs or has ended */
export async function endSession(anyCall: Call, sessionId: string, reason: "logout" | "revoked"): Promise<void> {
  const { call, standing, results } = await asCaller(anyCall, "self:write", (_, { db, actor, now }) => [
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
    const { role, hospitalId } = standing;
    await refuse(call, "self:write", "not_found", { role, hospitalId, target: { session: sessionId } });
  }
  const { db, actor, now } = call;
  await batch(db, [
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: reason })
      .where(and(eq(sessions.id, sessionId), isNull(sessions.revokedAt))),
    ...audit(db, actor, now, {
      event: reason === "logout" ? "session.logout" : "session.revoke",
      action: "D",
      role: standing.role,
      hospitalId: standing.hospitalId,
      entity: { type: "session", id: sessionId },
      when: sql`changes() > 0`,
    }),
  ]);
}

/** The caller's live sessions, newest first (at most ten exist). */
export async function listSessions(anyCall: Call) {
  const { call, results } = await asCaller(anyCall, "self:read", (_, { db, actor, now }) => [
    db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, actor.userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, now)))
      .orderBy(desc(sessions.createdAt), desc(sessions.id))
      .limit(MAX_SESSIONS),
  ]);
  return Promise.all(results[0].map((row) => toSession(call, row)));
}

async function toSession(call: UserCall, row: typeof sessions.$inferSelect) {
  const client = Client.parse(await open(call.keys.fields, place(row.id), row.clientSealed));
  return {
    session_id: row.id,
    current: row.id === call.actor.sessionId,
    created_at: new Date(row.createdAt).toISOString(),
    last_used_at: new Date(row.rotatedAt).toISOString(),
    expires_at: new Date(row.expiresAt).toISOString(),
    ...client,
  };
}
