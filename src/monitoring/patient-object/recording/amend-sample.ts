// Correction of a sample: amended or entered in error. The original stays in its block, and earlier values in the correction.

import { HOUR_MS, toIso } from "../../../platform/time.ts";
import type { AlarmInput } from "../../alarm-rules/model.ts";
import { findVital } from "../../vitals/catalogue.ts";
import { type Sample, shownAt } from "../../vitals/model.ts";
import { validateSample } from "../../vitals/sample-validation.ts";
import type { LiveSample } from "../contract.ts";
import type { CorrectionBody } from "../samples/correction.ts";
import { findArchivedSample, readOpenHour } from "../samples/read-samples.ts";
import type { Store } from "../samples/store.ts";
import { type CorrectedSample, toLiveSample } from "../snapshot.ts";
import { markForRecount } from "./hour-closing.ts";
import { refreshLatest, toCorrection } from "./latest-values.ts";

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
  | { sample: LiveSample; history: { value: number; unit: string; by: string; at: string; reason: string | null }[] }
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
  const previousCorrection: CorrectionBody | null = store.documents.correction(place.block, place.index);
  const unitBefore = previousCorrection?.unit ?? found.unit;
  const corrected = givenValue === null ? found : validateValue(found, givenValue, unit ?? unitBefore);
  if ("error" in corrected) return corrected;
  const { value } = corrected;
  if (previousCorrection && previousCorrection.before.length >= MAX_AMENDMENTS_PER_SAMPLE) return { error: "too_many_of_sample" };
  if (!previousCorrection && store.documents.correctionCount() >= MAX_AMENDED_SAMPLES_PER_PATIENT)
    return { error: "too_many_of_patient" };
  const before = [
    ...(previousCorrection?.before ?? []),
    previousCorrection
      ? {
          value: previousCorrection.value,
          unit: unitBefore,
          by: previousCorrection.by,
          at: previousCorrection.at,
          reason: previousCorrection.reason,
        }
      : { value: found.value, unit: unitBefore, by: found.device ?? "", at: found.received, reason: null },
  ];
  const changedUnit = corrected.unit === found.unit ? {} : { unit: corrected.unit };
  const body: CorrectionBody = { status, value, ...changedUnit, by, reason, at: now, before };
  transact(() => {
    store.saveCorrection(place.block, place.index, body);
    const memory = store.memory(now);
    const hour = Math.floor(found.at / HOUR_MS);
    if (hour > memory.lastClosedHour) memory.hours[hour] = readOpenHour(store, hour, now);
    else markForRecount(store, memory, hour);
    store.markDirty(now);
    const measured = { at: shownAt(found), value: status === "amended" ? value : null };
    const latest = memory.latest[found.code];
    if (latest && shownAt(found) < shownAt(latest)) return { kind: "corrected_set", code: found.code, ...measured };
    refreshLatest(store, memory, new Set([found.code]), now);
    return { ...toCorrection(memory, found.code), measured };
  });
  const sample = toLiveSample(patientId, { ...found, value, unit: corrected.unit, status });
  return { sample, history: before.map(({ at, unit = found.unit, ...rest }) => ({ ...rest, unit, at: toIso(at) })) };
}

/** The value in the sample's or the catalogue's unit, validated like an incoming one; or the error. */
function validateValue(
  { code, at, received, unit: own }: CorrectedSample,
  value: number | string,
  unit: string,
): Pick<Sample, "value" | "unit"> | { error: "unit_unknown" | "implausible" } {
  const effective_at = toIso(at);
  const validated = validateSample({ code, value, unit, effective_at }, { received, skewMs: null });
  if (!validated.ok)
    return { error: validated.reason === "unit_unknown" || validated.reason === "unit_invalid" ? "unit_unknown" : "implausible" };
  // A known vital has the catalogue's unit by now, a doubtful one its own.
  if (validated.sample.unit !== own && findVital(code) === null) return { error: "unit_unknown" };
  return validated.sample.status === "final" ? validated.sample : { error: "implausible" };
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
