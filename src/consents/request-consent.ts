// Staff asks the person of one of their own records for access to records elsewhere. The answer is the same whether any exist.

import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../access/audit.ts";
import { failWithAudit } from "../access/deny.ts";
import { selectGuardianIds } from "../access/guardians.ts";
import { type Access, withPatient } from "../access/patient-access.ts";
import type { Permission } from "../access/permissions.ts";
import { failsUnless } from "../access/sign-in.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { notify } from "../notifications/notify.ts";
import { batch, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { DAY_MS } from "../platform/time.ts";
import { ANSWER_MS } from "./answer-time.ts";
import { keepVersion, sealReason, selectConsent, toCreated } from "./consent-rows.ts";
import { type ConsentScope, findScopeErrors } from "./scope.ts";

export type ConsentRequest = ConsentScope & {
  patientId: string;
  purpose: (typeof CONSENT_PURPOSES)[number];
  reason: string | null;
  /** Opens the documents that will be named under it alone. */
  isForDocumentsOnly?: boolean;
};

/**
 * After a denial in the last `DENIED_MS`, a hospital has at most `MAX_AFTER_DENIAL` requests of that time to the same person that the
 * person has not granted: open, denied, cancelled or expired. It depends on what the hospital itself has asked and been answered alone.
 */
export const MAX_AFTER_DENIAL = 3;
export const DENIED_MS = DAY_MS;

/** What the consent is requested for. `attach`: statements that belong to it, behind its own. */
export type RequestOptions = {
  permission?: Permission;
  attach?: (consentId: string, access: Access) => readonly Statement[];
};

/**
 * Asks the person of the record. Every login that the record is linked to is notified, and every guardian; the caller does not learn whether there is any.
 * @throws ApiError not_found, forbidden, invalid_request, limit_reached, asked_too_often
 */
export async function requestConsent(
  call: Call,
  request: ConsentRequest,
  keyStatements: KeyStatements,
  { permission = "consent:request", attach = () => [] }: RequestOptions = {},
) {
  const { db, keys, actor, now } = call;
  const errors = findScopeErrors(request, now);
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  const { access, results } = await withPatient(call, { patient: request.patientId }, permission, (patientId) => [
    db.all<Asked>(selectAsked(patientId, now)),
  ]);
  const { patient, role, basis, hospitalId } = access;
  const id = uuidv7();
  const event = {
    event: "consent.request",
    action: "C",
    role,
    basis,
    hospitalId,
    subjects: [patient.id],
    detail: { purpose: request.purpose },
  } as const;
  const [asked] = results[0];
  if (asked?.isTooOften) return refuseToAsk(call, event, asked);
  const author = unlessFull(
    getActorId(actor),
    ROW_LIMITS.openConsentRequests,
    sql`consents WHERE patient_id = ${patient.id} AND status = 'requested' AND answer_until > ${now}`,
  );
  const reasonSealed = request.reason === null ? null : await sealReason(keys, id, request.reason);
  const isWritten = sql`EXISTS (SELECT 1 FROM consents WHERE id = ${id})`;
  const written = await batch(db, [
    ...keyStatements(id),
    failsUnless(db, sql`NOT (SELECT isTooOften FROM (${selectAsked(sql`${patient.id}`, now)}))`),
    db.run(sql`INSERT INTO consents (id, hospital_id, patient_id, status, purpose, kinds, data_from, data_until, answer_until,
        expires_at, erase_at, reason_sealed, documents_only, requested_by, created_at, updated_at)
      VALUES (${id}, ${hospitalId}, ${patient.id}, iif(${author} IS NULL, NULL, 'requested'), ${request.purpose},
        ${request.kinds.join(" ")}, ${request.dataFrom}, ${request.dataUntil}, ${Math.min(now + ANSWER_MS, request.expiresAt)},
        ${request.expiresAt}, ${request.eraseAt}, ${reasonSealed}, ${Number(request.isForDocumentsOnly ?? false)},
        ${getActorId(actor)}, CAST(${now} AS INTEGER), CAST(${now} AS INTEGER))`),
    keepVersion(db, id, getActorId(actor), now, isWritten),
    ...attach(id, access),
    ...recordAuditEvent(db, actor, now, { ...event, entity: { type: "consent", id } }),
    ...notify(db, actor, now, {
      kind: "consent.requested",
      hospitalId,
      refs: { consent_id: id },
      recipients: sql`SELECT l.user_id FROM patient_links l WHERE l.patient_id = ${patient.id}
        UNION ${selectGuardianIds(patient.id, now)}`,
    }),
    selectConsent(db, id),
  ]).catch((error: unknown) => {
    // Another request, or a denial, came first.
    if (isRoleChanged(error)) return refuseToAsk(call, event, { oldest: now });
    throw toLimitError(error, ROW_LIMITS.openConsentRequests);
  });
  return toCreated(call, written, false);
}

/** `oldest`: when the first of the last `MAX_AFTER_DENIAL` requests that count was made, epoch milliseconds. */
type Asked = { isTooOften: number; oldest: number };

const selectAsked = (patientId: SQL, now: number): SQL => sql`SELECT count(*) >= ${MAX_AFTER_DENIAL} AND
    EXISTS (SELECT 1 FROM consents d WHERE d.patient_id = ${patientId} AND d.status = 'denied' AND d.decided_at > ${now - DENIED_MS})
    AS isTooOften, min(k.created_at) AS oldest
  FROM (SELECT c.created_at FROM consents c WHERE c.patient_id = ${patientId} AND c.created_at > ${now - DENIED_MS}
    AND (c.status = 'denied' OR c.decided_at IS NULL) ORDER BY c.created_at DESC LIMIT ${MAX_AFTER_DENIAL}) k`;

function refuseToAsk(call: Call, event: AuditEvent, { oldest }: Pick<Asked, "oldest">): Promise<never> {
  const seconds = Math.max(1, Math.ceil((oldest + DENIED_MS - call.now) / 1000));
  return failWithAudit(call, "asked_too_often", event, undefined, { headers: { "Retry-After": String(seconds) } });
}
