// Staff by invitation: a link that makes an account, or brings one that exists into the hospital.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller, requireRole } from "../../access/access.ts";
import type { Call, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { fail, missing, refuse } from "../../access/refusals.ts";
import { MEMBER_NOW, openHospital } from "../../access/standing.ts";
import type { Taking } from "../../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { DAY_MS } from "../../platform/counters.ts";
import { open, seal } from "../../platform/crypto.ts";
import { batch, isUnmet } from "../../platform/db/client.ts";
import { invitations, SELF_CARE } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { emailIndex } from "../auth/names.ts";
import { linkTo, oneTimeToken, tokenHash } from "../auth/one-time.ts";
import { MAY_GIVE, type StaffRole } from "./users.ts";

export const INVITATION_LIFE_MS = 7 * DAY_MS;

const Invitee = z.object({ email: z.string(), full_name: z.string().nullable() });
const place = (id: string) => ({ table: "invitations", column: "invitee", id });

export async function openInvitee(call: Call, row: { id: string; inviteeSealed: string }) {
  return Invitee.parse(await open(call.keys.fields, place(row.id), row.inviteeSealed));
}

/** An invitation `i` that still counts: unused, and whoever wrote it still may. */
export function stillOpen(now: number): SQL {
  return sql`(i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ${now}
    AND EXISTS (SELECT 1 FROM hospitals h WHERE h.id = i.hospital_id AND h.active = 1)
    AND EXISTS (SELECT 1 FROM users b WHERE b.id = i.created_by AND b.active = 1 AND (b.is_admin = 1 OR EXISTS
      (SELECT 1 FROM memberships m WHERE m.user_id = b.id AND m.hospital_id = i.hospital_id
        AND m.role = 'hospital_admin' AND ${MEMBER_NOW}))))`;
}

export type NewInvitation = {
  email: string;
  full_name?: string | undefined;
  role: StaffRole;
  hospital_id?: string | undefined;
};

/**
 * Invites to a hospital: a hospital administrator to their own, an administrator to any. Whether the address is known
 * anywhere is neither asked nor told.
 * @throws ApiError forbidden, not_found (hospital), invalid_request
 */
export async function invite(anyCall: Call, input: NewInvitation, origin: string, taking: Taking) {
  const { call, standing } = await requireRole(anyCall, "user:create");
  const { role, hospitalId: own } = standing;
  const hospitalId = role === "admin" ? input.hospital_id : own;
  if (!MAY_GIVE[role].includes(input.role))
    return refuse(call, "user:create", "forbidden", { role, hospitalId: own, fields: ["role"] });
  if (!hospitalId) throw missing("hospital_id");
  const notThere = () =>
    refuse(call, "user:create", "not_found", { role, hospitalId: own, target: { hospital: input.hospital_id ?? hospitalId } });
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE) return notThere();
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const token = await oneTimeToken(keys, "invitation", id);
  const invitee = { email: input.email, full_name: input.full_name ?? null };
  try {
    await batch(db, [
      ...taking(id),
      db.insert(invitations).values({
        id,
        tokenHash: await tokenHash(keys, "invitation", token),
        hospitalId: openHospital(hospitalId),
        role: input.role,
        emailIndex: await emailIndex(keys, input.email),
        inviteeSealed: await seal(keys.fields, place(id), invitee),
        createdBy: actor.userId,
        createdAt: now,
        expiresAt: now + INVITATION_LIFE_MS,
      }),
      ...audit(db, actor, now, { ...eventOf(standing, "invitation.create", "C", id, hospitalId), detail: { role: input.role } }),
    ]);
  } catch (error) {
    if (isUnmet(error, "invitations.hospital_id")) return notThere();
    throw error;
  }
  return toLink(origin, id, token, now + INVITATION_LIFE_MS);
}

const eventOf = ({ role }: UserStanding, event: string, action: "C" | "R" | "D", id: string, hospitalId: string) => ({
  event,
  action,
  role,
  hospitalId,
  entity: { type: "invitation", id },
});

const toLink = (origin: string, id: string, token: string, expiresAt: number) => ({
  invitation_id: id,
  url: linkTo(origin, token),
  token,
  expires_at: new Date(expiresAt).toISOString(),
});

/** Invitations of hospitals that the caller manages. */
const managed = (standing: UserStanding) =>
  standing.role === "admin" ? undefined : eq(invitations.hospitalId, standing.hospitalId ?? "");

/** The link that a repeated request has made before, for a caller who may still make one. */
export async function replayInvitation(anyCall: Call, id: string, origin: string) {
  const { call, standing, results } = await asCaller(anyCall, "user:create", (standing, { db }) => [
    db
      .select()
      .from(invitations)
      .where(and(eq(invitations.id, id), managed(standing))),
  ]);
  const { role, hospitalId } = standing;
  const [row] = results[0];
  if (!row) return refuse(call, "user:create", "not_found", { role, hospitalId, target: { invitation: id } });
  const { db, keys, actor, now } = call;
  await batch(db, audit(db, actor, now, eventOf(standing, "invitation.replay", "R", id, row.hospitalId)));
  return toLink(origin, id, await oneTimeToken(keys, "invitation", id), row.expiresAt);
}

function stateOf(row: typeof invitations.$inferSelect, now: number): "accepted" | "revoked" | "expired" | "open" {
  if (row.acceptedAt !== null) return "accepted";
  if (row.revokedAt !== null) return "revoked";
  return row.expiresAt <= now ? "expired" : "open";
}

/** Newest first, without their tokens. */
export async function listInvitations(anyCall: Call, query: PageQuery) {
  const start = await startOf(anyCall, "invitations", query);
  const { where, orderBy } = keyset(start, invitations.createdAt, invitations.id);
  const { call, standing, results } = await asCaller(anyCall, "user:read", (standing, { db }) => [
    db
      .select()
      .from(invitations)
      .where(and(managed(standing), where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM invitations WHERE ${managed(standing) ?? sql`1`} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const detail = { count: kept.length };
  await batch(db, audit(db, actor, now, { event: "invitation.list", action: "R", role, hospitalId, detail }));
  const items = await Promise.all(
    kept.map(async (row) => ({
      invitation_id: row.id,
      ...(await openInvitee(call, row)),
      role: row.role,
      hospital_id: row.hospitalId,
      state: stateOf(row, now),
      created_at: new Date(row.createdAt).toISOString(),
      expires_at: new Date(row.expiresAt).toISOString(),
    })),
  );
  return { items, pagination };
}

/** @throws ApiError not_found, conflict (accepted already, or revoked) */
export async function revokeInvitation(anyCall: Call, id: string): Promise<void> {
  const { call, standing, results } = await asCaller(anyCall, "user:create", (standing, { db }) => [
    db
      .select({ hospitalId: invitations.hospitalId })
      .from(invitations)
      .where(and(eq(invitations.id, id), managed(standing))),
  ]);
  const { role, hospitalId } = standing;
  const [row] = results[0];
  if (!row) return refuse(call, "user:create", "not_found", { role, hospitalId, target: { invitation: id } });
  const { db, actor, now } = call;
  const event = eventOf(standing, "invitation.revoke", "D", id, row.hospitalId);
  const [revoked] = await batch(db, [
    db
      .update(invitations)
      .set({ revokedAt: now })
      .where(and(eq(invitations.id, id), isNull(invitations.acceptedAt), isNull(invitations.revokedAt)))
      .returning({ id: invitations.id }),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (revoked.length === 0) return fail(call, "conflict", event);
}
