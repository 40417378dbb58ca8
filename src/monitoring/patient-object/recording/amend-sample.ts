// Correction of a sample: amended or entered in error. The original stays in its block, and earlier values in the correction.

import { DAY_MS, HOUR_MS, toIso } from "../../../platform/time.ts";
import type { AlarmInput } from "../../alarm-rules/model.ts";
import { validateSample } from "../../vitals/sample-validation.ts";
import type { LiveSample } from "../contract.ts";
import type { MonitorMemory } from "../memory/monitor-memory.ts";
import type { CorrectionBody } from "../samples/correction.ts";
import { correctBlock, findArchivedSample, readOpenHour } from "../samples/read-samples.ts";
import type { Store } from "../samples/store.ts";
import { type CorrectedSample, toLiveSample, toMeasuredSample } from "../snapshot.ts";
import { markForRecount } from "./hour-closing.ts";

export type Amendment = {
  status: CorrectionBody["status"];
  /** In the form that devices send; null keeps the value (entered in error). */
  value: number | string | null;
  /** UCUM; null means the unit of the sample. */
  unit: string | null;
  reason: string;
  by: string;
};
export type AmendmentResult =
  | { sample: LiveSample; history: { value: number; by: string; at: string; reason: string | null }[] }
  | { error: "not_found" | "implausible" | "unit_unknown" | "too_many_of_sample" | "too_many_of_patient" };

/** Each stays in the correction of the sample, which every read of its block loads. */
export const MAX_AMENDMENTS_PER_SAMPLE = 20;
export const MAX_AMENDED_SAMPLES_PER_PATIENT = 5_000;

/**
 * Corrects a sample and recounts its hour; the outbox sends the result to D1.
 * @param transact runs its argument in one transaction, and the alarm rules on what it returns
 */
export async function amendSample(
  env: Env,
  store: Store,
  patientId: string,
  place: { block: number; index: number },
  { status, value: givenValue, unit, reason, by }: Amendment,
  now: number,
  transact: (work: () => AlarmInput | null) => void,
): Promise<AmendmentResult> {
  const found = await findSample(env, store, patientId, place, now);
  if (!found) return { error: "not_found" };
  const value = givenValue === null ? found.value : validateValue(found, givenValue, unit ?? found.unit);
  if (typeof value === "string") return { error: value };
  const previousCorrection: CorrectionBody | null = store.documents.correction(place.block, place.index);
  if (previousCorrection && previousCorrection.before.length >= MAX_AMENDMENTS_PER_SAMPLE) return { error: "too_many_of_sample" };
  if (!previousCorrection && store.documents.correctionCount() >= MAX_AMENDED_SAMPLES_PER_PATIENT)
    return { error: "too_many_of_patient" };
  const before = [
    ...(previousCorrection?.before ?? []),
    previousCorrection
      ? {
          value: previousCorrection.value,
          by: previousCorrection.by,
          at: previousCorrection.at,
          reason: previousCorrection.reason,
        }
      : { value: found.value, by: found.device ?? "", at: found.received, reason: null },
  ];
  const body: CorrectionBody = { status, value, by, reason, at: now, before };
  transact(() => {
    store.saveCorrection(place.block, place.index, body);
    const memory = store.memory(now);
    const hour = Math.floor(found.at / HOUR_MS);
    if (hour > memory.lastClosedHour) memory.hours[hour] = readOpenHour(store, hour, now);
    else markForRecount(store, memory, hour);
    store.markDirty(now);
    const measured = { at: Math.min(found.at, found.received), value: status === "amended" ? value : null };
    if (found.at < (memory.latest[found.code]?.at ?? found.at)) return { kind: "corrected_set", code: found.code, ...measured };
    refreshLatest(store, memory, found.code, now);
    return { kind: "corrected", code: found.code, newest: memory.latest[found.code] ?? null, measured };
  });
  const sample = toLiveSample(patientId, { ...found, value: body.value, status });
  return { sample, history: before.map(({ at, ...rest }) => ({ ...rest, at: toIso(at) })) };
}

/** The value in the sample's unit, validated like an incoming one; or the error. */
function validateValue({ code, at, received, unit: own }: CorrectedSample, value: number | string, unit: string) {
  const effective_at = toIso(at);
  const validated = validateSample({ code, value, unit, effective_at }, { received, skewMs: null });
  if (!validated.ok)
    return validated.reason === "unit_unknown" || validated.reason === "unit_invalid" ? "unit_unknown" : "implausible";
  if (validated.sample.unit !== own) return "unit_unknown";
  return validated.sample.status === "final" ? validated.sample.value : "implausible";
}

/** Recomputes the latest sample of a code from the samples of the last day. */
function refreshLatest(store: Store, memory: MonitorMemory, code: string, now: number): void {
  const newest: Partial<Record<"final" | "invalid", CorrectedSample>> = {};
  for (const block of store.readRange(now - DAY_MS, now + DAY_MS, now)) {
    const own = block.filter((sample) => sample.code === code);
    for (const sample of correctBlock(store, own)) {
      const { status } = toMeasuredSample(sample);
      if (sample.status !== "entered-in-error" && sample.at >= (newest[status]?.at ?? sample.at)) newest[status] = sample;
    }
  }
  for (const [latest, sample] of [[memory.latest, newest.final] as const, [memory.latestInvalid, newest.invalid] as const]) {
    if (!sample) delete latest[code];
    else {
      const { value, unit, at, received, device, status, block, index } = sample;
      const keptStatus = toMeasuredSample(sample).status;
      const amended = status === "amended" ? { amended: true } : {};
      latest[code] = { value, unit, at, received, by: device ?? "", status: keptStatus, block, index, ...amended };
    }
  }
}

async function findSample(
  env: Env,
  store: Store,
  patientId: string,
  { block, index }: { block: number; index: number },
  now: number,
): Promise<CorrectedSample | null> {
  const hotSample = store.block(block, now)?.[index];
  if (hotSample) return { ...hotSample, block };
  return findArchivedSample(env, store, patientId, { block, index }, now);
}
