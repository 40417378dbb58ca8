// Pure view model of a board row.
import type { AlertView, LimitsInForce, LiveSample, Score } from "../../../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { type DisplayPriority, displayPriority } from "../../platform/design/display-priority.ts";
import type { Freshness } from "../live/freshness.ts";
import { toLatestSamples } from "../live/latest-samples.ts";
import {
  newestSample,
  type PatientState,
  PRIORITY_ORDER,
  sampleAgeS,
  sampleFreshness,
  type ViewContext,
} from "../live/patient-state.ts";

type BoardSnapshot = {
  latest: readonly LiveSample[];
  alerts: readonly AlertView[];
  news2: Score | null;
  limits: readonly LimitsInForce[];
};

/**
 * State of a patient: live, or the board's response, which never counts as live.
 * @param live from the live store @param snapshot from the board's response
 */
export function toPatientState(
  live: PatientState | undefined,
  snapshot: BoardSnapshot,
  moment: ViewContext,
): { patient: PatientState; moment: ViewContext } {
  if (live) return { patient: live, moment };
  const patient: PatientState = {
    latest: toLatestSamples(snapshot.latest),
    alerts: new Map(snapshot.alerts.map((alert) => [alert.alert_id, alert])),
    news2: snapshot.news2,
    limits: new Map(snapshot.limits.map((one) => [one.code, one])),
  };
  return { patient, moment: { ...moment, connection: "off" } };
}

/** `isInvalid`: physiologically impossible, marked at any age. */
export type DisplayValue = {
  value: number | null;
  freshness: Freshness;
  ageS: number | null;
  alarm: DisplayPriority | null;
  isInvalid: boolean;
};

/** Rules about a value; a silence alarm says nothing about the last value. */
const VALUE_RULES: readonly string[] = ["limit", "rate", "trend"];

const MISSING: DisplayValue = { value: null, freshness: "missing", ageS: null, alarm: null, isInvalid: false };

/** @param relatedCodes further codes whose alarms belong to this value, e.g. mean pressure to blood pressure */
export function getDisplayValue(
  patient: PatientState | undefined,
  code: string,
  moment: ViewContext,
  relatedCodes: readonly string[] = [],
): DisplayValue {
  const sample = patient && newestSample(patient, code);
  if (!patient || !sample) return MISSING;
  const freshness = sampleFreshness(patient, sample, moment);
  const codes = [code, ...relatedCodes];
  const alarms = [...patient.alerts.values()].filter(
    (alert) => alert.state !== "recovered" && VALUE_RULES.includes(alert.rule) && codes.includes(alert.code ?? ""),
  );
  const isCurrent = freshness === "live" || freshness === "late";
  const shown = alarms.map(displayPriority);
  const alarm = isCurrent ? (PRIORITY_ORDER.find((priority) => shown.includes(priority)) ?? null) : null;
  const isInvalid = sample.status === "invalid";
  return { value: sample.value, freshness, ageS: sampleAgeS(sample, moment.now), alarm, isInvalid };
}

const FRESHNESS_ORDER: readonly Freshness[] = ["stale", "invalid", "late", "live"];

export type DisplayPressure = Omit<DisplayValue, "value"> & { systolic: number | null; diastolic: number | null };

/** Systolic and diastolic as one value, with the age of the older one. */
export function getDisplayPressure(patient: PatientState, moment: ViewContext): DisplayPressure {
  const systolic = getDisplayValue(patient, CODES.systolic, moment, [CODES.mean_pressure]);
  const diastolic = getDisplayValue(patient, CODES.diastolic, moment, [CODES.mean_pressure]);
  const measured = [systolic, diastolic].filter(({ freshness }) => freshness !== "missing");
  return {
    systolic: systolic.value,
    diastolic: diastolic.value,
    freshness: FRESHNESS_ORDER.find((state) => measured.some(({ freshness }) => freshness === state)) ?? "missing",
    ageS: measured.length === 0 ? null : Math.max(...measured.map(({ ageS }) => ageS ?? 0)),
    alarm: PRIORITY_ORDER.find((priority) => measured.some(({ alarm }) => alarm === priority)) ?? null,
    isInvalid: measured.some(({ isInvalid }) => isInvalid),
  };
}
