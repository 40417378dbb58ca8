// History of the limits in effect, for charts. A patient's object adds a note whenever its overrides or age band change, so that
// the history covers ward rules, moves between wards and birthdays.
import { DAY_MS, toIso } from "../../../platform/time.ts";
import type { LimitsSince } from "../contract.ts";
import { limitsDocument } from "../memory/documents.ts";
import type { Store } from "../samples/store.ts";
import { listLimitsInForce } from "./alarm-config.ts";
import type { Facts, LimitsNote } from "./facts.ts";

/** `from` ≤ time < `to`, epoch milliseconds; codes are LOINC, null for all. */
export type LimitsQuery = { codes: readonly string[] | null; from: number; to: number };

/** The longest range of a chart. */
const NOTE_RETENTION_MS = 366 * DAY_MS;
/** Daily changes for half a year; beyond that the oldest kept note counts for earlier times. */
const MAX_NOTES = 200;

/** `monitoring` only where it changes the limits, so that it is absent in notes of before. */
export const toLimitsNote = ({ as_of: at, age, overrides, monitoring }: Facts): LimitsNote => ({
  at,
  age,
  overrides,
  ...(monitoring === "home" && { monitoring }),
});

/** Oldest first. Without readable notes the current limits count for all times. */
function loadNotes(store: Store): LimitsNote[] {
  const facts = store.facts();
  return store.documents.setting(limitsDocument) ?? (facts ? [toLimitsNote(facts)] : []);
}

/** Adds a note if new facts change the limits. Call before the facts are saved. */
export function saveNote(store: Store, facts: Facts): void {
  const next = appendNote(loadNotes(store), toLimitsNote(facts));
  if (next) store.documents.saveSetting(limitsDocument, next);
}

/** @returns null when nothing that determines the limits has changed */
export function appendNote(notes: readonly LimitsNote[], note: LimitsNote): LimitsNote[] | null {
  const last = notes.at(-1);
  if (last && JSON.stringify({ ...last, at: note.at }) === JSON.stringify(note)) return null;
  // The newest expired note was in effect until the first kept one.
  const lastExpired = notes.findLastIndex(({ at }) => at < note.at - NOTE_RETENTION_MS);
  return [...notes.slice(Math.max(0, lastExpired)), note].slice(-MAX_NOTES);
}

/** @returns null while the object has no facts */
export function readLimitsHistory(store: Store, query: LimitsQuery): LimitsSince[] | null {
  const notes = loadNotes(store);
  return notes.length > 0 ? computeLimitsHistory(notes, query) : null;
}

/**
 * The limits by code and time: those at the beginning of the range, and each change before its end. The first note also counts for
 * earlier times.
 */
export function computeLimitsHistory(notes: readonly LimitsNote[], { codes, from, to }: LimitsQuery): LimitsSince[] {
  const last = new Map<string, string>();
  const steps = listChangeTimes(notes, from, to).flatMap((at) => {
    const note = notes.findLast((candidate) => candidate.at <= at) ?? notes[0];
    if (!note) return [];
    const current = listLimitsInForce(note, at).map(({ silence_s: _, ...limits }) => limits);
    const removed = [...last.keys()].filter((code) => !current.some((candidate) => candidate.code === code)).map(toNoLimits);
    return [...current, ...removed].flatMap((limits) => {
      const serialized = JSON.stringify(limits);
      if ((codes && !codes.includes(limits.code)) || last.get(limits.code) === serialized) return [];
      last.set(limits.code, serialized);
      return [{ ...limits, from: toIso(at) }];
    });
  });
  return steps.sort((a, b) => (a.code === b.code ? 0 : a.code < b.code ? -1 : 1));
}

/** The entry of a vital without default limits whose override was removed. */
function toNoLimits(code: string): Omit<LimitsSince, "from"> {
  return { code, critical_low: null, low: null, high: null, critical_high: null, set_by: "default" };
}

/** When limits may have changed: at each note, and at the birthday that ends an age band. */
function listChangeTimes(notes: readonly LimitsNote[], from: number, to: number): number[] {
  const changes = notes.flatMap(({ at, age }) => (age?.until == null ? [at] : [at, age.until]));
  return [...new Set([from, ...changes.filter((at) => at > from && at < to)])].sort((a, b) => a - b);
}
