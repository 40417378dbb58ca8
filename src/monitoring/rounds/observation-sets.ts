// Sets of observations that staff takes at the bedside, and pauses of them. The patient's object decides; the audit log has the begin before.

import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { auditAction } from "../../access/audit-actions.ts";
import { beginChange, endChange } from "../../access/begun-change.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import type { Permission } from "../../access/permissions.ts";
import { forgetIdempotencyKey, type IdempotencyKey, type KeyStatements, runOnce } from "../../http/idempotency.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { callMonitor, callWithFacts, markRecordInUse } from "../intake/ingest.ts";
import type { ObservationsView } from "../patient-object/contract.ts";
import type { OpenTasks, PauseChange, PauseResult } from "../patient-object/recording/change-pause.ts";
import type { NewSet, SetRefusal, SetResult, StoredSet } from "../patient-object/recording/record-set.ts";
import { MAX_PAUSE_MS } from "../vitals/rounds.ts";
import type { NewObservationSet, NewPause } from "./schemas.ts";

function toEvent(
  { patient, role, basis, hospitalId }: Access,
  event: string,
  permission: Permission,
  detail: object,
): AuditEvent {
  return {
    event,
    action: auditAction(permission),
    role,
    basis,
    hospitalId,
    entity: { type: "patient", id: patient.id },
    subjects: [patient.id],
    detail: { ...detail },
  };
}

const CLOSED_RECORD = "The patient record does not accept samples.";

/** Records the failure of an audited operation, and throws it. @throws ApiError always */
async function fail(call: Call, event: AuditEvent, error: ApiError, idempotencyKey: IdempotencyKey = null): Promise<never> {
  await batch(call.db, [
    ...forgetIdempotencyKey(call, idempotencyKey),
    ...recordAuditEvent(call.db, call.actor, call.now, { ...event, outcome: "failed", reason: error.code }),
  ]);
  throw error;
}

/**
 * Records a set once per key. The key is recorded before the object is asked, so that a key names one request, and forgotten when the
 * object refuses it. A repetition asks the object again: what it has stored it does not store twice. It is audited as a read.
 * @throws ApiError not_found, invalid_request, conflict, score_changed, scale_changed, limit_reached, idempotency_key_reused
 */
export function recordObservationSet(
  env: Env,
  call: Call,
  ref: string,
  input: NewObservationSet,
  idempotencyKey: IdempotencyKey,
): Promise<StoredSet> {
  const record = (keyStatements: KeyStatements, repeats: number | null) =>
    recordOnce(env, call, ref, input, { idempotencyKey, keyStatements, repeats });
  return runOnce(
    call,
    idempotencyKey,
    input,
    (keyStatements) => record(keyStatements, null),
    (_, recordedAt) => record(() => [], recordedAt),
  );
}

async function recordOnce(
  env: Env,
  call: Call,
  ref: string,
  input: NewObservationSet,
  {
    idempotencyKey,
    keyStatements,
    repeats,
  }: { idempotencyKey: IdempotencyKey; keyStatements: KeyStatements; repeats: number | null },
): Promise<StoredSet> {
  const access = await authorizePatient(call, { patient: ref }, "observation_set:create");
  const { db, actor, now } = call;
  const { id, active } = access.patient;
  const { samples, partial_reason } = input;
  const detail = { samples: samples.length, ...(partial_reason && { partial_reason }) };
  const created = toEvent(access, "observation_set.create", "observation_set:create", detail);
  const event: AuditEvent = repeats === null ? created : { ...created, event: "observation_set.replay", action: "R" };
  const statements = [...keyStatements(id), ...markRecordInUse(call, id)];
  const begun = repeats === null ? (await beginChange(call, event, statements)).begun : null;
  if (!begun) await batch(db, [...statements, ...recordAuditEvent(db, actor, now, event)]);
  const set: NewSet = {
    by: getActorId(actor),
    at: Date.parse(input.effective_at),
    samples,
    scale: input.spo2_scale ?? null,
    confirmed: input.confirmed_score,
    partial: partial_reason ?? null,
    repeats,
  };
  const ask = (): Promise<SetResult> => callMonitor(env, async () => env.PATIENT_MONITOR.getByName(id).recordSet(set));
  // The object learns of a closed record only after the response to the change.
  const result: SetResult = active === 1 ? await callWithFacts(env, call, id, ask) : { known: false };
  if (!result.known) return fail(call, event, new ApiError("conflict", CLOSED_RECORD), idempotencyKey);
  if ("refusal" in result) return fail(call, event, toApiError(result.refusal), idempotencyKey);
  if (begun) await endChange(call, begun);
  return result.stored;
}

function toApiError(refusal: SetRefusal): ApiError {
  switch (refusal.kind) {
    case "invalid":
      return new ApiError("invalid_request", "Nothing of the set was stored; see errors.", { errors: refusal.errors });
    case "score_changed":
      return new ApiError("score_changed", "Nothing was stored: confirm the score of the response.", {
        members: { score: refusal.score },
      });
    case "scale_changed":
      return new ApiError("scale_changed", "Nothing was stored: read the patient's SpO2 scale again.");
    case "limit_reached":
      return new ApiError("limit_reached", "The limit of stored samples per sender, patient and day is reached.");
  }
}

async function changePause(env: Env, call: Call, access: Access, change: PauseChange, detail: object) {
  const { id, active } = access.patient;
  const event = toEvent(access, "observation_pause.update", "observation_pause:manage", detail);
  const { begun } = await beginChange(call, event, markRecordInUse(call, id));
  const ask = (): Promise<PauseResult> => callMonitor(env, async () => env.PATIENT_MONITOR.getByName(id).changePause(change));
  const result: PauseResult = active === 1 ? await callWithFacts(env, call, id, ask) : { known: false };
  if (!result.known) return fail(call, event, new ApiError("conflict", CLOSED_RECORD));
  if ("error" in result) return fail(call, event, new ApiError("not_found", "Observations are not paused."));
  await endChange(call, begun);
  return result;
}

/** @throws ApiError not_found, invalid_request, conflict */
export async function pauseObservations(
  env: Env,
  call: Call,
  ref: string,
  { reason, expected_return_at }: NewPause,
): Promise<{ observations: ObservationsView; open_tasks: OpenTasks }> {
  const access = await authorizePatient(call, { patient: ref }, "observation_pause:manage");
  const until = Date.parse(expected_return_at);
  const hours = MAX_PAUSE_MS[reason] / 3_600_000;
  if (until <= call.now || until > call.now + MAX_PAUSE_MS[reason]) {
    const message = `Must be in the future, at most ${hours} hours ahead`;
    const errors = [{ path: "expected_return_at", message, code: "out_of_range" }];
    throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  }
  const change = { kind: "pause" as const, reason, until, by: getActorId(call.actor) };
  const { observations, open_tasks } = await changePause(env, call, access, change, { reason, until: toIso(until) });
  return { observations, open_tasks };
}

/** @throws ApiError not_found (no such patient, or no pause), conflict */
export async function endPause(env: Env, call: Call, ref: string) {
  const access = await authorizePatient(call, { patient: ref }, "observation_pause:manage");
  const { observations } = await changePause(env, call, access, { kind: "end" }, { ended: true });
  return { patient_id: access.patient.id, observations };
}
