// What a row of the board shows of a patient, decided from what is known and when the server got it. Nothing here needs a browser.
import type { AlertView, LiveSample, Score } from "../../../src/monitor/contract.ts";
import { CODES } from "../alarms/vital-codes.ts";
import { type Priority, shownAs } from "../design/shown-as.ts";
import { type Freshness, freshnessOf, type LinkStatus, limitsOf, type Silences } from "../live/freshness.ts";

/** As the live store has a patient; under `<code>!` the newest invalid value. */
export type Known = {
  latest: ReadonlyMap<string, LiveSample>;
  alerts: ReadonlyMap<string, AlertView>;
  news2: Score | null;
};

type Told = { latest: readonly LiveSample[]; alerts: readonly AlertView[]; news2: Score | null };

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
  };
  return { known, moment: { ...moment, link: "off" } };
}

/** `now`: the server's time, epoch milliseconds. */
export type Moment = { now: number; link: LinkStatus; silences: Silences };

/** `isInvalid`: not possible in a living body, which is said however old it is. */
export type Shown = {
  value: number | null;
  freshness: Freshness;
  ageS: number | null;
  alarm: Priority | null;
  isInvalid: boolean;
};

/** What the score is made of, and the vitals any of which tell it. */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  respiratory_rate: [CODES.respiratory_rate],
  spo2: [CODES.spo2],
  oxygen: [CODES.inspired_oxygen, CODES.oxygen_flow],
  systolic: [CODES.systolic],
  pulse: [CODES.heart_rate],
  consciousness: [CODES.consciousness],
  temperature: [CODES.temperature],
};
/** Rules that are about a value; a silent sensor says nothing about its last one. */
const OF_VALUES: readonly string[] = ["limit", "rate", "trend"];

/** The newest of a vital, whether it is possible in a living body or not. */
function newest({ latest }: Known, code: string): LiveSample | undefined {
  const valid = latest.get(code);
  const invalid = latest.get(`${code}!`);
  return invalid && (!valid || invalid.effective_at > valid.effective_at) ? invalid : valid;
}

const ageOf = ({ received_at }: LiveSample, now: number) => Math.max(0, (now - Date.parse(received_at)) / 1000);

function sampleFreshness(sample: LiveSample | undefined, { now, link, silences }: Moment): Freshness {
  const limits = limitsOf(sample?.code ?? "", sample?.performer_id != null, silences);
  return freshnessOf(sample, now, limits, link);
}

const MISSING: Shown = { value: null, freshness: "missing", ageS: null, alarm: null, isInvalid: false };

/** @param also other codes whose alarm is this value's too, as the mean pressure's is the blood pressure's */
export function shownValue(known: Known | undefined, code: string, moment: Moment, also: readonly string[] = []): Shown {
  const sample = known && newest(known, code);
  if (!known || !sample) return MISSING;
  const freshness = sampleFreshness(sample, moment);
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

export type ShownScore =
  | { kind: "score"; score: number; band: 0 | 1 | 2 | 3 }
  /** Parameters that are missing or too old. */
  | { kind: "needs"; what: readonly string[] }
  | { kind: "not_applicable"; reason: "age" | "pregnancy" | "age_unknown" }
  | { kind: "unknown" };

/** NEWS2 has a number only while all of it is of now. */
export function shownScore(known: Known | undefined, moment: Moment): ShownScore {
  if (!known?.news2) return { kind: "unknown" };
  const { news2 } = known;
  if (news2.status === "not_applicable") return { kind: "not_applicable", reason: news2.reason };
  if (moment.link !== "live") return { kind: "unknown" };
  if (news2.status === "incomplete") return { kind: "needs", what: [...news2.missing, ...news2.stale] };
  const isOfNow = (code: string) => {
    const freshness = sampleFreshness(newest(known, code), moment);
    return freshness === "live" || freshness === "late";
  };
  const lacking = Object.entries(INPUTS).flatMap(([name, codes]) => (codes.some(isOfNow) ? [] : [name]));
  if (lacking.length > 0) return { kind: "needs", what: lacking };
  const single3 = Object.values(news2.parts).includes(3);
  return { kind: "score", score: news2.score, band: bandOf(news2.score, single3) };
}

/** RCP 2017: 7 and more emergency, 5 and 6 or three points in one parameter urgent, and whether there are any points at all. */
function bandOf(score: number, single3: boolean): 0 | 1 | 2 | 3 {
  if (score >= 7) return 3;
  if (score >= 5 || single3) return 2;
  return score > 0 ? 1 : 0;
}

/** When anything came last. */
export function shownUpdate(known: Known | undefined, moment: Moment): { freshness: Freshness; ageS: number | null } {
  let last: LiveSample | undefined;
  for (const sample of known?.latest.values() ?? []) if (!last || sample.received_at > last.received_at) last = sample;
  if (!last) return { freshness: "missing", ageS: null };
  const freshness = sampleFreshness(last, moment);
  // Something came, if only something impossible.
  return { freshness: freshness === "invalid" ? "live" : freshness, ageS: ageOf(last, moment.now) };
}

const STATES: readonly AlertView["state"][] = ["active", "recovered", "acknowledged", "cleared"];
const PRIORITIES: readonly Priority[] = ["high", "medium", "low", "technical"];

/** Those nobody has seen first, the worst of them first, of equals the oldest. */
export function sortedByUrgency(alerts: Iterable<AlertView>): AlertView[] {
  return [...alerts].sort(
    (a, b) =>
      STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
      PRIORITIES.indexOf(shownAs(a)) - PRIORITIES.indexOf(shownAs(b)) ||
      (a.raised_at < b.raised_at ? -1 : 1),
  );
}
