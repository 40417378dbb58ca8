// Ingest of samples into the patient's object. A device's samples usually need no D1 query, since the object knows its devices;
// when it does not, the Worker reads D1 and configures the object.

import { sql } from "drizzle-orm";
import { type Call, type DeviceActor, getActorId } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { beginChange, endChange } from "../../access/begun-change.ts";
import { failWithAudit } from "../../access/deny.ts";
import { resolveDeviceAccess } from "../../access/device-access.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { monitoringSettings } from "../../platform/db/schema.ts";
import { withDeadline } from "../../platform/deadline.ts";
import { ApiError } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { loadFacts } from "../patient-object/context/facts.ts";
import type { BatchClockView, IncomingBatch, ItemResult, Origin, RecordResult } from "../patient-object/contract.ts";
import { parseInstant } from "../vitals/sample-validation.ts";
import { hospitalOfCredential, resolveDays } from "./day-times.ts";
import { holdSamples, refuseOwnDevice, rejectByQuota } from "./hold-samples.ts";
import { denyOtherDevice, markSynced, type NamedOrigin, requireAssignedDevice } from "./named-origin.ts";
import { deletePatientHint, findPatientHint, storePatientHint } from "./patient-hints.ts";

export type IngestResult = {
  patient_id: string | null;
  results: ItemResult[];
  clock: BatchClockView | null;
};

/**
 * Records samples for the device's patient, or for the patient that a person names.
 * @throws ApiError unauthenticated, forbidden, not_found, invalid_request, conflict, unavailable (nothing was stored: retry)
 */
export async function ingestSamples(env: Env, call: Call, named: NamedOrigin, samples: IncomingBatch): Promise<IngestResult> {
  const { actor } = call;
  if (actor.kind === "device") {
    const items = await resolveDays(call, samples.items, hospitalOfCredential(actor.credentialId));
    return ingestFromDevice(env, { ...call, actor }, named, { ...samples, items });
  }
  const patientRef = named.patient;
  const { patient, role, basis, hospitalId } = await authorizePatient(
    call,
    patientRef === undefined ? OWN_RECORD : { patient: patientRef },
    "observation:create",
  );
  if (samples.conditions !== null) throw new ApiError("invalid_request", "Only devices report conditions.");
  if (named.device !== undefined) await requireAssignedDevice(call, named.device, { patient, role, hospitalId });
  const entity = { type: "patient", id: patient.id };
  const detail = { samples: samples.items.length, ...(named.device !== undefined && { device_id: named.device }) };
  const event = {
    event: "observation.create",
    action: "C" as const,
    role,
    basis,
    hospitalId,
    entity,
    subjects: [patient.id],
    detail,
  };
  const marks = named.device === undefined ? [] : [markSynced(call, named.device)];
  const { begun } = await beginChange(call, event, [...markRecordInUse(call, patient.id), ...marks]);
  const origin: Origin = { kind: "person", id: getActorId(actor), isApp: actor.kind === "app" };
  const items = await resolveDays(call, samples.items, sql`${patient.hospital_id}`);
  // The object learns of a closed record only after the response to the change.
  const recorded =
    patient.active === 1 ? await recordWithFacts(env, call, patient.id, origin, { ...samples, items }) : NOT_RECORDED;
  if (!recorded.known) return failWithAudit(call, "conflict", event, "The patient record does not accept samples.");
  if (recorded.results.some(({ status }) => status === "stored" || status === "duplicate")) await endChange(call, begun);
  else await recordNothingStored(call, event);
  return { patient_id: patient.id, results: recorded.results, clock: null };
}

const recordNothingStored = ({ db, actor, now }: Call, event: AuditEvent) =>
  batch(db, recordAuditEvent(db, actor, now, { ...event, outcome: "failed", reason: "nothing_stored" }));

const NOT_RECORDED: RecordResult = { known: false };

/** Samples are stored in the object only; this row marks the record in D1 as in use, so that it cannot be deleted. */
export function markRecordInUse({ db, actor, now }: Call, patientId: string): Statement[] {
  const row = { patientId, updatedBy: getActorId(actor), updatedAt: now };
  return [db.insert(monitoringSettings).values(row).onConflictDoNothing()];
}

async function ingestFromDevice(
  env: Env,
  call: Call<DeviceActor>,
  named: NamedOrigin,
  samples: IncomingBatch,
): Promise<IngestResult> {
  const origin: Origin = { kind: "device", credential: call.actor.credentialId };
  const hint = await findPatientHint(env, origin.credential);
  const isHinted = hint !== null && named.device === undefined && (named.patient ?? hint) === hint;
  const first = isHinted ? await recordAtMonitor(env, hint, origin, samples) : null;
  const isNamed = named.patient !== undefined;
  if (isHinted && first?.known)
    return rerouteElsewhere(env, call, { current: hint, named: isNamed ? hint : null }, first, samples);
  // The object does not know this credential, so D1 decides.
  const target = named.patient === undefined ? OWN_RECORD : { patient: named.patient };
  const { access, ...device } = await resolveDeviceAccess(call, call.actor, target, "observation:create");
  const { deviceId, hospitalId } = device;
  if (named.device !== undefined && named.device !== deviceId) return denyOtherDevice(call, named.device, hospitalId);
  if (!access) {
    await deletePatientHint(env, origin.credential);
    await refuseOwnDevice(call, device, false);
    return {
      patient_id: null,
      results: await holdSamples(call, device, samples.items, null, isNamed ? "other_patient" : "not_bound"),
      clock: null,
    };
  }
  const patientId = access.patient.id;
  const recorded = await recordWithFacts(env, call, patientId, origin, samples);
  if (!recorded.known) {
    await refuseOwnDevice(call, device, true);
    return {
      patient_id: null,
      results: await holdSamples(call, device, samples.items, null, "record_closed"),
      clock: null,
    };
  }
  await storePatientHint(env, origin.credential, patientId);
  return rerouteElsewhere(env, call, { current: patientId, named: isNamed ? patientId : null }, recorded, samples);
}

/** The device's patient, and the one that the device named, if it named one. */
type DevicePatients = { current: string; named: string | null };

/** Reroutes samples that were measured while the device was assigned to another patient. */
async function rerouteElsewhere(
  env: Env,
  call: Call<DeviceActor>,
  patients: DevicePatients,
  recorded: RecordResult & { known: true },
  samples: IncomingBatch,
): Promise<IngestResult> {
  const { results, clock } = recorded;
  const elsewhereIndexes = results.filter(({ status }) => status === "elsewhere").map(({ index }) => index);
  if (elsewhereIndexes.length === 0) return { patient_id: patients.current, results, clock };
  const rerouted = await rerouteSamples(env, call, patients, elsewhereIndexes, { ...samples, clock });
  for (const result of rerouted.results) results[result.index] = result;
  return { patient_id: rerouted.boundPatientId ?? patients.current, results, clock };
}

type AssignmentSpan = { patient_id: string; started_at: number; ended_at: number | null };

async function rerouteSamples(
  env: Env,
  call: Call<DeviceActor>,
  { current: currentPatientId, named }: DevicePatients,
  indexes: number[],
  { items, sent_at, conditions, clock = null }: IncomingBatch,
): Promise<{ results: ItemResult[]; boundPatientId: string | null }> {
  const { db, actor } = call;
  const device = await resolveDeviceAccess(call, actor, OWN_RECORD, "observation:create");
  const spans = await db.all<AssignmentSpan>(sql`SELECT patient_id, started_at, ended_at FROM device_assignments
    WHERE device_id = ${device.deviceId} ORDER BY started_at DESC LIMIT 50`);
  // The device was reassigned: the next request tries the new patient's object first.
  const boundPatientId = spans.find(({ ended_at }) => ended_at === null)?.patient_id ?? null;
  if (boundPatientId !== null && boundPatientId !== currentPatientId)
    await storePatientHint(env, actor.credentialId, boundPatientId);
  const groups = new Map<string | null, number[]>();
  for (const index of indexes) {
    const at = correctedTime(items[index], clock?.corrected_ms ?? 0);
    const span = spans.find(
      ({ started_at, ended_at }) => at !== null && at >= started_at && (ended_at === null || at < ended_at),
    );
    const patientId = span?.patient_id ?? null;
    groups.set(patientId, [...(groups.get(patientId) ?? []), index]);
  }
  const results: ItemResult[] = [];
  for (const [patientId, group] of groups) {
    const part = {
      items: group.map((index) => items[index]),
      sent_at,
      conditions: patientId === boundPatientId ? conditions : null,
      clock,
    };
    const isOther = patientId !== null && named !== null && patientId !== named;
    const recorded =
      patientId === null || patientId === currentPatientId || isOther
        ? null
        : await recordWithFacts(env, call, patientId, { kind: "device", credential: actor.credentialId }, part);
    const unplaced = group.filter((_, i) => !recorded?.known || recorded.results[i]?.status === "elsewhere");
    if (recorded?.known) {
      for (const [i, index] of group.entries())
        if (!unplaced.includes(index)) results.push({ ...recorded.results[i], index } as ItemResult);
    }
    // The other samples are stored by now: the quota refuses items, not the request.
    const held = holdSamples(call, device, items, unplaced, isOther ? "other_patient" : "not_bound_then");
    results.push(...(await held.catch((error: unknown) => rejectByQuota(unplaced, error))));
  }
  return { results, boundPatientId };
}

/** The measurement time with the clock correction of the object, epoch milliseconds; null when unreadable. */
function correctedTime(item: unknown, correctedMs: number): number | null {
  const time = typeof item === "object" && item !== null && "effective_at" in item ? item.effective_at : null;
  const statedAt = typeof time === "string" ? parseInstant(time) : null;
  return statedAt === null ? null : statedAt - correctedMs;
}

const recordWithFacts = (env: Env, call: Call, patientId: string, origin: Origin, samples: IncomingBatch) =>
  callWithFacts(env, call, patientId, () => recordAtMonitor(env, patientId, origin, samples));

/** Calls an object; configures one that does not know the patient or credential, and retries. */
export async function callWithFacts<T extends { known: boolean }>(
  env: Env,
  call: Call,
  patientId: string,
  request: () => Promise<T>,
): Promise<T> {
  const result = await request();
  if (result.known) return result;
  const facts = await loadFacts(call, patientId, Date.now());
  if (!facts) return result;
  await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).configure(facts));
  return request();
}

function recordAtMonitor(env: Env, patientId: string, origin: Origin, samples: IncomingBatch): Promise<RecordResult> {
  return callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).record(origin, samples));
}

/** A request does not wait longer for a patient's object; what the object has begun it may still complete. */
const MONITOR_DEADLINE_MS = 10_000;

/**
 * Calls an object, with a deadline, and retries once if the platform reports a retryable error. Ingest is idempotent, so retries are
 * safe. @param retry false for calls that must not run twice  @throws ApiError unavailable
 */
export async function callMonitor<T>(env: Env, request: () => Promise<T>, retry = true): Promise<T> {
  const call = () => withDeadline(request(), MONITOR_DEADLINE_MS, "a patient's object");
  try {
    return await call();
  } catch (error) {
    const { retryable = false, overloaded = false } = error as { retryable?: boolean; overloaded?: boolean };
    if (retry && retryable && !overloaded) return await call();
    log(env, "ERROR", "an object failed", { cause: error instanceof Error ? error.name : "unknown" });
    throw new ApiError("unavailable", undefined, { cause: error, headers: { "Retry-After": "2" } });
  }
}
