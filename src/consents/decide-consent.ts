// The person grants a request, never wider than asked, or denies it, and ends a consent at any time. Of answers at once, one counts.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { denyNotFound } from "../access/deny.ts";
import { endLiveViews } from "../access/live-views.ts";
import { failsUnless } from "../access/sign-in.ts";
import { notify } from "../notifications/notify.ts";
import { batch, isRoleChanged, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import { ApiError } from "../platform/errors.ts";
import { CONSENT_COLUMNS, type ConsentRow, keepVersion, selectConsent, toCreated, toScope } from "./consent-rows.ts";
import { chooseHospital, tellAskedHospital } from "./document-consents.ts";
import { tellOfDecision } from "./guardian-notices.ts";
import { isShareable, isStillGuardian, selectActingGuardianship, selectConsentsOf } from "./persons.ts";
import { type Place, recordInLogs, selectPlaces } from "./places.ts";
import { type ConsentScope, findScopeErrors, findWiderErrors } from "./scope.ts";
import { type ConsentState, type ConsentStep, stateAfter, stateAt } from "./states.ts";

export type Grant = Partial<ConsentScope> & { patientIds: readonly string[] };

type Decision = {
  call: UserCall;
  effectiveRole: UserEffectiveRole;
  row: ConsentRow;
  /** The records that it shares, or is to share. */
  shared: readonly Place[];
  step: ConsentStep;
  next: ConsentState;
  /** By which somebody else than the person decides. */
  guardianshipId: string | null;
};
/** The consent, of the person or a guardian alone, in a state from which the step leads on. @throws ApiError not_found, conflict */
async function requireStep(anyCall: Call, id: string, step: ConsentStep, sharedIds: readonly string[] = []): Promise<Decision> {
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:decide", (_, { db, actor, now }) => [
    db.all<ConsentRow>(sql`SELECT ${CONSENT_COLUMNS} FROM consents c
      WHERE c.id = ${id} AND c.id IN (${selectConsentsOf(actor.userId, now)})`),
    selectPlaces(db, sharedIds, id),
    selectActingGuardianship(db, actor.userId, selectConcerned(id, sharedIds), now),
  ]);
  const [[row], shared, [guardianship]] = results;
  if (!row) return denyNotFound(call, "consent:decide", effectiveRole, { consent: id });
  const next = stateAfter(stateAt(row, call.now), step);
  if (!next) throw new ApiError("conflict", "The consent is not in a state that allows this.");
  return { call, effectiveRole, row, shared, step, next, guardianshipId: guardianship?.id ?? null };
}

/** The record of a consent, those that it shares, and those that it is to share. */
const selectConcerned = (id: string, sharedIds: readonly string[]): SQL => sql`SELECT patient_id FROM consents WHERE id = ${id}
  UNION SELECT patient_id FROM consent_records WHERE consent_id = ${id} UNION SELECT value FROM json_each(${JSON.stringify(sharedIds)})`;

/** True while the row stands as it was read, and its time has not come. */
const isUnchanged = ({ call, row }: Decision): SQL => sql`id = ${row.id} AND version = ${row.version}
  AND status = ${row.status} AND ${row.status === "requested" ? sql`answer_until` : sql`expires_at`} > ${call.now}`;

function recordDecision({ call, effectiveRole, row, shared, step, guardianshipId }: Decision, when: SQL): Statement[] {
  const event = {
    event: `consent.${step}`,
    action: "U",
    role: effectiveRole.role,
    basis: guardianshipId === null ? "self" : "guardian",
    entity: { type: "consent", id: row.id },
    detail: { purpose: row.purpose, ...(guardianshipId !== null && { guardianship_id: guardianshipId }) },
    when,
  } as const;
  return recordInLogs(call, event, [{ id: row.patientId, hospitalId: row.hospitalId }, ...shared]);
}

async function decide(decision: Decision, change: SQL, records: readonly Statement[] = []) {
  const { call, row, shared, step, next, guardianshipId } = decision;
  const { db, actor, now } = call;
  const concerned = [row.patientId, ...shared.map(({ id }) => id)];
  const isDone = sql`EXISTS (SELECT 1 FROM consents WHERE id = ${row.id} AND version = ${row.version + 1} AND status = ${next}
    AND updated_at = ${now})`;
  const written = await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM consents WHERE ${isUnchanged(decision)})`),
    ...(guardianshipId === null ? [] : [failsUnless(db, isStillGuardian(actor.userId, guardianshipId, now))]),
    db.run(sql`UPDATE consents SET status = ${next}, ${change}, updated_at = CAST(${now} AS INTEGER),
      version = version + 1 WHERE ${isUnchanged(decision)}`),
    ...records,
    keepVersion(db, row.id, actor.userId, now, isDone),
    ...recordDecision(decision, isDone),
    ...(guardianshipId === null || step === "expire"
      ? []
      : tellOfDecision(call, actor.userId, { consentId: row.id, hospitalId: row.hospitalId, step }, concerned, isDone)),
    ...(row.requestedBy === null
      ? []
      : notify(db, actor, now, {
          kind: "consent.answered",
          hospitalId: row.hospitalId,
          refs: { consent_id: row.id, patient_id: row.patientId },
          recipients: sql`SELECT m.user_id FROM memberships m WHERE m.user_id = ${row.requestedBy}
            AND m.hospital_id = ${row.hospitalId} AND m.ended_at IS NULL`,
          when: isDone,
        })),
    selectConsent(db, row.id),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) throw new ApiError("conflict", "The consent was changed meanwhile, or a record cannot be shared.");
    throw toLimitError(error, ROW_LIMITS.liveConsents);
  });
  return toCreated(call, written, true);
}

/**
 * Grants a request for the named records, as asked or narrower.
 * @throws ApiError not_found, conflict (answered, expired, or a record that the person cannot share), invalid_request (wider than asked),
 * limit_reached
 */
export async function grantConsent(anyCall: Call, id: string, grant: Grant) {
  const decision = await requireStep(anyCall, id, "grant", grant.patientIds);
  const { call, row } = decision;
  const { db, actor, now } = call;
  const asked = toScope(row);
  const { patientIds, ...narrowed } = grant;
  const scope: ConsentScope = { ...asked, ...narrowed };
  const errors = [...findScopeErrors(scope, now), ...findWiderErrors(scope, asked)];
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  const ids = JSON.stringify([...new Set(patientIds)]);
  const canShare = isShareable(actor.userId, sql`j.value`, sql`${row.patientId}`, sql`${row.hospitalId}`, now);
  const purpose = unlessFull(
    sql`purpose`,
    ROW_LIMITS.liveConsents,
    sql`consents l WHERE l.patient_id = ${row.patientId} AND l.status = 'granted' AND l.expires_at > ${now}`,
  );
  const change = sql`purpose = ${purpose}, kinds = ${scope.kinds.join(" ")}, data_from = CAST(${scope.dataFrom} AS INTEGER),
    data_until = CAST(${scope.dataUntil} AS INTEGER), expires_at = CAST(${scope.expiresAt} AS INTEGER),
    erase_at = CAST(${scope.eraseAt} AS INTEGER), decided_by = ${actor.userId}, decided_at = CAST(${now} AS INTEGER)`;
  return decide(decision, change, [
    failsUnless(db, sql`NOT EXISTS (SELECT 1 FROM json_each(${ids}) j WHERE NOT ${canShare})`),
    db.run(sql`INSERT INTO consent_records (consent_id, patient_id) SELECT ${row.id}, j.value FROM json_each(${ids}) j`),
    ...chooseHospital(db, row, ids),
    ...tellAskedHospital(call, row, decision.shared[0]?.hospitalId ?? null, "document_request.received"),
  ]);
}

/** @throws ApiError not_found, conflict (answered or expired) */
export async function denyConsent(anyCall: Call, id: string) {
  const decision = await requireStep(anyCall, id, "deny");
  const { actor, now } = decision.call;
  return decide(decision, sql`decided_by = ${actor.userId}, decided_at = CAST(${now} AS INTEGER)`);
}

/**
 * Ends a consent and closes its live views; what begins afterwards is refused.
 * @throws ApiError not_found, conflict (not granted, ended or expired)
 */
export async function revokeConsent(env: Env, anyCall: Call, id: string) {
  const decision = await requireStep(anyCall, id, "revoke");
  const { call, row, shared } = decision;
  const hospitalIds = shared.map(({ hospitalId }) => hospitalId);
  const told = tellAskedHospital(call, row, hospitalIds[0] ?? null, "document_request.ended");
  const consent = await decide(decision, sql`ended_at = CAST(${call.now} AS INTEGER)`, told);
  await endLiveViews(env, id, hospitalIds);
  return consent;
}
