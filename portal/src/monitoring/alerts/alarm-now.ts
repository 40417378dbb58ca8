// Pure evaluation of what an alarm was raised for, as it is now.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import {
  getDisplayScore,
  newestSample,
  type PatientState,
  sampleAgeS,
  sampleFreshness,
  type ViewContext,
} from "../live/patient-state.ts";

/** `old`: the last known value, which is not current. */
export type AlarmNow = { kind: "current"; value: number } | { kind: "old"; value: number; ageS: number } | { kind: "unknown" };

const UNKNOWN: AlarmNow = { kind: "unknown" };

/** @returns null for an alarm without a value, and for one that is over: only the value when it was raised says something */
export function getAlarmNow(
  { rule, code, state }: Pick<AlertView, "rule" | "code" | "state">,
  patient: PatientState | undefined,
  context: ViewContext,
): AlarmNow | null {
  if (state === "cleared") return null;
  if (rule === "news2") {
    const score = getDisplayScore(patient, context);
    return score.kind === "score" ? { kind: "current", value: score.score } : UNKNOWN;
  }
  if (code === null || !["limit", "rate", "trend"].includes(rule)) return null;
  const sample = patient && newestSample(patient, code);
  if (!sample || sample.status === "invalid") return UNKNOWN;
  const freshness = sampleFreshness(patient, sample, context);
  if (freshness === "live" || freshness === "late") return { kind: "current", value: sample.value };
  return { kind: "old", value: sample.value, ageS: sampleAgeS(sample, context.now) };
}
