// Pure evaluation of a patient's state and its freshness, shared by the board, the lists and the patient pages.
import type {
  AlertView,
  LimitsInForce,
  LiveSample,
  Score,
  TakenScoreView,
} from "../../../../src/monitoring/patient-object/contract.ts";
import { NEWS2_SOURCES } from "../../../../src/monitoring/vitals/codes.ts";
import { type DisplayPriority, displayPriority } from "../../platform/design/display-priority.ts";
import {
  type ConnectionStatus,
  type Freshness,
  type FreshnessLimits,
  freshnessLimits,
  judgeFreshness,
  SPOT_VALUE_VALID_S,
  spotFreshnessLimits,
} from "./freshness.ts";
import { findInvalidSample, type LatestSamples, shownTime } from "./latest-samples.ts";

/** State from the live store. */
export type PatientState = {
  latest: LatestSamples;
  alerts: ReadonlyMap<string, AlertView>;
  news2: Score | null;
  limits: ReadonlyMap<string, LimitsInForce>;
};

/** `now`: server time, epoch milliseconds. */
export type ViewContext = { now: number; connection: ConnectionStatus };

/**
 * Whether nothing means that there is nothing: no alarm, no value. Without a current state of the patient it means that
 * nobody knows, and must not look like "all is well".
 */
export const isStateKnown = (patient: object | undefined, connection: ConnectionStatus): boolean =>
  patient !== undefined && connection === "live";

/** The latest value of a vital sign, valid or invalid. */
export function newestSample({ latest }: Pick<PatientState, "latest">, code: string): LiveSample | undefined {
  const valid = latest.get(code);
  const invalid = findInvalidSample(latest, code);
  return invalid && (!valid || shownTime(invalid) > shownTime(valid)) ? invalid : valid;
}

/** Seconds since the server received it. */
export const sampleAgeS = ({ received_at }: LiveSample, now: number) => Math.max(0, (now - Date.parse(received_at)) / 1000);

/** The score of a patient who is watched by spot checks: its values have the freshness of their set. */
function getSpotScore({ news2 }: Pick<PatientState, "news2">): TakenScoreView | null {
  const isTaken = news2?.status === "complete" || news2?.status === "overdue";
  return isTaken && news2.observation_mode === "spot" ? news2 : null;
}

/** Seconds after which a value of this kind is late and stale. */
export function getFreshnessLimits(
  patient: Pick<PatientState, "limits" | "news2">,
  sample: LiveSample | undefined,
): FreshnessLimits {
  const code = sample?.code ?? "";
  const own = freshnessLimits(code, sample?.performer_id != null, patient.limits.get(code)?.silence_s);
  const score = getSpotScore(patient);
  if (!sample || !score) return own;
  return spotFreshnessLimits(own, { received_at: sample.received_at, measuredAt: Date.parse(shownTime(sample)) }, score);
}

/** @param limits for a caller who knows the usual interval */
export function sampleFreshness(
  patient: Pick<PatientState, "limits" | "alerts" | "news2">,
  sample: LiveSample | undefined,
  { now, connection }: ViewContext,
  limits: FreshnessLimits = getFreshnessLimits(patient, sample),
): Freshness {
  if (sample && isReportedSilent(patient, sample, limits)) return "stale";
  return judgeFreshness(sample, now, limits, connection);
}

/** Whether an open alarm says that this value is missing since: a value must not look current beside "no data". */
function isReportedSilent(
  patient: Pick<PatientState, "alerts" | "news2">,
  { code, device_id, performer_id, received_at }: LiveSample,
  { staleAfterS }: FreshnessLimits,
): boolean {
  const isContinuous = performer_id === null && staleAfterS < SPOT_VALUE_VALID_S && getSpotScore(patient) === null;
  return [...patient.alerts.values()].some(
    (alert) =>
      (alert.state === "active" || alert.state === "acknowledged") &&
      received_at < alert.raised_at &&
      ((alert.rule === "silence" && alert.code === code) ||
        // A single value, such as a cuff's, stays valid for its time when its device falls silent.
        (alert.rule === "device_silence" && alert.device_id === device_id && isContinuous)),
  );
}

export type DisplayScore =
  /** `notCurrent`: null for a current score; otherwise its time, and whether the next set is overdue or only a sensor is silent. */
  | { kind: "score"; score: number; band: 0 | 1 | 2 | 3; notCurrent: { asOf: string; isOverdue: boolean } | null }
  /** Missing or outdated parameters. */
  | { kind: "needs"; what: readonly string[] }
  | { kind: "not_applicable"; reason: "age" | "pregnancy" | "age_unknown" }
  | { kind: "unknown" };

/**
 * NEWS2 with its number from the first complete set on: overdue or with a silent sensor it keeps the number and shows its time.
 * Values of spot checks are as old as their set, so only the due time counts for them.
 */
export function getDisplayScore(patient: PatientState | undefined, context: ViewContext): DisplayScore {
  if (!patient?.news2) return { kind: "unknown" };
  const { news2 } = patient;
  if (news2.status === "not_applicable") return { kind: "not_applicable", reason: news2.reason };
  if (context.connection !== "live") return { kind: "unknown" };
  if (news2.status === "incomplete") return { kind: "needs", what: [...news2.missing, ...news2.stale] };
  const isCurrent = (code: string) => {
    const freshness = sampleFreshness(patient, newestSample(patient, code), context);
    return freshness === "live" || freshness === "late";
  };
  const isOverdue = news2.status === "overdue" || context.now > Date.parse(news2.overdue_at);
  const isSilent =
    news2.observation_mode === "continuous" && !Object.values(NEWS2_SOURCES).every((codes) => codes.some(isCurrent));
  const notCurrent = isOverdue || isSilent ? { asOf: news2.as_of, isOverdue } : null;
  return { kind: "score", score: news2.score, band: news2Band(news2), notCurrent };
}

/** The service's risk: 3 is an emergency, 2 is urgent (as is a single parameter of three points), 0 is no points at all. */
export function news2Band({ score, risk }: Pick<TakenScoreView, "score" | "risk">): 0 | 1 | 2 | 3 {
  if (risk === "high") return 3;
  if (risk !== "low") return 2;
  return score > 0 ? 1 : 0;
}

/** Time of the last data. */
export function getLastUpdate(
  patient: PatientState | undefined,
  context: ViewContext,
): { freshness: Freshness; ageS: number | null } {
  let last: LiveSample | undefined;
  for (const sample of patient?.latest.values() ?? []) if (!last || sample.received_at > last.received_at) last = sample;
  if (!patient || !last) return { freshness: "missing", ageS: null };
  const freshness = sampleFreshness(patient, last, context);
  // Data arrived, even if only invalid values.
  return { freshness: freshness === "invalid" ? "live" : freshness, ageS: sampleAgeS(last, context.now) };
}

/**
 * Limits that differ from the defaults, the patient's before the ward's: a value without an alarm must explain itself.
 * @param codes shown as one value, as the two pressures are @returns empty when the defaults apply
 */
export function findCustomLimits({ limits }: Pick<PatientState, "limits">, codes: readonly string[]): readonly LimitsInForce[] {
  const inForce = codes.flatMap((code) => limits.get(code) ?? []);
  const patientLimits = inForce.filter(({ set_by }) => set_by === "patient");
  return patientLimits.length > 0 ? patientLimits : inForce.filter(({ set_by }) => set_by === "ward");
}

const STATE_ORDER: readonly AlertView["state"][] = ["active", "recovered", "acknowledged", "cleared"];
export const PRIORITY_ORDER: readonly DisplayPriority[] = ["high", "medium", "low", "technical"];

/** As in the order of patients: new high or medium, then what is seen or over, then new low, then what a sensor or a device has. */
function urgencyGroup(alert: AlertView): number {
  const shown = displayPriority(alert);
  if (alert.state === "cleared") return 4;
  if (shown === "technical") return 3;
  if (shown === "low") return 2;
  return alert.state === "active" ? 0 : 1;
}

/** The most urgent first; alarms of the same group unacknowledged first, then by priority, then oldest first. */
export function sortedByUrgency(alerts: Iterable<AlertView>): AlertView[] {
  return [...alerts].sort(
    (a, b) =>
      urgencyGroup(a) - urgencyGroup(b) ||
      STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
      PRIORITY_ORDER.indexOf(displayPriority(a)) - PRIORITY_ORDER.indexOf(displayPriority(b)) ||
      (a.raised_at < b.raised_at ? -1 : 1),
  );
}

const RISK_RANKS = ["new_high", "new_medium", "seen", "score_7", "score_5", "unknown", "new_other", "rest"] as const;
export type RiskRank = (typeof RISK_RANKS)[number];

/** A sensor alarm means that the state is unknown, not that the patient deteriorates. */
export function getRiskRank(patient: PatientState | undefined, score: DisplayScore): RiskRank {
  const alerts = [...(patient?.alerts.values() ?? [])].map((alert) => ({ shown: displayPriority(alert), state: alert.state }));
  const isNew = (shown: string) => alerts.some((alert) => alert.state === "active" && alert.shown === shown);
  if (isNew("high")) return "new_high";
  if (isNew("medium")) return "new_medium";
  if (alerts.some(({ state, shown }) => state === "recovered" || (state === "acknowledged" && shown !== "technical")))
    return "seen";
  if (score.kind === "score" && score.band === 3) return "score_7";
  if (score.kind === "score" && score.band === 2) return "score_5";
  if (score.kind !== "score" || score.notCurrent || alerts.some(({ shown }) => shown === "technical")) return "unknown";
  return alerts.length > 0 ? "new_other" : "rest";
}

/** Smaller values sort first. */
export const riskRankIndex = (rank: RiskRank): number => RISK_RANKS.indexOf(rank);
