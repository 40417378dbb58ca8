// Correction of a sample by a person: another value, or entered in error. Earlier values are kept.

import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { beginChange, endChange } from "../../access/begun-change.ts";
import { denyAccess } from "../../access/deny.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { callMonitor } from "../intake/ingest.ts";
import { MAX_AMENDED_SAMPLES_PER_PATIENT, MAX_AMENDMENTS_PER_SAMPLE } from "../patient-object/recording/amend-sample.ts";
import { parseObservationId, toObservationId } from "../patient-object/samples/ids.ts";
import { toPersonKey } from "../patient-object/snapshot.ts";

export type AmendmentInput =
  | { status: "amended"; value: number | string; unit?: string | undefined; reason: string }
  | { status: "entered-in-error"; reason: string };

const UNKNOWN_POSITION = { patientId: "", block: 0, index: 0 };
const PERSON_PREFIX = toPersonKey("");

/**
 * Corrects a sample; its hour and the score are recomputed. The reason is sealed with the sample and not in the audit log.
 * @returns the sample as it counts now, with every earlier value, oldest first
 * @throws ApiError not_found, invalid_request (implausible value, unknown unit), limit_reached, unavailable
 */
export async function amendObservation(env: Env, call: Call, id: string, input: AmendmentInput) {
  const { db, keys, actor, now } = call;
  const { patientId, block, index } = parseObservationId(id) ?? UNKNOWN_POSITION;
  const access = await authorizePatient(call, { patient: patientId }, "observation:amend");
  const { role, basis, hospitalId, patient } = access;
  const place = { table: "corrections", column: "reason", id: toObservationId(patient.id, block, index) };
  const sealedReason = await sealValue(keys.fields, place, input.reason);
  const event = {
    event: "observation.amend",
    action: "U" as const,
    role,
    basis,
    hospitalId,
    entity: { type: "observation", id },
    subjects: [patient.id],
    detail: { status: input.status },
  };
  const { begun } = await beginChange(call, event, []);
  const { value, unit } =
    input.status === "amended" ? { value: input.value, unit: input.unit ?? null } : { value: null, unit: null };
  const by = toPersonKey(getActorId(actor));
  const amendment = { status: input.status, value, unit, reason: sealedReason, by };
  const monitor = env.PATIENT_MONITOR.getByName(patient.id);
  // No retry: a second call would add an entry to the history.
  const amended = await callMonitor(env, async () => monitor.amend({ block, index }, amendment), false);
  if (!("error" in amended)) {
    await endChange(call, begun);
    return { ...amended.sample, history: amended.history.map(toHistoryEntry) };
  }
  if (amended.error === "not_found") {
    return denyAccess(call, "observation:amend", "not_found", { role, hospitalId, patientId: patient.id });
  }
  const reason = amended.error.startsWith("too_many") ? "limit_reached" : amended.error;
  await batch(db, recordAuditEvent(db, actor, now, { ...event, outcome: "failed", reason }));
  throw AMENDMENT_ERRORS[amended.error]();
}

const AMENDMENT_ERRORS = {
  implausible: () => fieldError("value", "Implausible value"),
  unit_unknown: () => fieldError("unit", "Unknown unit for this vital sign"),
  too_many_of_sample: () =>
    new ApiError("limit_reached", `A sample has at most ${MAX_AMENDMENTS_PER_SAMPLE} amendments; record a new sample.`),
  too_many_of_patient: () =>
    new ApiError("limit_reached", `A patient has at most ${MAX_AMENDED_SAMPLES_PER_PATIENT} amended samples.`),
};

function fieldError(path: string, message: string): ApiError {
  return new ApiError("invalid_request", "Some fields are not valid; see errors.", {
    errors: [{ path, message, code: "custom" }],
  });
}

const toHistoryEntry = ({ value, unit, by, at }: { value: number; unit: string; by: string; at: string }) => {
  const isPerson = by.startsWith(PERSON_PREFIX);
  return { value, unit, at, device_id: isPerson ? null : by, performer_id: isPerson ? by.slice(PERSON_PREFIX.length) : null };
};
