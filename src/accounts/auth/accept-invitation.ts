// Accepting an invitation with a new account, or with an existing account that is logged in.
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, DoctorScope, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { requiredFieldError } from "../../access/deny.ts";
import { activeSession } from "../../access/effective-role.ts";
import { unsealInvitee } from "../../access/invitees.ts";
import { hashOneTimeToken } from "../../access/one-time-tokens.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../../platform/db/row-limits.ts";
import { invitations, memberships, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { verificationStatements } from "../email/email-links.ts";
import { hashCaller, withHashSlot } from "../passwords/hash-queue.ts";
import { assertPasswordPolicy, hashPassword } from "../passwords/passwords.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { prepareSession, refreshToken } from "../sessions/sessions.ts";
import { isInvitationOpen } from "../users/invitations.ts";
import { createUserRow, memberAuthorUnlessFull, type StaffRole } from "../users/users.ts";
import type { SessionTokens } from "./login.ts";
import { computeEmailIndex } from "./login-names.ts";

type OpenInvitation = {
  id: string;
  hospital_id: string;
  role: StaffRole;
  email_index: string;
  invitee_sealed: string;
  created_by: string;
  doctor_scope: DoctorScope;
};
export type AcceptInvitationInput = {
  token: string;
  password: string;
  full_name?: string | undefined;
  username?: string | undefined;
  /** When the caller sends an e-mail, it must match the invited one. */
  email?: string | undefined;
};

/** Shown only to holders of a valid link to the address. */
const EXISTING_ACCOUNT_DETAIL = "An account with this address exists: log in and use /auth/invitations/join.";

const selectOpenInvitation = ({ db, now }: Call, hash: string) =>
  db.all<OpenInvitation>(sql`SELECT i.id AS id, i.hospital_id AS hospital_id, i.role AS role, i.email_index AS email_index,
      i.invitee_sealed AS invitee_sealed, i.created_by AS created_by, x.doctor_scope AS doctor_scope
    FROM invitations i JOIN hospitals x ON x.id = i.hospital_id WHERE i.token_hash = ${hash} AND ${isInvitationOpen(now)}`);

type DenialReason = "link_invalid" | "registration_refused" | "already_exists" | "password_given";

/** The same response for an unknown and for an expired token, after an audit event. */
async function denyInvitation(call: Call, reason: DenialReason, invitation?: OpenInvitation): Promise<never> {
  await batch(
    call.db,
    recordAuditEvent(call.db, call.actor, call.now, {
      event: "invitation.accept",
      action: "C",
      outcome: "denied",
      reason,
      hospitalId: invitation?.hospital_id ?? null,
      ...(invitation && { entity: { type: "invitation", id: invitation.id } }),
    }),
  );
  throw new ApiError(reason, reason === "already_exists" ? EXISTING_ACCOUNT_DETAIL : undefined);
}

/**
 * Creates the invited account and logs it in. Computes a hash even for an invalid token, for equal response times.
 * @throws ApiError link_invalid, already_exists (the e-mail), registration_refused (the user name), invalid_request, limit_reached
 */
export async function acceptInvitation(call: Call, input: AcceptInvitationInput, client: SessionClient): Promise<SessionTokens> {
  const { db, keys, now } = call;
  assertPasswordPolicy(input.password, []);
  const hash = await hashOneTimeToken(keys, "invitation", input.token);
  const [invitation] = await selectOpenInvitation(call, hash);
  const isIntended =
    invitation && (input.email === undefined || (await computeEmailIndex(keys, input.email)) === invitation.email_index);
  if (!isIntended) {
    await withHashSlot(hashCaller(call.actor), (slot) => slot.run(() => hashPassword(input.password)));
    return denyInvitation(call, "link_invalid", invitation);
  }
  const invitee = await unsealInvitee(call.keys, { id: invitation.id, inviteeSealed: invitation.invitee_sealed });
  const full_name = input.full_name ?? invitee.full_name;
  if (full_name === null) throw requiredFieldError("full_name");
  const { password, username } = input;
  const row = await createUserRow(call, { email: invitee.email, username, full_name, password });
  const claimedRole: UserEffectiveRole = {
    role: invitation.role,
    hospitalId: invitation.hospital_id,
    doctorScope: invitation.doctor_scope,
  };
  const session = await prepareSession(call, row.id, claimedRole, client);
  const actor: UserActor = { kind: "user", userId: row.id, sessionId: session.id, claimedRole, via: call.actor.via };
  const { hospital_id: hospitalId, role } = invitation;
  // The first statement fails the batch on a NOT NULL column if the invitation was used, revoked or has expired.
  const userIdIfStillOpen = sql<string>`(SELECT ${row.id} FROM invitations i WHERE i.id = ${invitation.id} AND ${isInvitationOpen(now)})`;
  try {
    await batch(db, [
      db.insert(users).values({ ...row, id: userIdIfStillOpen }),
      incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
      db.insert(memberships).values({
        userId: row.id,
        hospitalId,
        role,
        createdBy: memberAuthorUnlessFull(invitation.created_by, hospitalId, row.id),
        createdAt: now,
      }),
      db.update(invitations).set({ acceptedAt: now, acceptedBy: row.id }).where(eq(invitations.id, invitation.id)),
      revokeOtherInvitations(call, invitation),
      ...session.statements,
      // The inviter was shown the same link, so that it proves nothing about the address.
      ...(await verificationStatements(call, row.id, invitee.email)),
      ...recordAuditEvent(db, actor, now, {
        event: "invitation.accept",
        action: "C",
        role,
        hospitalId,
        entity: { type: "invitation", id: invitation.id },
        detail: { role },
      }),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "users.id")) return denyInvitation(call, "link_invalid", invitation);
    if (isUniqueViolation(error, "users.email_index")) return denyInvitation(call, "already_exists", invitation);
    if (isUniqueViolation(error, "users")) return denyInvitation(call, "registration_refused", invitation);
    throw toLimitError(error, ROW_LIMITS.members);
  }
  return { userId: row.id, sessionId: session.id, claimedRole, refreshToken: await refreshToken(keys, row.id, session.id, 1) };
}

/** A second link to the same hospital must not restore a member who was removed since. */
function revokeOtherInvitations({ db, now }: Call, { id, email_index, hospital_id }: OpenInvitation) {
  return db.run(sql`UPDATE invitations SET revoked_at = CAST(${now} AS INTEGER) WHERE hospital_id = ${hospital_id}
    AND email_index = ${email_index} AND accepted_at IS NULL AND revoked_at IS NULL
    AND EXISTS (SELECT 1 FROM invitations x WHERE x.id = ${id} AND x.accepted_at IS NOT NULL)`);
}

/**
 * Adds the caller to the hospital that invited their e-mail. Ends their other sessions, because whoever holds one would gain
 * access to the hospital.
 * @throws ApiError link_invalid (also for another address, and for current members), password_given, limit_reached
 */
export async function joinHospital(anyCall: Call, token: string) {
  const hash = await hashOneTimeToken(anyCall.keys, "invitation", token);
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, call) => [
    selectOpenInvitation(call, hash),
    call.db
      .select({ emailIndex: users.emailIndex, passwordGiven: users.passwordGiven })
      .from(users)
      .where(eq(users.id, call.actor.userId)),
  ]);
  const [[invitation], [self]] = results;
  if (!invitation || invitation.email_index !== self?.emailIndex) return denyInvitation(call, "link_invalid", invitation);
  if (self.passwordGiven) return denyInvitation(call, "password_given", invitation);
  const { db, actor, now } = call;
  const { id, hospital_id, role } = invitation;
  const { from, where } = activeSession(actor, now);
  const hasOwnPassword = sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND u.password_given = 0)`;
  // Members removed after the invitation stay removed, and suspended members stay suspended.
  const isNotMember = sql`NOT EXISTS (SELECT 1 FROM memberships e WHERE e.user_id = ${actor.userId}
    AND e.hospital_id = i.hospital_id AND (e.ended_at IS NULL OR e.ended_at >= i.created_at))`;
  const author = memberAuthorUnlessFull(invitation.created_by, hospital_id, actor.userId);
  const [accepted] = await batch(db, [
    db.all<{ id: string }>(sql`UPDATE invitations AS i SET accepted_at = CAST(${now} AS INTEGER), accepted_by = ${actor.userId}
      WHERE i.id = ${id} AND ${isInvitationOpen(now)} AND ${isNotMember} AND ${hasOwnPassword} RETURNING id`),
    db.run(sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
      SELECT ${actor.userId}, ${hospital_id}, ${role}, ${author}, CAST(${now} AS INTEGER) WHERE changes() > 0
      ON CONFLICT (user_id, hospital_id) DO UPDATE SET role = excluded.role, created_by = excluded.created_by,
        created_at = excluded.created_at, ended_at = NULL, suspended_at = NULL`),
    ...recordAuditEvent(db, actor, now, {
      event: "invitation.accept",
      action: "C",
      role: effectiveRole.role,
      hospitalId: hospital_id,
      actorHospitalId: effectiveRole.hospitalId,
      entity: { type: "invitation", id },
      detail: { role },
      when: sql`changes() > 0`,
    }),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "hospital_joined" })
      .where(
        and(eq(sessions.userId, actor.userId), ne(sessions.id, actor.sessionId), isNull(sessions.revokedAt), sql`changes() > 0`),
      ),
    revokeOtherInvitations(call, invitation),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.members);
  });
  if (accepted.length === 0) return denyInvitation(call, "link_invalid", invitation);
  return { hospital_id, role };
}
