// Which limits held when: charts draw them where they stood, not where they stand. A patient's object notes what its limits rest on
// whenever that changes, so it knows ward rules, moves between wards and birthdays as the alarm rules do.
import { DAY_MS } from "../counters.ts";
import { limitsInForce } from "./alarm-config.ts";
import type { LimitsSince } from "./contract.ts";
import { limitsDocument } from "./documents.ts";
import type { Facts } from "./facts.ts";
import type { Store } from "./store.ts";

/** What the limits rested on from a time on (epoch milliseconds) until the next note. */
export type LimitsNote = { at: number } & Pick<Facts, "age" | "overrides">;

/** `from` ≤ time < `to`, epoch milliseconds; codes are LOINC, null for all. */
export type LimitsQuery = { codes: readonly string[] | null; from: number; to: number };

/** As far back as a chart goes. */
const KEPT_MS = 366 * DAY_MS;
/** Of a ward that changes its rules every day for half a year; what is older then counts as the oldest that is known. */
const MOST_KEPT = 200;

export const noteOf = ({ as_of: at, age, overrides }: Facts): LimitsNote => ({ at, age, overrides });

/** Oldest first. Without notes, or with notes that cannot be read, today's limits count from the beginning. */
function notesOf(store: Store): LimitsNote[] {
  const facts = store.facts();
  return store.documents.setting(limitsDocument) ?? (facts ? [noteOf(facts)] : []);
}

/** Notes what new facts change, before they are kept. */
export function keepNote(store: Store, facts: Facts): void {
  const next = withNote(notesOf(store), noteOf(facts));
  if (next) store.documents.keepSetting(limitsDocument, next);
}

/** @returns null when the limits rest on what they rested on before */
export function withNote(notes: readonly LimitsNote[], note: LimitsNote): LimitsNote[] | null {
  const last = notes.at(-1);
  if (last && JSON.stringify({ ...last, at: note.at }) === JSON.stringify(note)) return null;
  // The newest of those that are too old still held when the first young one came.
  const old = notes.findLastIndex(({ at }) => at < note.at - KEPT_MS);
  return [...notes.slice(Math.max(0, old)), note].slice(-MOST_KEPT);
}

/** @returns null while nothing was told of the patient */
export function limitsKnown(store: Store, query: LimitsQuery): LimitsSince[] | null {
  const notes = notesOf(store);
  return notes.length > 0 ? limitsOver(notes, query) : null;
}

/**
 * The limits by code and time: those at the beginning of the span, and each change before its end. What held before the first note is
 * not known; the first counts from ever.
 */
export function limitsOver(notes: readonly LimitsNote[], { codes, from, to }: LimitsQuery): LimitsSince[] {
  const last = new Map<string, string>();
  const steps = timesOf(notes, from, to).flatMap((at) => {
    const note = notes.findLast((one) => one.at <= at) ?? notes[0];
    if (!note) return [];
    const held = limitsInForce(note, at).map(({ silence_s: _, ...limits }) => limits);
    const gone = [...last.keys()].filter((code) => !held.some((one) => one.code === code)).map(none);
    return [...held, ...gone].flatMap((limits) => {
      const known = JSON.stringify(limits);
      if ((codes && !codes.includes(limits.code)) || last.get(limits.code) === known) return [];
      last.set(limits.code, known);
      return [{ ...limits, from: new Date(at).toISOString() }];
    });
  });
  return steps.sort((a, b) => (a.code === b.code ? 0 : a.code < b.code ? -1 : 1));
}

/** Of a vital without default limits, whose own were taken away. */
function none(code: string): Omit<LimitsSince, "from"> {
  return { code, critical_low: null, low: null, high: null, critical_high: null, set_by: "default" };
}

/** When limits may have changed: with a note, and with the birthday that ends an age band. */
function timesOf(notes: readonly LimitsNote[], from: number, to: number): number[] {
  const changes = notes.flatMap(({ at, age }) => (age?.until == null ? [at] : [at, age.until]));
  return [...new Set([from, ...changes.filter((at) => at > from && at < to)])].sort((a, b) => a - b);
}
