// Claim codes: staff issue a code, the patient enters it, and the login is linked to the record. The only way to link them.

import { z } from "@hono/zod-openapi";
import { and, count, eq, isNull, ne, sql } from "drizzle-orm";
import { authorizePatient, withUser } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { patientClaimCodes, patientLinks, sessions } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { patientEvent } from "../patients.ts";

export const CLAIM_CODE_TTL_MS = 3 * DAY_MS;
/** 60 bits: at 100 attempts per minute, guessing a code within its three days is infeasible. */
const CODE_LENGTH = 12;

/** Accepts any case, with or without hyphens. */
export const ClaimCode = z
  .string()
  .max(40)
  .transform((text) => text.toLowerCase().replace(/[\s-]/g, ""))
  .refine((code) => /^[a-z2-7]{12}$/.test(code), "Must be twelve letters and digits")
  .openapi({ type: "string", maxLength: 40, example: "MFRG-GZDF-MZTW" });

const hashClaimCode = (keys: Keys, code: string) => computeBlindIndex(keys.index, "claim", code);

/** Issues a code, which replaces the previous one of the patient. Shown once. @throws ApiError not_found */
export async function issueClaimCode(call: Call, ref: string) {
  const { db, keys, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "claim_code:create");
  const code = randomOpaqueId().slice(0, CODE_LENGTH);
  const expiresAt = now + CLAIM_CODE_TTL_MS;
  const patientId = access.patient.id;
  await batch(db, [
    db.delete(patientClaimCodes).where(and(eq(patientClaimCodes.patientId, patientId), isNull(patientClaimCodes.usedAt))),
    db
      .insert(patientClaimCodes)
      .values({ codeHash: await hashClaimCode(keys, code), patientId, createdBy: getActorId(actor), createdAt: now, expiresAt }),
    ...recordAuditEvent(db, actor, now, patientEvent(access, "claim_code.issue", "C")),
  ]);
  const formattedCode = (code.toUpperCase().match(/.{4}/g) ?? []).join("-");
  return { patient_id: patientId, code: formattedCode, expires_at: toIso(expiresAt) };
}

/** A valid code: unexpired, of an active hospital, issued by a current member who is not the caller. */
const isRedeemable = (codeHash: string, userId: string, now: number) => sql`code_hash = ${codeHash} AND used_at IS NULL
  AND expires_at > ${now} AND created_by <> ${userId} AND EXISTS (SELECT 1 FROM patients p
    JOIN hospitals h ON h.id = p.hospital_id AND h.active = 1 JOIN users u ON u.id = patient_claim_codes.created_by AND u.active = 1
    LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = p.hospital_id AND ${ACTIVE_MEMBERSHIP}
    WHERE p.id = patient_claim_codes.patient_id AND (u.is_admin = 1 OR m.role IS NOT NULL))`;

/**
 * Links the caller's login to the record of the code. Single use under concurrency. Ends the caller's other sessions, because
 * whoever holds one would gain access to the record.
 * @throws ApiError not_found for a code that is unknown, used, ended or expired; password_given, limit_reached
 */
export async function claimRecord(anyCall: Call, code: string): Promise<string> {
  const codeHash = await hashClaimCode(anyCall.keys, code);
  const { call, effectiveRole, results } = await withUser(anyCall, "patient:claim", (_, { db, actor, now }) => [
    db.all<{ patient_id: string; hospital_id: string; password_given: number }>(sql`SELECT c.patient_id AS patient_id,
        p.hospital_id AS hospital_id, (SELECT password_given FROM users WHERE id = ${actor.userId}) AS password_given
      FROM (SELECT * FROM patient_claim_codes WHERE ${isRedeemable(codeHash, actor.userId, now)}) c JOIN patients p ON p.id = c.patient_id`),
  ]);
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  const [found] = results[0];
  const denyCode = () => denyAccess(call, "patient:claim", "not_found", { role });
  if (!found) return denyCode();
  const { patient_id: patientId, hospital_id: hospitalId } = found;
  if (found.password_given) {
    const event = { event: "patient.claim", action: "C", outcome: "denied", reason: "password_given", role, hospitalId } as const;
    await batch(db, recordAuditEvent(db, actor, now, { ...event, entity: { type: "patient", id: patientId } }));
    throw new ApiError("password_given");
  }
  const redeemCode = sql`UPDATE patient_claim_codes SET used_at = CAST(${now} AS INTEGER), used_by = ${actor.userId}
    WHERE ${isRedeemable(codeHash, actor.userId, now)} AND (SELECT password_given FROM users WHERE id = ${actor.userId}) = 0 RETURNING patient_id`;
  const isRedeemedByCaller = sql`EXISTS (SELECT 1 FROM patient_claim_codes WHERE code_hash = ${codeHash} AND used_by = ${actor.userId})`;
  const othersOfRecord = sql`patient_links WHERE patient_id = ${patientId} AND user_id <> ${actor.userId}`;
  const othersOfAccount = sql`patient_links WHERE user_id = ${actor.userId} AND patient_id <> ${patientId}`;
  const verifiedBy = unlessFull(sql`created_by`, ROW_LIMITS.patientLogins, othersOfRecord);
  const method = unlessFull("claim_code", ROW_LIMITS.accountRecords, othersOfAccount);
  const [redeemed] = await batch(db, [
    db.all<{ patient_id: string }>(redeemCode),
    ...recordAuditEvent(db, actor, now, {
      event: "patient.claim",
      action: "C",
      role,
      basis: "self",
      hospitalId,
      entity: { type: "patient", id: patientId },
      subjects: [patientId],
      when: sql`changes() > 0`,
    }),
    db.run(sql`INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at)
      SELECT ${actor.userId}, patient_id, ${method}, ${verifiedBy}, CAST(${now} AS INTEGER) FROM patient_claim_codes
      WHERE code_hash = ${codeHash} AND used_by = ${actor.userId} ON CONFLICT (user_id, patient_id) DO NOTHING`),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "record_claimed" })
      .where(
        and(eq(sessions.userId, actor.userId), ne(sessions.id, actor.sessionId), isNull(sessions.revokedAt), isRedeemedByCaller),
      ),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.patientLogins, ROW_LIMITS.accountRecords);
  });
  return redeemed.length > 0 ? patientId : denyCode();
}

/** Lists the logins linked to a record, oldest first. @throws ApiError not_found */
export async function listPatientLinks(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `patient_links:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, patientLinks.createdAt, patientLinks.userId, true);
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "claim_code:create");
  const isOfPatient = eq(patientLinks.patientId, access.patient.id);
  const [rows, [counted]] = await batch(db, [
    db
      .select()
      .from(patientLinks)
      .where(and(isOfPatient, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.select({ n: count() }).from(patientLinks).where(isOfPatient),
    ...recordAuditEvent(db, actor, now, patientEvent(access, "patient.links", "R")),
  ]);
  const key = (row: { createdAt: number; userId: string }) => ({ value: row.createdAt, id: row.userId });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const items = pageRows.map((row) => ({
    user_id: row.userId,
    method: row.method,
    verified_by: row.verifiedBy,
    created_at: toIso(row.createdAt),
  }));
  return { items, pagination };
}

/** Unlinks a login from the record, effective at once. @throws ApiError not_found */
export async function removePatientLink(call: Call, ref: string, userId: string): Promise<string> {
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "claim_code:create");
  const { patient, role, hospitalId } = access;
  const event = { ...patientEvent(access, "patient.unlink", "D"), detail: { user_id: userId }, when: sql`changes() > 0` };
  const [removed] = await batch(db, [
    db
      .delete(patientLinks)
      .where(and(eq(patientLinks.patientId, patient.id), eq(patientLinks.userId, userId)))
      .returning({ userId: patientLinks.userId }),
    ...recordAuditEvent(db, actor, now, event),
  ]);
  if (removed.length > 0) return patient.id;
  return denyAccess(call, "claim_code:create", "not_found", {
    role,
    hospitalId,
    target: { user: userId },
    patientId: patient.id,
  });
}
