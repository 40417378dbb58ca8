// What is known of a patient and how far it may be taken for now: one judgement for the board, the lists and the patient's page.
// Nothing here needs a browser.
import type { AlertView, LimitsInForce, LiveSample, Score } from "../../../src/monitoring/patient-object/contract.ts";
import { NEWS2_SOURCES } from "../../../src/monitoring/vitals/codes.ts";
import { type Priority, shownAs } from "../design/shown-as.ts";
import { type Freshness, freshnessOf, type LinkStatus, limitsOf } from "./freshness.ts";

/** As the live store has a patient; under `<code>!` the newest invalid value. */
export type Known = {
  latest: ReadonlyMap<string, LiveSample>;
  alerts: ReadonlyMap<string, AlertView>;
  news2: Score | null;
  limits: ReadonlyMap<string, LimitsInForce>;
};

/** `now`: the server's time, epoch milliseconds. */
export type Moment = { now: number; link: LinkStatus };

/** The newest of a vital, whether it is possible in a living body or not. */
export function newestOf({ latest }: Pick<Known, "latest">, code: string): LiveSample | undefined {
  const valid = latest.get(code);
  const invalid = latest.get(`${code}!`);
  return invalid && (!valid || invalid.effective_at > valid.effective_at) ? invalid : valid;
}

/** Seconds since the server got it. */
export const ageOf = ({ received_at }: LiveSample, now: number) => Math.max(0, (now - Date.parse(received_at)) / 1000);

export function freshnessIn({ limits }: Pick<Known, "limits">, sample: LiveSample | undefined, { now, link }: Moment): Freshness {
  const code = sample?.code ?? "";
  return freshnessOf(sample, now, limitsOf(code, sample?.performer_id != null, limits.get(code)?.silence_s), link);
}

export type ShownScore =
  | { kind: "score"; score: number; band: 0 | 1 | 2 | 3 }
  /** Parameters that are missing or too old. */
  | { kind: "needs"; what: readonly string[] }
  | { kind: "not_applicable"; reason: "age" | "pregnancy" | "age_unknown" }
  | { kind: "unknown" };

/** NEWS2 has a number only while all of it is of now. */
export function shownScore(known: Omit<Known, "alerts"> | undefined, moment: Moment): ShownScore {
  if (!known?.news2) return { kind: "unknown" };
  const { news2 } = known;
  if (news2.status === "not_applicable") return { kind: "not_applicable", reason: news2.reason };
  if (moment.link !== "live") return { kind: "unknown" };
  if (news2.status === "incomplete") return { kind: "needs", what: [...news2.missing, ...news2.stale] };
  const isOfNow = (code: string) => {
    const freshness = freshnessIn(known, newestOf(known, code), moment);
    return freshness === "live" || freshness === "late";
  };
  const lacking = Object.entries(NEWS2_SOURCES).flatMap(([name, codes]) => (codes.some(isOfNow) ? [] : [name]));
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
  if (!known || !last) return { freshness: "missing", ageS: null };
  const freshness = freshnessIn(known, last, moment);
  // Something came, if only something impossible.
  return { freshness: freshness === "invalid" ? "live" : freshness, ageS: ageOf(last, moment.now) };
}

/**
 * Limits that somebody moved, of this patient before those of the ward: a value that raises no alarm must say so itself.
 * @param codes of what is shown as one value, as both pressures are @returns none where the defaults of the age are in force
 */
export function movedLimits({ limits }: Pick<Known, "limits">, codes: readonly string[]): readonly LimitsInForce[] {
  const inForce = codes.flatMap((code) => limits.get(code) ?? []);
  const own = inForce.filter(({ set_by }) => set_by === "patient");
  return own.length > 0 ? own : inForce.filter(({ set_by }) => set_by === "ward");
}

const STATES: readonly AlertView["state"][] = ["active", "recovered", "acknowledged", "cleared"];
export const PRIORITIES: readonly Priority[] = ["high", "medium", "low", "technical"];

/** Those nobody has seen first, the worst of them first, of equals the oldest. */
export function sortedByUrgency(alerts: Iterable<AlertView>): AlertView[] {
  return [...alerts].sort(
    (a, b) =>
      STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
      PRIORITIES.indexOf(shownAs(a)) - PRIORITIES.indexOf(shownAs(b)) ||
      (a.raised_at < b.raised_at ? -1 : 1),
  );
}

const RANKS = ["new_high", "new_medium", "seen", "score_7", "score_5", "unknown", "new_other", "rest"] as const;
export type Rank = (typeof RANKS)[number];

/** A sensor's alarm says that the patient is not known, not that the patient is unwell. */
export function rankOf(known: Known | undefined, score: ShownScore): Rank {
  const alerts = [...(known?.alerts.values() ?? [])].map((alert) => ({ shown: shownAs(alert), state: alert.state }));
  const isNew = (shown: string) => alerts.some((alert) => alert.state === "active" && alert.shown === shown);
  if (isNew("high")) return "new_high";
  if (isNew("medium")) return "new_medium";
  if (alerts.some(({ state, shown }) => state === "recovered" || (state === "acknowledged" && shown !== "technical")))
    return "seen";
  if (score.kind === "score" && score.band === 3) return "score_7";
  if (score.kind === "score" && score.band === 2) return "score_5";
  if (score.kind !== "score" || alerts.some(({ shown }) => shown === "technical")) return "unknown";
  return alerts.length > 0 ? "new_other" : "rest";
}

/** Smaller comes first. */
export const placeOf = (rank: Rank): number => RANKS.indexOf(rank);
