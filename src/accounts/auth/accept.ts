// How an invitation is taken: by a new account, or by one that exists and is logged in.
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, DoctorScope, UserActor, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { missing } from "../../access/refusals.ts";
import { liveSession } from "../../access/standing.ts";
import { count, scopes } from "../../platform/counters.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { invitations, memberships, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { hashPassword, requireGoodPassword } from "../passwords/passwords.ts";
import { type Client, newSession, refreshToken } from "../sessions/sessions.ts";
import { openInvitee, stillOpen } from "../users/invitations.ts";
import { prepareUser, type StaffRole } from "../users/users.ts";
import type { Login } from "./login.ts";
import { emailIndex } from "./names.ts";
import { tokenHash } from "./one-time.ts";

type Open = {
  id: string;
  hospital_id: string;
  role: StaffRole;
  email_index: string;
  invitee_sealed: string;
  created_by: string;
  doctor_scope: DoctorScope;
};
export type Acceptance = {
  token: string;
  password: string;
  full_name?: string | undefined;
  username?: string | undefined;
  /** Where the caller has named one, it has to be the invited one. */
  email?: string | undefined;
};

/** Only who holds a good link to the address is told. */
const KNOWN = "An account with this address exists: log in and use /auth/invitations/join.";

const openRow = ({ db, now }: Call, hash: string) =>
  db.all<Open>(sql`SELECT i.id AS id, i.hospital_id AS hospital_id, i.role AS role, i.email_index AS email_index,
      i.invitee_sealed AS invitee_sealed, i.created_by AS created_by, x.doctor_scope AS doctor_scope
    FROM invitations i JOIN hospitals x ON x.id = i.hospital_id WHERE i.token_hash = ${hash} AND ${stillOpen(now)}`);

type Refusal = "link_invalid" | "registration_refused" | "already_exists" | "password_given";

/** One answer for a token that never was and one that is no more, after one trace. */
async function refuseLink(call: Call, reason: Refusal, open?: Open): Promise<never> {
  await batch(
    call.db,
    audit(call.db, call.actor, call.now, {
      event: "invitation.accept",
      action: "C",
      outcome: "denied",
      reason,
      hospitalId: open?.hospital_id ?? null,
      ...(open && { entity: { type: "invitation", id: open.id } }),
    }),
  );
  throw new ApiError(reason, reason === "already_exists" ? KNOWN : undefined);
}

/**
 * Makes the account that was invited, and logs it in. A hash is computed whatever the token is worth.
 * @throws ApiError link_invalid, already_exists (the address), registration_refused (the user name), invalid_request
 */
export async function acceptInvitation(call: Call, input: Acceptance, client: Client): Promise<Login> {
  const { db, keys, now } = call;
  requireGoodPassword(input.password, []);
  const hash = await tokenHash(keys, "invitation", input.token);
  const [found] = await openRow(call, hash);
  const meant = found && (input.email === undefined || (await emailIndex(keys, input.email)) === found.email_index);
  if (!meant) {
    await hashPassword(input.password);
    return refuseLink(call, "link_invalid", found);
  }
  const invitee = await openInvitee(call, { id: found.id, inviteeSealed: found.invitee_sealed });
  const full_name = input.full_name ?? invitee.full_name;
  if (full_name === null) throw missing("full_name");
  const { password, username } = input;
  const row = await prepareUser(call, { email: invitee.email, username, full_name, password });
  const claimed: UserStanding = { role: found.role, hospitalId: found.hospital_id, doctorScope: found.doctor_scope };
  const session = await newSession(call, row.id, claimed, client);
  const actor: UserActor = { kind: "user", userId: row.id, sessionId: session.id, claimed, via: call.actor.via };
  const { hospital_id: hospitalId, role } = found;
  // The first statement fails the batch on a NOT NULL column once the invitation is taken, revoked or past.
  const onlyOnce = sql<string>`(SELECT ${row.id} FROM invitations i WHERE i.id = ${found.id} AND ${stillOpen(now)})`;
  try {
    await batch(db, [
      db.insert(users).values({ ...row, id: onlyOnce }),
      count(db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
      db.insert(memberships).values({ userId: row.id, hospitalId, role, createdBy: found.created_by, createdAt: now }),
      db.update(invitations).set({ acceptedAt: now, acceptedBy: row.id }).where(eq(invitations.id, found.id)),
      revokeOthers(call, found),
      ...session.statements,
      ...audit(db, actor, now, {
        event: "invitation.accept",
        action: "C",
        role,
        hospitalId,
        entity: { type: "invitation", id: found.id },
        detail: { role },
      }),
    ]);
  } catch (error) {
    if (isUnmet(error, "users.id")) return refuseLink(call, "link_invalid", found);
    if (isConflict(error, "users.email_index")) return refuseLink(call, "already_exists", found);
    if (isConflict(error, "users")) return refuseLink(call, "registration_refused", found);
    throw error;
  }
  return { userId: row.id, sessionId: session.id, claimed, refreshToken: await refreshToken(keys, row.id, session.id, 1) };
}

/** A second link to the same place must not bring somebody back who has been sent away since. */
function revokeOthers({ db, now }: Call, { id, email_index, hospital_id }: Open) {
  return db.run(sql`UPDATE invitations SET revoked_at = CAST(${now} AS INTEGER) WHERE hospital_id = ${hospital_id}
    AND email_index = ${email_index} AND accepted_at IS NULL AND revoked_at IS NULL
    AND EXISTS (SELECT 1 FROM invitations x WHERE x.id = ${id} AND x.accepted_at IS NOT NULL)`);
}

/**
 * Brings the caller into the hospital that has invited their address. Their other sessions end: whoever holds one would
 * come along.
 * @throws ApiError link_invalid (also for another address, and for who works there already), password_given
 */
export async function joinHospital(anyCall: Call, token: string) {
  const hash = await tokenHash(anyCall.keys, "invitation", token);
  const { call, standing, results } = await asCaller(anyCall, "self:write", (_, call) => [
    openRow(call, hash),
    call.db
      .select({ emailIndex: users.emailIndex, passwordGiven: users.passwordGiven })
      .from(users)
      .where(eq(users.id, call.actor.userId)),
  ]);
  const [[found], [self]] = results;
  if (!found || found.email_index !== self?.emailIndex) return refuseLink(call, "link_invalid", found);
  if (self.passwordGiven) return refuseLink(call, "password_given", found);
  const { db, actor, now } = call;
  const { id, hospital_id, role } = found;
  const { from, where } = liveSession(actor, now);
  const alone = sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND u.password_given = 0)`;
  // Who was sent away after the invitation was written stays away, and who is suspended stays suspended.
  const free = sql`NOT EXISTS (SELECT 1 FROM memberships e WHERE e.user_id = ${actor.userId}
    AND e.hospital_id = i.hospital_id AND (e.ended_at IS NULL OR e.ended_at >= i.created_at))`;
  const [taken] = await batch(db, [
    db.all<{ id: string }>(sql`UPDATE invitations AS i SET accepted_at = CAST(${now} AS INTEGER), accepted_by = ${actor.userId}
      WHERE i.id = ${id} AND ${stillOpen(now)} AND ${free} AND ${alone} RETURNING id`),
    db.run(sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
      SELECT ${actor.userId}, ${hospital_id}, ${role}, ${found.created_by}, CAST(${now} AS INTEGER) WHERE changes() > 0
      ON CONFLICT (user_id, hospital_id) DO UPDATE SET role = excluded.role, created_by = excluded.created_by,
        created_at = excluded.created_at, ended_at = NULL, suspended_at = NULL`),
    ...audit(db, actor, now, {
      event: "invitation.accept",
      action: "C",
      role: standing.role,
      hospitalId: hospital_id,
      actorHospitalId: standing.hospitalId,
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
    revokeOthers(call, found),
  ]);
  if (taken.length === 0) return refuseLink(call, "link_invalid", found);
  return { hospital_id, role };
}
