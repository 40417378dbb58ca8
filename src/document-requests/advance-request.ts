// The steps of the hospitals: the asked one approves, rejects and fulfils, the one that asks cancels. Of steps at once, one counts.

import { type SQL, sql } from "drizzle-orm";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import type { AuditEventName } from "../access/event-names.ts";
import { isGuardianshipOf } from "../access/guardians.ts";
import { failsUnless } from "../access/sign-in.ts";
import { endConsent, tellAskedHospital } from "../consents/document-consents.ts";
import type { NotificationKind } from "../notifications/kinds.ts";
import { notify } from "../notifications/notify.ts";
import { batch, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { readAfter, requireRequest } from "./list-requests.ts";
import { isIncoming, isOutgoing, parseIds, REQUESTS, type RequestRow, sealText, toDocumentRequest } from "./request-rows.ts";
import { type RequestState, type RequestStep, selectState, stateAfter } from "./states.ts";

type HospitalStep = Exclude<RequestStep, "expire">;
export type Advance = {
  call: UserCall;
  effectiveRole: UserEffectiveRole;
  row: RequestRow;
  step: HospitalStep;
  next: RequestState;
};

const conflict = () => new ApiError("conflict", "The request is not in a state that allows this.");

/** The request, of the side whose step it is, in a state from which the step leads on. @throws ApiError not_found, conflict */
export async function requireStep(anyCall: Call, id: string, step: HospitalStep): Promise<Advance> {
  const found =
    step === "cancel"
      ? await requireRequest(anyCall, id, "document_request:create", isOutgoing)
      : await requireRequest(anyCall, id, "document_request:answer", isIncoming);
  const next = stateAfter(found.row.state, step);
  if (!next) throw conflict();
  return { ...found, step, next };
}

/** True while the request stands as it was read, also by the clock and by its consent. */
export const isUnchanged = ({ call, row }: Advance): SQL => sql`EXISTS (SELECT 1 FROM ${REQUESTS} WHERE q.id = ${row.id}
  AND q.version = ${row.version} AND ${selectState(call.now)} = ${row.state})`;

const EVENTS: Readonly<Record<HospitalStep, AuditEventName>> = {
  approve: "document_request.approve",
  reject: "document_request.reject",
  fulfil: "document_request.fulfil",
  cancel: "document_request.cancel",
};
const KINDS: Readonly<Record<HospitalStep, NotificationKind>> = {
  approve: "document_request.answered",
  reject: "document_request.answered",
  fulfil: "document_request.fulfilled",
  cancel: "document_request.ended",
};

/** One event in the log of the hospital that asks, and one in that of the asked hospital, which knows of the request by a grant alone. */
function recordStep({ call, effectiveRole, row, step }: Advance, when: SQL, detail: object): Statement[] {
  const { db, actor, now } = call;
  const isCallers = (hospitalId: string | null) => hospitalId === effectiveRole.hospitalId;
  // The first event decides whose storage quotas the batch counts against.
  const places = [
    { hospitalId: row.hospitalId, subjects: [row.patientId] },
    { hospitalId: row.askedHospitalId, subjects: parseIds(row.shared) },
  ]
    .filter(({ subjects }) => subjects.length > 0)
    .sort((a, b) => Number(isCallers(b.hospitalId)) - Number(isCallers(a.hospitalId)));
  return places.flatMap(({ hospitalId, subjects }) =>
    recordAuditEvent(db, actor, now, {
      event: EVENTS[step],
      action: "U",
      role: effectiveRole.role,
      hospitalId,
      ...(!isCallers(hospitalId) && { actorHospitalId: effectiveRole.hospitalId }),
      entity: { type: "document_request", id: row.id },
      subjects,
      detail: { consent_id: row.consentId, ...detail },
      when,
    }),
  );
}

/**
 * The person: logins that the record of the hospital that asks is linked to, or a shared record; and a guardian who has decided, while
 * they are guardian of one of these.
 */
export function selectPerson(
  { patientId, consentId, decidedBy }: Pick<RequestRow, "patientId" | "consentId" | "decidedBy">,
  now: number,
): SQL {
  const records = sql`SELECT ${patientId} UNION SELECT r.patient_id FROM consent_records r WHERE r.consent_id = ${consentId}`;
  const linked = sql`SELECT l.user_id FROM patient_links l WHERE l.patient_id IN (${records})`;
  if (decidedBy === null) return linked;
  return sql`${linked} UNION SELECT g.guardian_id FROM guardianships g
    WHERE ${isGuardianshipOf(decidedBy, now)} AND g.patient_id IN (${records})`;
}

/** The member of staff who asks, while at the hospital. */
export const selectRequester = ({ requestedBy, hospitalId }: Pick<RequestRow, "requestedBy" | "hospitalId">): SQL =>
  sql`SELECT m.user_id FROM memberships m WHERE m.user_id = ${requestedBy} AND m.hospital_id = ${hospitalId} AND m.ended_at IS NULL`;

/** Tells the person and the other hospital. */
function tell({ call, row, step }: Advance, when: SQL): Statement[] {
  const { db, actor, now } = call;
  const kind = KINDS[step];
  const notice = { kind, hospitalId: row.hospitalId, refs: { document_request_id: row.id }, when };
  const person = notify(db, actor, now, { ...notice, recipients: selectPerson(row, now) });
  if (step !== "cancel") return [...person, ...notify(db, actor, now, { ...notice, recipients: selectRequester(row) })];
  const ofRequest = { id: row.consentId, documentRequestId: row.id };
  return row.shared === "[]" ? person : [...person, ...tellAskedHospital(call, ofRequest, row.askedHospitalId, kind, when)];
}

/**
 * Writes a step with its events and notifications, in one batch. A request that ends without documents ends its consent.
 * @param more statements behind the change, which fail the batch (`isRoleChanged`) where the step must not be  @throws ApiError conflict
 */
export async function advance(step: Advance, change: SQL, more: readonly Statement[] = [], detail: object = {}) {
  const { call, effectiveRole, row, next } = step;
  const { db, actor, now } = call;
  const isDone = sql`EXISTS (SELECT 1 FROM document_requests WHERE id = ${row.id} AND version = ${row.version + 1}
    AND status = ${next} AND updated_at = ${now})`;
  const isEnded = next === "rejected" || next === "cancelled";
  let after = row;
  await batch(db, [
    failsUnless(db, isUnchanged(step)),
    // Told while the request is open: those are who know of it.
    ...tell(step, sql`1`),
    db.run(sql`UPDATE document_requests SET status = ${next}, ${change}, updated_at = CAST(${now} AS INTEGER), version = version + 1
      WHERE id = ${row.id} AND version = ${row.version}`),
    ...more,
    ...(isEnded ? endConsent(db, row.consentId, actor.userId, now, isDone) : []),
    ...recordStep(step, isDone, detail),
    readAfter(call, effectiveRole, row.id, (found) => {
      after = found;
    }),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) throw new ApiError("conflict", "The request or a document was changed meanwhile.");
    throw error;
  });
  return toDocumentRequest(call.keys, after, effectiveRole);
}

const answered = ({ call }: Advance) => sql`answered_by = ${call.actor.userId}, answered_at = CAST(${call.now} AS INTEGER)`;
export const ended = ({ call }: Advance) => sql`ended_by = ${call.actor.userId}, ended_at = CAST(${call.now} AS INTEGER)`;

/** @throws ApiError not_found, conflict (not consented, or answered) */
export async function approveRequest(anyCall: Call, id: string) {
  const step = await requireStep(anyCall, id, "approve");
  return advance(step, answered(step));
}

/** @throws ApiError not_found, conflict (not consented, or answered) */
export async function rejectRequest(anyCall: Call, id: string, reason: string) {
  const step = await requireStep(anyCall, id, "reject");
  const reasonSealed = await sealText(step.call.keys, "reason", id, reason);
  return advance(step, sql`reason_sealed = ${reasonSealed}, ${answered(step)}, ${ended(step)}`);
}

/** By the hospital that asks, before documents are shared. @throws ApiError not_found, conflict (ended) */
export async function cancelRequest(anyCall: Call, id: string) {
  const step = await requireStep(anyCall, id, "cancel");
  return advance(step, ended(step));
}
