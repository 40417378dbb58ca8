// Samples on their way to the patient's object. With a device's credential no query of D1 is on this path: the object knows
// its devices; D1 is asked when it does not, and the object is told.
import { sql } from "drizzle-orm";
import { authorizePatient, resolveDeviceAccess, withPrincipal } from "../../access/access.ts";
import { type Call, type DeviceActor, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { monitoringSettings } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { DAY_MS } from "../../platform/time.ts";
import { loadFacts } from "../patient-object/context/facts.ts";
import type { IncomingBatch, ItemResult, Origin, RecordResult } from "../patient-object/contract.ts";
import { pickSampleFields } from "../patient-object/record-batch.ts";
import { parseInstant, validateSample } from "../vitals/sample-validation.ts";
import { deletePatientHint, findPatientHint, storePatientHint } from "./patient-hints.ts";

/** Requests of a device without a patient that are kept in a day. */
const MAX_HELD_PER_DAY = 1_000;

export type IngestResult = {
  patient_id: string | null;
  results: ItemResult[];
  clock: { skew_ms: number | null; corrected_ms: number } | null;
};

/**
 * Brings samples to the patient of the device, or to the one that a person names.
 * @throws ApiError unauthenticated, forbidden, not_found, unavailable (nothing was kept: send it again)
 */
export async function ingestSamples(
  env: Env,
  call: Call,
  patientRef: string | undefined,
  samples: IncomingBatch,
): Promise<IngestResult> {
  const { actor } = call;
  if (actor.kind === "device") return ingestFromDevice(env, { ...call, actor }, samples);
  const { patient, role, basis, hospitalId } = await authorizePatient(
    call,
    patientRef === undefined ? OWN_RECORD : { patient: patientRef },
    "observation:create",
  );
  const entity = { type: "patient", id: patient.id };
  const detail = { samples: samples.items.length };
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
  await batch(call.db, [...markRecordInUse(call, patient.id), ...recordAuditEvent(call.db, actor, call.now, event)]);
  const answer = await recordWithFacts(env, call, patient.id, { kind: "person", id: getActorId(actor) }, samples);
  if (!answer.known) throw new ApiError("conflict", "The record takes no samples now.");
  return { patient_id: patient.id, results: answer.results, clock: null };
}

/** Samples lie in the object alone: this row says in D1 that the record is in use and cannot be deleted as a mistake. */
function markRecordInUse({ db, actor, now }: Call, patientId: string): Statement[] {
  const row = { patientId, updatedBy: getActorId(actor), updatedAt: now };
  return [db.insert(monitoringSettings).values(row).onConflictDoNothing()];
}

async function ingestFromDevice(env: Env, call: Call<DeviceActor>, samples: IncomingBatch): Promise<IngestResult> {
  const origin: Origin = { kind: "device", credential: call.actor.credentialId };
  const hint = await findPatientHint(env, origin.credential);
  const first = hint === null ? null : await recordAtMonitor(env, hint, origin, samples);
  if (hint !== null && first?.known) return rerouteElsewhere(env, call, hint, first, samples);
  // The object does not know this credential: D1 says whose it is, or that it is nobody's.
  const { deviceId, hospitalId, access } = await resolveDeviceAccess(call, call.actor, OWN_RECORD, "observation:create");
  if (!access) {
    await deletePatientHint(env, origin.credential);
    return {
      patient_id: null,
      results: await holdSamples(call, { deviceId, hospitalId }, samples.items, null, "not_bound"),
      clock: null,
    };
  }
  const patientId = access.patient.id;
  const answer = await recordWithFacts(env, call, patientId, origin, samples);
  if (!answer.known) {
    return {
      patient_id: null,
      results: await holdSamples(call, { deviceId, hospitalId }, samples.items, null, "record_closed"),
      clock: null,
    };
  }
  await storePatientHint(env, origin.credential, patientId);
  return rerouteElsewhere(env, call, patientId, answer, samples);
}

/** Brings elsewhere what was measured while the device was another patient's. */
async function rerouteElsewhere(
  env: Env,
  call: Call<DeviceActor>,
  patientId: string,
  answer: RecordResult & { known: true },
  samples: IncomingBatch,
): Promise<IngestResult> {
  const { results, clock } = answer;
  const elsewhereIndexes = results.filter(({ status }) => status === "elsewhere").map(({ index }) => index);
  if (elsewhereIndexes.length === 0) return { patient_id: patientId, results, clock };
  const rerouted = await rerouteSamples(env, call, patientId, elsewhereIndexes, samples, clock?.corrected_ms ?? 0);
  for (const result of rerouted.results) results[result.index] = result;
  return { patient_id: rerouted.boundPatientId ?? patientId, results, clock };
}

type AssignmentSpan = { patient_id: string; started_at: number; ended_at: number | null };

async function rerouteSamples(
  env: Env,
  call: Call<DeviceActor>,
  currentPatientId: string,
  indexes: number[],
  { items, sent_at, conditions }: IncomingBatch,
  correctedMs: number,
): Promise<{ results: ItemResult[]; boundPatientId: string | null }> {
  const { db, actor } = call;
  const { deviceId, hospitalId } = await resolveDeviceAccess(call, actor, OWN_RECORD, "observation:create");
  const spans = await db.all<AssignmentSpan>(sql`SELECT patient_id, started_at, ended_at FROM device_assignments
    WHERE device_id = ${deviceId} ORDER BY started_at DESC LIMIT 50`);
  // The device has moved: from now on the object of the patient it is bound to is tried first.
  const boundPatientId = spans.find(({ ended_at }) => ended_at === null)?.patient_id ?? null;
  if (boundPatientId !== null && boundPatientId !== currentPatientId)
    await storePatientHint(env, actor.credentialId, boundPatientId);
  const groups = new Map<string | null, number[]>();
  for (const index of indexes) {
    const at = correctedTime(items[index], correctedMs);
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
    };
    const answer =
      patientId === null || patientId === currentPatientId
        ? null
        : await recordWithFacts(env, call, patientId, { kind: "device", credential: actor.credentialId }, part);
    const unplaced = group.filter((_, i) => !answer?.known || answer.results[i]?.status === "elsewhere");
    if (answer?.known) {
      for (const [i, index] of group.entries())
        if (!unplaced.includes(index)) results.push({ ...answer.results[i], index } as ItemResult);
    }
    results.push(...(await holdSamples(call, { deviceId, hospitalId }, items, unplaced, "not_bound_then")));
  }
  return { results, boundPatientId };
}

/** When an item was measured, by the clock that the object corrected it to. */
function correctedTime(item: unknown, correctedMs: number): number | null {
  const time = typeof item === "object" && item !== null && "effective_at" in item ? item.effective_at : null;
  const statedAt = typeof time === "string" ? parseInstant(time) : null;
  return statedAt === null ? null : statedAt - correctedMs;
}

/** Keeps what has no patient, sealed, for somebody to look at. @param indexes of the items; null for all */
async function holdSamples(
  { db, keys, actor, now }: Call,
  { deviceId, hospitalId }: { deviceId: string; hospitalId: string },
  items: readonly unknown[],
  indexes: number[] | null,
  reason: string,
): Promise<ItemResult[]> {
  const all = indexes ?? items.map((_, index) => index);
  const unreadable = all.flatMap((index): ItemResult[] => {
    const validated = validateSample(items[index], { received: now, skewMs: null });
    return validated.ok || validated.status === "quarantined" ? [] : [{ index, ...validated, status: "rejected" }];
  });
  const held = all.filter((index) => unreadable.every((refused) => refused.index !== index));
  if (held.length === 0) return unreadable;
  const id = uuidv7();
  const place = { table: "held_observations", column: "items", id };
  const itemsSealed = await sealValue(
    keys.fields,
    place,
    held.map((index) => pickSampleFields(items[index])),
  );
  const entity = { type: "device", id: deviceId };
  const today = sql`SELECT count(*) FROM (SELECT 1 FROM held_observations WHERE hospital_id = ${hospitalId}
    AND received_at > ${now - DAY_MS} AND device_id = ${deviceId} LIMIT ${MAX_HELD_PER_DAY})`;
  const [kept] = await batch(db, [
    db.all<{
      id: string;
    }>(sql`INSERT INTO held_observations (id, hospital_id, device_id, reason, count, items_sealed, received_at)
      SELECT ${id}, ${hospitalId}, ${deviceId}, ${reason}, CAST(${held.length} AS INTEGER), ${itemsSealed}, CAST(${now} AS INTEGER)
      WHERE (${today}) < ${MAX_HELD_PER_DAY} RETURNING id`),
    ...recordAuditEvent(db, actor, now, {
      event: "observation.hold",
      action: "C",
      role: "device",
      hospitalId,
      entity,
      reason,
      detail: { samples: held.length },
      when: sql`changes() > 0`,
    }),
  ]);
  if (kept.length === 0) {
    const message = "This device has had 1,000 requests put aside today.";
    return [...unreadable, ...held.map((index): ItemResult => ({ index, status: "rejected", reason: "too_many_held", message }))];
  }
  const message = "Kept aside: it belongs to no patient.";
  return [...unreadable, ...held.map((index): ItemResult => ({ index, status: "quarantined", reason, message }))];
}

/** Records; an object that does not know the patient or the credential is told what D1 says, and asked again. */
async function recordWithFacts(
  env: Env,
  call: Call,
  patientId: string,
  origin: Origin,
  samples: IncomingBatch,
): Promise<RecordResult> {
  const answer = await recordAtMonitor(env, patientId, origin, samples);
  if (answer.known) return answer;
  const facts = await loadFacts(call, patientId, Date.now());
  if (!facts) return answer;
  await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).configure(facts));
  return recordAtMonitor(env, patientId, origin, samples);
}

function recordAtMonitor(env: Env, patientId: string, origin: Origin, samples: IncomingBatch): Promise<RecordResult> {
  return callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).record(origin, samples));
}

/**
 * Asks an object, once more where the platform says that it may be asked again: what it keeps it tells apart from repeats.
 * @param retry false for what a repeat would do twice  @throws ApiError unavailable
 */
export async function callMonitor<T>(env: Env, request: () => Promise<T>, retry = true): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const { retryable = false, overloaded = false } = error as { retryable?: boolean; overloaded?: boolean };
    if (retry && retryable && !overloaded) return request();
    log(env, "ERROR", "an object failed", { cause: error instanceof Error ? error.name : "unknown" });
    throw new ApiError("unavailable", undefined, { cause: error, headers: { "Retry-After": "2" } });
  }
}

/** The object that a device's socket goes to. @throws ApiError unauthenticated, forbidden (no device), conflict (bound to nobody) */
export async function resolveSocketPatient(env: Env, call: Call): Promise<{ credentialId: string; patientId: string }> {
  const { actor } = call;
  if (actor.kind !== "device") return denySocket(call);
  const { access } = await resolveDeviceAccess(call, actor, OWN_RECORD, "observation:create");
  if (!access) throw new ApiError("conflict", "The device is bound to no patient.");
  const facts = await loadFacts(call, access.patient.id, Date.now());
  if (facts) await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(access.patient.id).configure(facts));
  return { credentialId: actor.credentialId, patientId: access.patient.id };
}

async function denySocket(call: Call): Promise<never> {
  const { role, hospitalId } = (await withPrincipal(call, "observation:create", () => [])).effectiveRole;
  return denyAccess(call, "observation:create", "forbidden", { role, hospitalId });
}
