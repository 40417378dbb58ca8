// Staff invitations: a link that creates an account, or adds an existing account to the hospital.

import { and, eq, isNull, lt, type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit, requiredFieldError } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, activeHospitalId, isInCallerHospital, resolveHospitalId } from "../../access/effective-role.ts";
import { sealInvitee, unsealInvitee } from "../../access/invitees.ts";
import { buildLinkUrl, deriveOneTimeToken, hashOneTimeToken, repeatOneTimeToken } from "../../access/one-time-tokens.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { writeLetter } from "../../notifications/notify.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { invitations, SELF_CARE_HOSPITAL_ID } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { computeEmailIndex } from "../auth/login-names.ts";
import { GRANTABLE_ROLES, type StaffRole } from "./users.ts";

export const INVITATION_TTL_MS = 7 * DAY_MS;
/** Longer than an invitation is valid: deleted ones have ended. */
const RETENTION_MS = 90 * DAY_MS;

/** An open invitation `i`: unused, and its author may still invite. */
export function isInvitationOpen(now: number): SQL {
  return sql`(i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ${now}
    AND EXISTS (SELECT 1 FROM hospitals h WHERE h.id = i.hospital_id AND h.active = 1)
    AND EXISTS (SELECT 1 FROM users b WHERE b.id = i.created_by AND b.active = 1 AND (b.is_admin = 1 OR EXISTS
      (SELECT 1 FROM memberships m WHERE m.user_id = b.id AND m.hospital_id = i.hospital_id
        AND m.role = 'hospital_admin' AND ${ACTIVE_MEMBERSHIP}))))`;
}

export type NewInvitation = {
  email: string;
  full_name?: string | undefined;
  role: StaffRole;
  hospital_id?: string | undefined;
};

/**
 * Invites to a hospital: hospital administrators to their own, administrators to any. Does not reveal whether the e-mail is
 * already registered. The link is returned and also sent to the address.
 * @throws ApiError forbidden, not_found (hospital), invalid_request, limit_reached
 */
export async function inviteStaff(anyCall: Call, input: NewInvitation, origin: string, keyStatements: KeyStatements) {
  const { call, effectiveRole } = await requireRole(anyCall, "user:create");
  const { role, hospitalId: callerHospitalId } = effectiveRole;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  if (!GRANTABLE_ROLES[role].includes(input.role))
    return denyAccess(call, "user:create", "forbidden", { role, hospitalId: callerHospitalId, fields: ["role"] });
  if (!hospitalId) throw requiredFieldError("hospital_id");
  const denyHospital = () =>
    denyAccess(call, "user:create", "not_found", {
      role,
      hospitalId: callerHospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) return denyHospital();
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const token = await deriveOneTimeToken(keys, "invitation", id);
  const invitee = { email: input.email, full_name: input.full_name ?? null };
  try {
    await batch(db, [
      ...keyStatements(id),
      // The audit log keeps who was invited and who accepted.
      db.delete(invitations).where(and(eq(invitations.hospitalId, hospitalId), lt(invitations.createdAt, now - RETENTION_MS))),
      db.insert(invitations).values({
        id,
        tokenHash: await hashOneTimeToken(keys, "invitation", token),
        hospitalId: activeHospitalId(hospitalId),
        role: input.role,
        emailIndex: await computeEmailIndex(keys, input.email),
        inviteeSealed: await sealInvitee(keys, id, invitee),
        createdBy: unlessFull(actor.userId, ROW_LIMITS.recentInvitations, sql`invitations WHERE hospital_id = ${hospitalId}`),
        createdAt: now,
        expiresAt: now + INVITATION_TTL_MS,
      }),
      writeLetter(db, actor, now, { kind: "letter.invitation", targetId: id, userId: null, hospitalId }),
      ...recordAuditEvent(db, actor, now, {
        ...invitationEvent(effectiveRole, "invitation.create", "C", id, hospitalId),
        detail: { role: input.role },
      }),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "invitations.hospital_id")) return denyHospital();
    throw toLimitError(error, ROW_LIMITS.recentInvitations);
  }
  return toInvitationLink(origin, id, token, now + INVITATION_TTL_MS);
}

const invitationEvent = (
  { role }: UserEffectiveRole,
  event: string,
  action: "C" | "R" | "D",
  id: string,
  hospitalId: string,
) => ({
  event,
  action,
  role,
  hospitalId,
  entity: { type: "invitation", id },
});

const toInvitationLink = (origin: string, id: string, token: string, expiresAt: number) => ({
  invitation_id: id,
  url: buildLinkUrl(origin, "invitation", token),
  token,
  expires_at: toIso(expiresAt),
});

/** Replays the link of an idempotent create, for a caller who may still invite. */
export async function replayInvitation(anyCall: Call, id: string, origin: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "user:create", (effectiveRole, { db }) => [
    db
      .select()
      .from(invitations)
      .where(and(eq(invitations.id, id), isInCallerHospital(effectiveRole, invitations.hospitalId))),
  ]);
  const { role, hospitalId } = effectiveRole;
  const [row] = results[0];
  const token = row && (await repeatOneTimeToken(call.keys, "invitation", id, row.tokenHash));
  if (!token) return denyAccess(call, "user:create", "not_found", { role, hospitalId, target: { invitation: id } });
  const { db, actor, now } = call;
  await batch(db, recordAuditEvent(db, actor, now, invitationEvent(effectiveRole, "invitation.replay", "R", id, row.hospitalId)));
  return toInvitationLink(origin, id, token, row.expiresAt);
}

function invitationState(row: typeof invitations.$inferSelect, now: number): "accepted" | "revoked" | "expired" | "open" {
  if (row.acceptedAt !== null) return "accepted";
  if (row.revokedAt !== null) return "revoked";
  return row.expiresAt <= now ? "expired" : "open";
}

/** Lists invitations, newest first, without their tokens. */
export async function listInvitations(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "invitations", query);
  const { where, orderBy } = keysetClauses(start, invitations.createdAt, invitations.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "user:read", (effectiveRole, { db }) => [
    db
      .select()
      .from(invitations)
      .where(and(isInCallerHospital(effectiveRole, invitations.hospitalId), where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM invitations WHERE ${isInCallerHospital(effectiveRole, invitations.hospitalId)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const { role, hospitalId } = effectiveRole;
  const [rows, [counted]] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const detail = { count: pageRows.length };
  const stored = appendAuditEvent(call, { event: "invitation.list", action: "R", role, hospitalId, detail });
  const items = Promise.all(
    pageRows.map(async (row) => ({
      invitation_id: row.id,
      ...(await unsealInvitee(call.keys, row)),
      role: row.role,
      hospital_id: row.hospitalId,
      state: invitationState(row, call.now),
      created_at: toIso(row.createdAt),
      expires_at: toIso(row.expiresAt),
    })),
  );
  return { items: await afterAudit(stored, items), pagination };
}

/** @throws ApiError not_found, conflict (already accepted or revoked) */
export async function revokeInvitation(anyCall: Call, id: string): Promise<void> {
  const { call, effectiveRole, results } = await withUser(anyCall, "user:create", (effectiveRole, { db }) => [
    db
      .select({ hospitalId: invitations.hospitalId })
      .from(invitations)
      .where(and(eq(invitations.id, id), isInCallerHospital(effectiveRole, invitations.hospitalId))),
  ]);
  const { role, hospitalId } = effectiveRole;
  const [row] = results[0];
  if (!row) return denyAccess(call, "user:create", "not_found", { role, hospitalId, target: { invitation: id } });
  const { db, actor, now } = call;
  const event = invitationEvent(effectiveRole, "invitation.revoke", "D", id, row.hospitalId);
  const [revoked] = await batch(db, [
    db
      .update(invitations)
      .set({ revokedAt: now })
      .where(and(eq(invitations.id, id), isNull(invitations.acceptedAt), isNull(invitations.revokedAt)))
      .returning({ id: invitations.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (revoked.length === 0) return failWithAudit(call, "conflict", event);
}
