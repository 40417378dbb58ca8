// What a row of the board shows of a patient. Nothing here needs a browser.
import type { AlertView, LimitsInForce, LiveSample, Score } from "../../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../alarms/vital-codes.ts";
import { type Priority, shownAs } from "../design/shown-as.ts";
import type { Freshness } from "../live/freshness.ts";
import { ageOf, freshnessIn, type Known, type Moment, newestOf, PRIORITIES, sortedByUrgency } from "../live/known.ts";

type Told = {
  latest: readonly LiveSample[];
  alerts: readonly AlertView[];
  news2: Score | null;
  limits: readonly LimitsInForce[];
};

/**
 * What is known of a patient and how to judge it: what is live, or what the board said when it was read, which is never live.
 * @param live as the live store has the patient @param told as the board has
 */
export function knownOf(live: Known | undefined, told: Told, moment: Moment): { known: Known; moment: Moment } {
  if (live) return { known: live, moment };
  const known: Known = {
    latest: new Map(told.latest.map((sample) => [sample.status === "invalid" ? `${sample.code}!` : sample.code, sample])),
    alerts: new Map(told.alerts.map((alert) => [alert.alert_id, alert])),
    news2: told.news2,
    limits: new Map(told.limits.map((one) => [one.code, one])),
  };
  return { known, moment: { ...moment, link: "off" } };
}

/** `isInvalid`: not possible in a living body, which is said however old it is. */
export type Shown = {
  value: number | null;
  freshness: Freshness;
  ageS: number | null;
  alarm: Priority | null;
  isInvalid: boolean;
};

/** Rules that are about a value; a silent sensor says nothing about its last one. */
const OF_VALUES: readonly string[] = ["limit", "rate", "trend"];

const MISSING: Shown = { value: null, freshness: "missing", ageS: null, alarm: null, isInvalid: false };

/** @param also other codes whose alarm is this value's too, as the mean pressure's is the blood pressure's */
export function shownValue(known: Known | undefined, code: string, moment: Moment, also: readonly string[] = []): Shown {
  const sample = known && newestOf(known, code);
  if (!known || !sample) return MISSING;
  const freshness = freshnessIn(known, sample, moment);
  const about = [code, ...also];
  const alarms = [...known.alerts.values()].filter(
    (alert) => alert.state !== "recovered" && OF_VALUES.includes(alert.rule) && about.includes(alert.code ?? ""),
  );
  const isOfNow = freshness === "live" || freshness === "late";
  const alarm = isOfNow ? (sortedByUrgency(alarms).map(shownAs)[0] ?? null) : null;
  const isInvalid = sample.status === "invalid";
  return { value: sample.value, freshness, ageS: ageOf(sample, moment.now), alarm, isInvalid };
}

const WORST: readonly Freshness[] = ["stale", "invalid", "late", "live"];

export type ShownPressure = Omit<Shown, "value"> & { systolic: number | null; diastolic: number | null };

/** Both pressures as one: as old as the older of them. */
export function shownPressure(known: Known, moment: Moment): ShownPressure {
  const systolic = shownValue(known, CODES.systolic, moment, [CODES.mean_pressure]);
  const diastolic = shownValue(known, CODES.diastolic, moment, [CODES.mean_pressure]);
  const measured = [systolic, diastolic].filter(({ freshness }) => freshness !== "missing");
  return {
    systolic: systolic.value,
    diastolic: diastolic.value,
    freshness: WORST.find((state) => measured.some(({ freshness }) => freshness === state)) ?? "missing",
    ageS: measured.length === 0 ? null : Math.max(...measured.map(({ ageS }) => ageS ?? 0)),
    alarm: PRIORITIES.find((priority) => measured.some(({ alarm }) => alarm === priority)) ?? null,
    isInvalid: measured.some(({ isInvalid }) => isInvalid),
  };
}
