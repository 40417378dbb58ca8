// Recording of a set of observations that a person took: all of it or nothing, once.
import { MAX_CLOCK_LEAD_MS } from "../../../platform/device-times.ts";
import { DAY_MS, toIso } from "../../../platform/time.ts";
import type { AlarmInput } from "../../alarm-rules/model.ts";
import { findVital } from "../../vitals/catalogue.ts";
import { type News2, type ObservationSet, scoreNews2Set } from "../../vitals/news2.ts";
import type { PartialReason } from "../../vitals/rounds.ts";
import { crossCheckPressures } from "../../vitals/sample-validation.ts";
import { toNews2Config } from "../context/alarm-config.ts";
import type { Facts } from "../context/facts.ts";
import type { ItemResult, ObservationsView, Score } from "../contract.ts";
import type { BlockPosition } from "../memory/monitor-memory.ts";
import { toObservationId } from "../samples/ids.ts";
import type { Store } from "../samples/store.ts";
import { computeScore, toPersonKey, viewObservations } from "../snapshot.ts";
import { dropStored } from "./duplicates.ts";
import { readItems } from "./place-items.ts";
import { type RecordedBatch, recordAndEvaluate } from "./record-batch.ts";

/** How old a set may be when it arrives: one that a phone kept over a shift without a network. */
export const MAX_SET_AGE_MS = DAY_MS;

/**
 * A set of one moment, epoch milliseconds. `scale`: the SpO2 scale by which it was scored; `confirmed`: the score that its author saw;
 * `repeats`: for a repetition, when the first request with its key came.
 */
export type NewSet = {
  by: string;
  at: number;
  samples: readonly { code: string; value: number | string; unit: string }[];
  scale: 1 | 2 | null;
  confirmed: number | null;
  partial: PartialReason | null;
  repeats: number | null;
};

export type ConfirmedScore = Pick<News2, "score" | "risk" | "parts">;
/** Why nothing was stored. `errors`: paths are those of the request. */
export type SetRefusal =
  | { kind: "invalid"; errors: { path: string; message: string; code: string }[] }
  | { kind: "score_changed"; score: ConfirmedScore | null }
  | { kind: "scale_changed" }
  | { kind: "limit_reached" };
/** A value of a set is stored now or was by an earlier request; which of them it was, a repetition does not say. */
export type StoredValue = { index: number; status: "stored"; observation_id: string };
export type StoredSet = { results: StoredValue[]; score: Score; observations: ObservationsView };
export type SetResult = { known: false } | { known: true; refusal: SetRefusal } | { known: true; stored: StoredSet };

/** Thrown within the transaction, which it rolls back. `contradicted`: indexes of values that contradict stored ones. */
export class SetNotStored extends Error {
  readonly contradicted: readonly number[];

  constructor(message: string, contradicted: readonly number[] = []) {
    super(message);
    this.contradicted = contradicted;
  }
}

const invalid = (path: string, code: string, message: string): SetRefusal => ({
  kind: "invalid",
  errors: [{ path, code, message }],
});

/** Corrections until then were known when the set was filed; later ones are of the set itself. */
const filedAt = ({ repeats }: NewSet, now: number) => repeats ?? now;

const toItems = ({ samples, at }: NewSet) => samples.map((sample) => ({ ...sample, effective_at: toIso(at) }));

/** Compares the set with what is stored: which of its values are new, and what their ids are otherwise. */
function readSet(store: Store, patientId: string, set: NewSet, now: number) {
  const memory = store.memory(now);
  const by = toPersonKey(set.by);
  const results: ItemResult[] = [];
  const items = readItems(toItems(set), true, results);
  const status = memory.deviceStatuses[by] ?? { received: now, skew: null, corrected: 0, conditions: [] };
  const toId = ({ block, index }: { block: number; index: number }) => toObservationId(patientId, block, index);
  const { unseen, stored } = dropStored(store, memory, by, items, status, results, now, toId, filedAt(set, now));
  const isInError = ({ block, index }: BlockPosition) => store.documents.correction(block, index)?.status === "entered-in-error";
  const findId = (index: number) => {
    const sample = items.find((item) => item.index === index)?.sample;
    const all = sample ? stored.find(sample) : [];
    const same = all.filter(({ value }) => value === sample?.value);
    // A set that was filed again after an error is the last one.
    const found = same.findLast((one) => !isInError(one)) ?? same.at(-1) ?? all[0];
    return found && toId(found);
  };
  return { items, results, unseen, findId };
}

/** Checks a set without storing anything. A repetition of a stored set is not judged again, since its first answer may be lost. */
function checkSet(store: Store, facts: Facts, set: NewSet, now: number): SetRefusal | null {
  const { items, results, unseen } = readSet(store, facts.patient, set, now);
  const rejected = results.filter((result) => result?.status === "rejected");
  if (rejected.length > 0)
    return {
      kind: "invalid",
      errors: rejected.map(({ index, reason = "", message = "" }) => ({ path: `samples.${index}.value`, code: reason, message })),
    };
  if (set.repeats !== null && set.samples.length > 0 && unseen.length === 0) return null;
  const times = { earliest: now - MAX_SET_AGE_MS, latest: now + MAX_CLOCK_LEAD_MS };
  if (set.at < times.earliest) return invalid("effective_at", "too_old", "Measured more than 24 hours ago");
  if (set.at > times.latest)
    return invalid("effective_at", "in_the_future", "Measured more than two minutes after it was received");
  const checked = crossCheckPressures(items.map(({ sample }) => sample));
  const unusable = items.flatMap(({ index, note }, i) => {
    if (checked[i]?.status !== "invalid") return [];
    const code = note ?? "contradictory";
    return [{ path: `samples.${index}.value`, code, message: UNUSABLE_MESSAGES[code] ?? "Not a usable value" }];
  });
  if (unusable.length > 0) return { kind: "invalid", errors: unusable };
  if (set.scale !== null && set.scale !== facts.scale) return { kind: "scale_changed" };
  return checkScore(
    facts,
    set,
    Object.fromEntries(items.map(({ sample: { code, value } }) => [code, { value, at: set.at }])),
    now,
  );
}

const UNUSABLE_MESSAGES: Readonly<Record<string, string>> = {
  implausible: "Outside of the plausible range",
  unit_suspect: "The unit is doubtful for this value",
  contradictory: "The pressures contradict each other",
};

function checkScore(facts: Facts, { confirmed, partial }: NewSet, values: ObservationSet, now: number): SetRefusal | null {
  const config = toNews2Config(facts, now);
  if (!config) return confirmed === null ? null : { kind: "score_changed", score: null };
  const scored = scoreNews2Set(values, config.scale);
  if (partial !== null)
    return "missing" in scored
      ? null
      : invalid("partial_reason", "set_complete", "The set is complete: confirm its score, and give no reason");
  if ("missing" in scored)
    return invalid("samples", "missing", `A complete set needs ${scored.missing.join(", ")}; else give partial_reason`);
  const { score, risk, parts } = scored;
  return score === confirmed ? null : { kind: "score_changed", score: { score, risk, parts } };
}

type Recorded = { recorded: RecordedBatch | null; stored: StoredSet };

/**
 * Records a set and what it means for the rounds, or nothing.
 * @param transact runs its argument in one transaction, with a function that runs the alarm rules
 * @returns the result, and what was recorded, for the live views
 */
export function recordSet(
  store: Store,
  set: NewSet,
  now: number,
  transact: (work: (runRules: (input: AlarmInput) => void) => Recorded) => Recorded,
): { result: SetResult; recorded: RecordedBatch | null } {
  const facts = store.facts();
  if (!facts?.open) return { result: { known: false }, recorded: null };
  const refusal = checkSet(store, facts, set, now);
  if (refusal) return { result: { known: true, refusal }, recorded: null };
  try {
    const { recorded, stored } = transact((runRules) => storeSet(store, facts, set, now, runRules));
    return { result: { known: true, stored }, recorded };
  } catch (error) {
    if (!(error instanceof SetNotStored)) throw error;
    const errors = error.contradicted.map((index) => ({
      path: `samples.${index}.value`,
      code: "contradictory",
      message: "Contradicts a stored pressure of this time",
    }));
    const reason: SetRefusal = errors.length > 0 ? { kind: "invalid", errors } : { kind: "limit_reached" };
    return { result: { known: true, refusal: reason }, recorded: null };
  }
}

/** Stores a checked set. @throws SetNotStored when a value was not stored as it is */
function storeSet(store: Store, facts: Facts, set: NewSet, now: number, runRules: (input: AlarmInput) => void): Recorded {
  const isPartial = set.partial !== null;
  const sender = { by: toPersonKey(set.by), device: null, bindings: null };
  const batch = { items: toItems(set), sent_at: null, conditions: null, filedAt: filedAt(set, now) };
  const recorded =
    set.samples.length === 0
      ? null
      : recordAndEvaluate(store, facts, sender, batch, now, (input) =>
          runRules(input.kind === "samples" ? { ...input, isPartial } : input),
        );
  const isStored = ({ status, note }: ItemResult) =>
    status === "duplicate" || (status === "stored" && note !== "implausible" && note !== "unit_suspect");
  if (recorded && !recorded.results.every(isStored)) {
    // The set was checked by itself: what is implausible now is so beside what is stored.
    const contradicted = recorded.results.flatMap(({ index, note }) => (note === "implausible" ? [index] : []));
    throw new SetNotStored("A value of the set cannot be stored", contradicted);
  }
  const codes = set.samples.map(({ code }) => findVital(code)?.code ?? code);
  // As values, a set is not of the future.
  const at = Math.min(set.at, filedAt(set, now));
  const event =
    set.partial === null
      ? { type: "set" as const, at, codes }
      : { type: "attempt" as const, at, reason: set.partial, by: set.by };
  runRules({ kind: "round", event });
  const { findId } = readSet(store, facts.patient, set, now);
  const results = (recorded?.results ?? []).map(({ index, observation_id = findId(index) }): StoredValue => {
    if (observation_id === undefined) throw new SetNotStored("A value of the set is not found");
    return { index, status: "stored", observation_id };
  });
  const memory = store.memory(now);
  return {
    recorded,
    stored: { results, score: computeScore(facts, memory, now), observations: viewObservations(facts, memory, now) },
  };
}
