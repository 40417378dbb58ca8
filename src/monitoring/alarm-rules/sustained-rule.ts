// The sustained profile in the engine: which readings step it, and when a NEWS2 alert is silent.
import { CONTINUOUS_VALID_MS, judgeScore, type TakenScore, type Watch } from "../vitals/freshness.ts";
import type { AlarmMemory, RuleRun, SustainedMemory } from "./alarm-memory.ts";
import type { AlarmConfig, Alert } from "./model.ts";
import { NOT_SUSTAINED, SUSTAINED_HOLD_MS, type SustainedState, soundsAt, stepSustained } from "./sustained-profile.ts";
import { resolveWatch } from "./watch.ts";

const NO_READING: SustainedMemory = { state: NOT_SUSTAINED, before: NOT_SUSTAINED, isHeard: false, reading: null };

/**
 * Steps the profile with the last complete set. On a spot patient a set is a further reading only if all its values were measured after
 * the one before was complete; otherwise it corrects that reading. A set that is overdue when it arrives is no reading.
 */
export function stepProfile(run: RuleRun, getTaken: () => TakenScore | null): void {
  const { memory, config } = run;
  if (!config.sustained) {
    delete memory.news2.sustained;
    return;
  }
  const known = memory.news2.sustained ?? NO_READING;
  const next = nextReading(run, known, getTaken(), config.sustained.repeat_ms);
  memory.news2.sustained = { ...next, isHeard: known.isHeard && next.state.isOn };
}

function nextReading(
  run: RuleRun,
  known: SustainedMemory,
  taken: TakenScore | null,
  repeatMs: number,
): Omit<SustainedMemory, "isHeard"> {
  const { state, before, reading } = known;
  // The set lost a value: the reading does not count, and its repeat stays due.
  if (!taken)
    return { ...known, state: { ...before, repeatDueAt: state.repeatDueAt }, reading: reading && { ...reading, score: null } };
  const watch = resolveWatch(run.memory, run.config, run.now);
  const { overdueSince, freshUntil } = judgeScore(watch, taken, run.now);
  // Under continuous monitoring a score holds while it is current, whenever the rules run.
  const heldUntil = Math.min(run.now, freshUntil);
  const holdByClock = (held: SustainedState) =>
    watch.mode === "spot" ? withRepeat(held, repeatMs) : stepSustained(held, { ...taken, at: heldUntil }, watch.mode);
  const { score, single3, at } = taken;
  if (reading && isReadingOf(reading, taken, watch.mode)) {
    if (score === reading.score && single3 === reading.single3) return { ...known, state: holdByClock(state) };
    const corrected = stepSustained(before, taken, watch.mode, repeatMs);
    return { before, state: holdByClock(corrected), reading: { at: reading.at, score, single3 } };
  }
  if (overdueSince !== null) return known;
  const isAfterGap = watch.mode === "continuous" && reading !== null && at - reading.at > CONTINUOUS_VALID_MS;
  const base = isAfterGap ? { ...state, urgentSince: null, lowSince: null } : state;
  const stepped = stepSustained(base, taken, watch.mode, repeatMs);
  return { before: base, state: holdByClock(stepped), reading: { at, score, single3 } };
}

/** A patient whose monitor was taken off while a first urgent score was held has a repeat set due like others. */
function withRepeat(held: SustainedState, repeatMs: number): SustainedState {
  if (held.isOn || held.urgentSince === null || held.repeatDueAt !== null) return held;
  return { ...held, repeatDueAt: held.urgentSince + repeatMs };
}

type StoredReading = NonNullable<SustainedMemory["reading"]>;

/** Whether the set is that of the last reading, perhaps corrected. */
function isReadingOf(reading: StoredReading, { from, at }: TakenScore, mode: Watch["mode"]): boolean {
  return (mode === "spot" ? from : at) <= reading.at;
}

/** Notes that somebody has acknowledged or resolved a NEWS2 alert that sounded. */
export function noteHeard({ memory }: RuleRun, alert: Alert | undefined): void {
  const { sustained } = memory.news2;
  if (!sustained?.state.isOn || !alert || alert.sounds === false || alert.state === "active") return;
  memory.news2.sustained = { ...sustained, isHeard: true };
}

/** Whether the profile keeps an alert of this score silent; null for a set that lost a value. */
export function isSilentByProfile({ memory, config, now }: RuleRun, score: number | null): boolean {
  const { sustained } = memory.news2;
  if (!config.sustained || !sustained) return false;
  const { state, isHeard } = sustained;
  const isRepeatMissed = state.repeatDueAt !== null && state.repeatDueAt <= now;
  return !isRepeatMissed && !(score !== null && soundsAt(state, score, isHeard));
}

/** When a spot patient's repeat set is due under the sustained profile, epoch milliseconds; null where none is. */
export const findRepeatDue = ({ news2 }: Pick<AlarmMemory, "news2">): number | null => news2.sustained?.state.repeatDueAt ?? null;

/** When the clock alone changes the profile or the sound of a silent alert. */
export function listProfileDeadlines(
  memory: AlarmMemory,
  config: AlarmConfig,
  getTaken: () => TakenScore | null,
  isSilent: boolean,
): number[] {
  const { sustained } = memory.news2;
  if (!config.sustained || !sustained) return [];
  const { state, reading } = sustained;
  const repeat = isSilent && state.repeatDueAt !== null ? [state.repeatDueAt] : [];
  const watch = resolveWatch(memory, config, memory.now);
  if (watch.mode === "spot" || state.isOn || state.urgentSince === null || !reading) return repeat;
  const taken = getTaken();
  if (!taken) return repeat;
  const heldAt = state.urgentSince + SUSTAINED_HOLD_MS;
  // A set that is no reading, and a score that is overdue by then, change nothing.
  const isPassed = !isReadingOf(reading, taken, watch.mode) || heldAt > judgeScore(watch, taken, memory.now).freshUntil;
  return isPassed ? repeat : [...repeat, heldAt];
}
