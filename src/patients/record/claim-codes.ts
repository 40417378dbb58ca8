// Claim codes: staff issue a code, the patient enters it with what the record knows of them, and the login is linked to the record.
// The only way to link them.

import { z } from "@hono/zod-openapi";
import { and, desc, eq, isNull, ne, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { authorizePatient, withPatient } from "../../access/patient-access.ts";
import { unsealProfile } from "../../access/profile.ts";
import { type PageQuery, resolvePageStart, slicePage } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex, computeMac, toBase64Url } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { type CLAIM_PROOFS, patientClaimCodes, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { isWholeDate } from "../../platform/partial-date.ts";
import { phoneNumber } from "../../platform/phone.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { phoneKey } from "../identity/patient-tokens.ts";
import { type Identity, unsealIdentity } from "../identity/sealed-fields.ts";
import { patientEvent } from "../patients.ts";
import { tellOfWaitingRequests } from "./waiting-requests.ts";

export const CLAIM_CODE_TTL_MS = 3 * DAY_MS;
/** How long an expired code is listed for staff. */
export const CLAIM_CODE_KEPT_MS = 90 * DAY_MS;
export const MAX_FAILED_CLAIMS = 5;
/** Codes of a patient that are kept; a new one deletes the oldest. */
const MAX_KEPT_CODES = 20;
/** 60 bits: at 100 attempts per minute, guessing a code within its three days is infeasible. */
const CODE_LENGTH = 12;

/** Accepts any case, with or without hyphens. */
export const ClaimCode = z
  .string()
  .max(40)
  .transform((text) => text.toLowerCase().replace(/[\s-]/g, ""))
  .refine((code) => /^[a-z2-7]{12}$/.test(code), "Must be twelve letters and digits")
  .openapi({ type: "string", maxLength: 40, example: "MFRG-GZDF-MZTW" });

export const Claim = z
  .strictObject({
    code: ClaimCode,
    date_of_birth: z.iso.date().optional().openapi({ example: "1964-03-04" }),
    phone: phoneNumber.optional(),
  })
  .refine(({ date_of_birth, phone }) => (date_of_birth === undefined) !== (phone === undefined), {
    path: ["date_of_birth"],
    message: "Either date_of_birth or phone is required",
  });
type Claim = z.output<typeof Claim>;
type Proof = (typeof CLAIM_PROOFS)[number];

const hashClaimCode = (keys: Keys, code: string) => computeBlindIndex(keys.index, "claim", code);
/** Bound to the code, so that equal dates and numbers of different records do not look equal in the database. */
const computeProofMac = async (keys: Keys, codeHash: string, proof: Proof, value: string) =>
  toBase64Url(await computeMac(keys.index, ["claim_proof", codeHash, proof, value]));

/** What the record knows and a person must name; a month or year of birth is too easy to guess. */
const proofsOf = ({ date_of_birth: date, phone }: Pick<Identity, "date_of_birth" | "phone">) => ({
  date: date !== null && isWholeDate(date) ? date : null,
  phone: phone === null ? null : phoneKey(phone),
});

/**
 * Issues a code, which replaces the previous one of the patient. Shown once.
 * @throws ApiError not_found, claim_proof_missing
 */
export async function issueClaimCode(call: Call, ref: string) {
  const { db, keys, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "claim_code:create");
  const event = patientEvent(access, "claim_code.issue", "C");
  const { date, phone } = proofsOf(await unsealIdentity(keys, access.patient));
  if (date === null && phone === null) return failWithAudit(call, "claim_proof_missing", event);
  const code = randomOpaqueId().slice(0, CODE_LENGTH);
  const codeHash = await hashClaimCode(keys, code);
  const expiresAt = now + CLAIM_CODE_TTL_MS;
  const patientId = access.patient.id;
  await batch(db, [
    endOpenCodes(call, patientId),
    db.insert(patientClaimCodes).values({
      codeHash,
      patientId,
      createdBy: getActorId(actor),
      createdAt: now,
      expiresAt,
      birthDateMac: date && (await computeProofMac(keys, codeHash, "date_of_birth", date)),
      phoneMac: phone && (await computeProofMac(keys, codeHash, "phone", phone)),
    }),
    db.run(sql`DELETE FROM patient_claim_codes WHERE patient_id = ${patientId} AND code_hash NOT IN (SELECT code_hash
      FROM patient_claim_codes WHERE patient_id = ${patientId} ORDER BY ended_at IS NULL DESC, created_at DESC LIMIT ${MAX_KEPT_CODES})`),
    ...recordAuditEvent(db, actor, now, event),
  ]);
  const formattedCode = (code.toUpperCase().match(/.{4}/g) ?? []).join("-");
  return { patient_id: patientId, code: formattedCode, expires_at: toIso(expiresAt) };
}

/** Ends the unused codes of a patient. @param when condition for it */
export function endOpenCodes({ db, now }: Call, patientId: string, when: SQL = sql`1`): Statement {
  return db.run(sql`UPDATE patient_claim_codes SET ended_at = CAST(${now} AS INTEGER)
    WHERE patient_id = ${patientId} AND used_at IS NULL AND ended_at IS NULL AND ${when}`);
}

/** Whether a change makes what an open code asks for wrong: the code was issued for the record as it was. */
export function changesProof(before: Identity, after: Identity): boolean {
  return JSON.stringify(proofsOf(before)) !== JSON.stringify(proofsOf(after));
}

/** A valid code: unexpired, with attempts left, of an active hospital, issued by a current member who is not the caller. */
const isRedeemable = (codeHash: string, userId: string, now: number) => sql`code_hash = ${codeHash} AND used_at IS NULL
  AND ended_at IS NULL AND failed_attempts < ${MAX_FAILED_CLAIMS}
  AND expires_at > ${now} AND created_by <> ${userId} AND EXISTS (SELECT 1 FROM patients p
    JOIN hospitals h ON h.id = p.hospital_id AND h.active = 1 JOIN users u ON u.id = patient_claim_codes.created_by AND u.active = 1
    LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = p.hospital_id AND ${ACTIVE_MEMBERSHIP}
    WHERE p.id = patient_claim_codes.patient_id AND (u.is_admin = 1 OR m.role IS NOT NULL))`;

type FoundCode = { patient_id: string; hospital_id: string; password_given: number; proven: number };

/**
 * Links the caller's login to the record of the code. Single use under concurrency. Ends the caller's other sessions, because
 * whoever holds one would gain access to the record. A wrong birth date or phone number counts against the code, in the same
 * batch that reads it; the response and its statements are those of an unknown code.
 * @throws ApiError not_found for a code that is unknown, used, ended or expired, and for a wrong proof; password_given, limit_reached
 */
export async function claimRecord(anyCall: Call, { code, date_of_birth: date, phone }: Claim): Promise<string> {
  const codeHash = await hashClaimCode(anyCall.keys, code);
  const proof: Proof = date === undefined ? "phone" : "date_of_birth";
  const mac = await computeProofMac(anyCall.keys, codeHash, proof, date ?? phoneKey(phone ?? ""));
  const isProven = sql`coalesce(${date === undefined ? sql`phone_mac` : sql`birth_date_mac`} = ${mac}, 0)`;
  const { call, effectiveRole, results } = await withUser(anyCall, "patient:claim", (_, { db, actor, now }) => [
    db.all<FoundCode>(sql`SELECT c.patient_id AS patient_id, p.hospital_id AS hospital_id, ${isProven} AS proven,
        (SELECT password_given FROM users WHERE id = ${actor.userId}) AS password_given
      FROM (SELECT * FROM patient_claim_codes WHERE ${isRedeemable(codeHash, actor.userId, now)}) c JOIN patients p ON p.id = c.patient_id`),
    db.run(sql`UPDATE patient_claim_codes SET failed_attempts = failed_attempts + 1, last_failed_at = CAST(${now} AS INTEGER)
      WHERE ${isRedeemable(codeHash, actor.userId, now)} AND NOT ${isProven}`),
  ]);
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  const [found] = results[0];
  const denyCode = (facts: { patientId?: string; hospitalId?: string } = {}) =>
    denyAccess(call, "patient:claim", "not_found", { role, ...facts });
  if (!found) return denyCode();
  const { patient_id: patientId, hospital_id: hospitalId } = found;
  if (!found.proven) return denyCode({ patientId, hospitalId });
  if (found.password_given) {
    const event = { event: "patient.claim", action: "C", outcome: "denied", reason: "password_given", role, hospitalId } as const;
    await batch(db, recordAuditEvent(db, actor, now, { ...event, entity: { type: "patient", id: patientId } }));
    throw new ApiError("password_given");
  }
  const redeemCode = sql`UPDATE patient_claim_codes SET used_at = CAST(${now} AS INTEGER), used_by = ${actor.userId}, proof = ${proof}
    WHERE ${isRedeemable(codeHash, actor.userId, now)} AND ${isProven}
      AND (SELECT password_given FROM users WHERE id = ${actor.userId}) = 0 RETURNING patient_id`;
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
      detail: { proof },
      when: sql`changes() > 0`,
    }),
    db.run(sql`INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at, proof)
      SELECT ${actor.userId}, patient_id, ${method}, ${verifiedBy}, CAST(${now} AS INTEGER), ${proof} FROM patient_claim_codes
      WHERE code_hash = ${codeHash} AND used_by = ${actor.userId} ON CONFLICT (user_id, patient_id) DO NOTHING`),
    ...tellOfWaitingRequests(call, patientId),
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

type CodeRow = typeof patientClaimCodes.$inferSelect;

function stateOf(row: CodeRow, now: number) {
  if (row.usedAt !== null) return "used" as const;
  if (row.failedAttempts >= MAX_FAILED_CLAIMS) return "blocked" as const;
  if (row.endedAt !== null) return "ended" as const;
  return row.expiresAt <= now ? ("expired" as const) : ("open" as const);
}

/** Lists the codes of a patient and the attempts with them, newest first. @throws ApiError not_found */
export async function listClaimCodes(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `claim_codes:${ref}`, query);
  const { db, keys, now } = call;
  const { access, results } = await withPatient(call, { patient: ref }, "claim_code:create", (patientId) => [
    db
      .select({ row: patientClaimCodes, issuer: users.profileSealed })
      .from(patientClaimCodes)
      .innerJoin(users, eq(users.id, patientClaimCodes.createdBy))
      .where(eq(patientClaimCodes.patientId, patientId))
      .orderBy(desc(patientClaimCodes.createdAt), desc(patientClaimCodes.codeHash))
      .limit(MAX_KEPT_CODES),
  ]);
  const { rows: pageRows, pagination } = await slicePage(start, results[0]);
  const items = Promise.all(
    pageRows.map(async ({ row, issuer }) => ({
      state: stateOf(row, now),
      issued_by: {
        id: row.createdBy,
        name: (await unsealProfile(keys, { id: row.createdBy, profileSealed: issuer })).full_name,
      },
      issued_at: toIso(row.createdAt),
      expires_at: toIso(row.expiresAt),
      failed_attempts: row.failedAttempts,
      last_failed_at: toIsoOrNull(row.lastFailedAt),
      used_at: toIsoOrNull(row.usedAt),
      used_by: row.usedBy,
      proof: row.proof,
    })),
  );
  return { items: await afterAudit(appendAuditEvent(call, patientEvent(access, "claim_code.list", "R")), items), pagination };
}
