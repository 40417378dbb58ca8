// Samples on their way to the patient's object. With a device's credential no query of D1 is on this path: the object knows
// its devices; D1 is asked when it does not, and the object is told.
import { sql } from "drizzle-orm";
import { asPrincipal, deviceAccess, requirePatient } from "../../access/access.ts";
import { type Call, type DeviceActor, idOf } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { OWN } from "../../access/patient-row.ts";
import { refuse } from "../../access/refusals.ts";
import { DAY_MS } from "../../platform/counters.ts";
import { seal } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { monitoringSettings } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { loadFacts } from "../patient-object/context/facts.ts";
import type { Batch, ItemResult, Origin, RecordAnswer } from "../patient-object/contract.ts";
import { fieldsOf } from "../patient-object/take.ts";
import { instantOf, judge } from "../vitals/incoming.ts";
import { forgetHint, hintOf, keepHint } from "./hints.ts";

/** Requests of a device without a patient that are kept in a day. */
const MOST_HELD = 1_000;

export type Ingested = {
  patient_id: string | null;
  results: ItemResult[];
  clock: { skew_ms: number | null; corrected_ms: number } | null;
};

/**
 * Brings samples to the patient of the device, or to the one that a person names.
 * @throws ApiError unauthenticated, forbidden, not_found, unavailable (nothing was kept: send it again)
 */
export async function bringSamples(env: Env, call: Call, patientRef: string | undefined, samples: Batch): Promise<Ingested> {
  const { actor } = call;
  if (actor.kind === "device") return bringFromDevice(env, { ...call, actor }, samples);
  const { patient, role, basis, hospitalId } = await requirePatient(
    call,
    patientRef === undefined ? OWN : { patient: patientRef },
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
  await batch(call.db, [...keptFor(call, patient.id), ...audit(call.db, actor, call.now, event)]);
  const answer = await recordWithFacts(env, call, patient.id, { kind: "person", id: idOf(actor) }, samples);
  if (!answer.known) throw new ApiError("conflict", "The record takes no samples now.");
  return { patient_id: patient.id, results: answer.results, clock: null };
}

/** Samples lie in the object alone: this row says in D1 that the record is in use and cannot be deleted as a mistake. */
function keptFor({ db, actor, now }: Call, patientId: string): Statement[] {
  const row = { patientId, updatedBy: idOf(actor), updatedAt: now };
  return [db.insert(monitoringSettings).values(row).onConflictDoNothing()];
}

async function bringFromDevice(env: Env, call: Call<DeviceActor>, samples: Batch): Promise<Ingested> {
  const origin: Origin = { kind: "device", credential: call.actor.credentialId };
  const hint = await hintOf(env, origin.credential);
  const first = hint === null ? null : await record(env, hint, origin, samples);
  if (hint !== null && first?.known) return settle(env, call, hint, first, samples);
  // The object does not know this credential: D1 says whose it is, or that it is nobody's.
  const { deviceId, hospitalId, access } = await deviceAccess(call, call.actor, OWN, "observation:create");
  if (!access) {
    await forgetHint(env, origin.credential);
    return {
      patient_id: null,
      results: await hold(call, { deviceId, hospitalId }, samples.items, null, "not_bound"),
      clock: null,
    };
  }
  const patientId = access.patient.id;
  const answer = await recordWithFacts(env, call, patientId, origin, samples);
  if (!answer.known) {
    return {
      patient_id: null,
      results: await hold(call, { deviceId, hospitalId }, samples.items, null, "record_closed"),
      clock: null,
    };
  }
  await keepHint(env, origin.credential, patientId);
  return settle(env, call, patientId, answer, samples);
}

/** Brings elsewhere what was measured while the device was another patient's. */
async function settle(
  env: Env,
  call: Call<DeviceActor>,
  patientId: string,
  answer: RecordAnswer & { known: true },
  samples: Batch,
): Promise<Ingested> {
  const { results, clock } = answer;
  const elsewhere = results.filter(({ status }) => status === "elsewhere").map(({ index }) => index);
  if (elsewhere.length === 0) return { patient_id: patientId, results, clock };
  const moved = await bringElsewhere(env, call, patientId, elsewhere, samples, clock?.corrected_ms ?? 0);
  for (const result of moved.results) results[result.index] = result;
  return { patient_id: moved.home ?? patientId, results, clock };
}

type Span = { patient_id: string; started_at: number; ended_at: number | null };

async function bringElsewhere(
  env: Env,
  call: Call<DeviceActor>,
  present: string,
  indexes: number[],
  { items, sent_at, conditions }: Batch,
  correctedMs: number,
): Promise<{ results: ItemResult[]; home: string | null }> {
  const { db, actor } = call;
  const { deviceId, hospitalId } = await deviceAccess(call, actor, OWN, "observation:create");
  const spans = await db.all<Span>(sql`SELECT patient_id, started_at, ended_at FROM device_assignments
    WHERE device_id = ${deviceId} ORDER BY started_at DESC LIMIT 50`);
  // The device has moved: from now on the object of the patient it is bound to is tried first.
  const home = spans.find(({ ended_at }) => ended_at === null)?.patient_id ?? null;
  if (home !== null && home !== present) await keepHint(env, actor.credentialId, home);
  const groups = new Map<string | null, number[]>();
  for (const index of indexes) {
    const at = timeOf(items[index], correctedMs);
    const span = spans.find(
      ({ started_at, ended_at }) => at !== null && at >= started_at && (ended_at === null || at < ended_at),
    );
    const patientId = span?.patient_id ?? null;
    groups.set(patientId, [...(groups.get(patientId) ?? []), index]);
  }
  const results: ItemResult[] = [];
  for (const [patientId, group] of groups) {
    const part = { items: group.map((index) => items[index]), sent_at, conditions: patientId === home ? conditions : null };
    const answer =
      patientId === null || patientId === present
        ? null
        : await recordWithFacts(env, call, patientId, { kind: "device", credential: actor.credentialId }, part);
    const lost = group.filter((_, i) => !answer?.known || answer.results[i]?.status === "elsewhere");
    if (answer?.known) {
      for (const [i, index] of group.entries())
        if (!lost.includes(index)) results.push({ ...answer.results[i], index } as ItemResult);
    }
    results.push(...(await hold(call, { deviceId, hospitalId }, items, lost, "not_bound_then")));
  }
  return { results, home };
}

/** When an item was measured, by the clock that the object corrected it to. */
function timeOf(item: unknown, correctedMs: number): number | null {
  const time = typeof item === "object" && item !== null && "effective_at" in item ? item.effective_at : null;
  const said = typeof time === "string" ? instantOf(time) : null;
  return said === null ? null : said - correctedMs;
}

/** Keeps what has no patient, sealed, for somebody to look at. @param indexes of the items; null for all */
async function hold(
  { db, keys, actor, now }: Call,
  { deviceId, hospitalId }: { deviceId: string; hospitalId: string },
  items: readonly unknown[],
  indexes: number[] | null,
  reason: string,
): Promise<ItemResult[]> {
  const all = indexes ?? items.map((_, index) => index);
  const unreadable = all.flatMap((index): ItemResult[] => {
    const judged = judge(items[index], { received: now, skewMs: null });
    return judged.ok || judged.status === "quarantined" ? [] : [{ index, ...judged, status: "rejected" }];
  });
  const held = all.filter((index) => unreadable.every((refused) => refused.index !== index));
  if (held.length === 0) return unreadable;
  const id = uuidv7();
  const place = { table: "held_observations", column: "items", id };
  const itemsSealed = await seal(
    keys.fields,
    place,
    held.map((index) => fieldsOf(items[index])),
  );
  const entity = { type: "device", id: deviceId };
  const today = sql`SELECT count(*) FROM (SELECT 1 FROM held_observations WHERE hospital_id = ${hospitalId}
    AND received_at > ${now - DAY_MS} AND device_id = ${deviceId} LIMIT ${MOST_HELD})`;
  const [kept] = await batch(db, [
    db.all<{
      id: string;
    }>(sql`INSERT INTO held_observations (id, hospital_id, device_id, reason, count, items_sealed, received_at)
      SELECT ${id}, ${hospitalId}, ${deviceId}, ${reason}, CAST(${held.length} AS INTEGER), ${itemsSealed}, CAST(${now} AS INTEGER)
      WHERE (${today}) < ${MOST_HELD} RETURNING id`),
    ...audit(db, actor, now, {
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
async function recordWithFacts(env: Env, call: Call, patientId: string, origin: Origin, samples: Batch): Promise<RecordAnswer> {
  const answer = await record(env, patientId, origin, samples);
  if (answer.known) return answer;
  const facts = await loadFacts(call, patientId, Date.now());
  if (!facts) return answer;
  await atObject(env, async () => env.PATIENT_MONITOR.getByName(patientId).configure(facts));
  return record(env, patientId, origin, samples);
}

function record(env: Env, patientId: string, origin: Origin, samples: Batch): Promise<RecordAnswer> {
  return atObject(env, async () => env.PATIENT_MONITOR.getByName(patientId).record(origin, samples));
}

/**
 * Asks an object, once more where the platform says that it may be asked again: what it keeps it tells apart from repeats.
 * @param again false for what a repeat would do twice  @throws ApiError unavailable
 */
export async function atObject<T>(env: Env, ask: () => Promise<T>, again = true): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { retryable = false, overloaded = false } = error as { retryable?: boolean; overloaded?: boolean };
    if (again && retryable && !overloaded) return ask();
    log(env, "ERROR", "an object failed", { cause: error instanceof Error ? error.name : "unknown" });
    throw new ApiError("unavailable", undefined, { cause: error, headers: { "Retry-After": "2" } });
  }
}

/** The object that a device's socket goes to. @throws ApiError unauthenticated, forbidden (no device), conflict (bound to nobody) */
export async function socketHome(env: Env, call: Call): Promise<{ credentialId: string; patientId: string }> {
  const { actor } = call;
  if (actor.kind !== "device") return refuseSocket(call);
  const { access } = await deviceAccess(call, actor, OWN, "observation:create");
  if (!access) throw new ApiError("conflict", "The device is bound to no patient.");
  const facts = await loadFacts(call, access.patient.id, Date.now());
  if (facts) await atObject(env, async () => env.PATIENT_MONITOR.getByName(access.patient.id).configure(facts));
  return { credentialId: actor.credentialId, patientId: access.patient.id };
}

async function refuseSocket(call: Call): Promise<never> {
  const { role, hospitalId } = (await asPrincipal(call, "observation:create", () => [])).standing;
  return refuse(call, "observation:create", "forbidden", { role, hospitalId });
}
