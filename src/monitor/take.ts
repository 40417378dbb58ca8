// A batch on its way into the memory and the blocks: judged, told apart from what is there already, counted.
import type { AlarmInput } from "../alerts/model.ts";
import { DAY_MS } from "../counters.ts";
import { vitalOf } from "../vitals/catalogue.ts";
import { crossChecks, judge } from "../vitals/incoming.ts";
import type { Sample } from "../vitals/model.ts";
import type { Batch, ItemResult, Origin } from "./contract.ts";
import { type Binding, type Facts, LATE_MS as LATE_BINDING_MS } from "./facts.ts";
import { noteAgain } from "./hours.ts";
import { observationId } from "./ids.ts";
import { HOUR_MS, type Memory } from "./memory.ts";
import { addToRollup } from "./rollup.ts";
import { add, has, NOTHING_SEEN } from "./seen.ts";
import { LATE_MS, type Store } from "./store.ts";
import { byPerson } from "./view.ts";

/** A device's clock within this of ours is right enough. */
const SKEW_OK_MS = 120_000;
/** A correction stays until the skew has moved by this. */
const SKEW_STEP_MS = 30_000;

/** Who brings the batch: a device with its times at this patient, or a person (`bindings` null). */
export type Bringer = { by: string; device: string | null; bindings: Binding[] | null };

/** Codes that the catalogue lacks, of one patient: the memory holds a line for each. */
const MOST_UNKNOWN_CODES = 100;
/** Items that a device can have put aside in a day. */
const MOST_HELD = 10_000;

type Accepted = { index: number; sample: Sample; note?: string };

export type Taken = {
  results: ItemResult[];
  /** What is new, by time: for the rules and the feed. */
  fresh: (Sample & { block: number; index: number })[];
  clock: { skew_ms: number | null; corrected_ms: number };
};

/** Who brings a batch, or null for a credential that is not bound here now. */
export function bringerOf(facts: Facts, origin: Origin, now: number): Bringer | null {
  if (origin.kind === "person") return { by: byPerson(origin.id), device: null, bindings: null };
  const bindings = facts.bindings.filter(({ credentials }) => {
    const expires = credentials[origin.credential];
    return expires !== undefined && (expires === null || expires > now);
  });
  const [first] = bindings;
  return first ? { by: first.device, device: first.device, bindings } : null;
}

/** An item without what nobody asked for: its own fields are short, as the judgement has seen. */
export function fieldsOf(item: unknown): Record<string, unknown> {
  const { code, value, unit, effective_at, seq }: Record<string, unknown> = typeof item === "object" ? { ...item } : {};
  return { code, value, unit, effective_at, seq };
}

/** What to subtract from a device's times. It stays put for small drifts, so that a batch sent again meets itself. */
export function correctionFor(skew: number | null, before: number): number {
  if (skew === null) return before;
  if (Math.abs(skew - before) <= SKEW_STEP_MS) return before;
  return Math.abs(skew) <= SKEW_OK_MS ? 0 : Math.round(skew / 1000) * 1000;
}

/**
 * Takes a batch in, judges what is new and tells D1 what it has to know of it. Call inside a transaction.
 * @param judge runs the alarm rules
 */
export function takeAndJudge(
  store: Store,
  facts: Facts,
  bringer: Bringer,
  batch: Batch,
  now: number,
  judge: (input: AlarmInput) => void,
): Taken {
  const { by, device } = bringer;
  const before = store.memory(now).heard[by]?.corrected ?? 0;
  const taken = take(store, facts.patient, bringer, batch, now);
  if (taken.fresh.length > 0) judge({ kind: "samples", device, samples: taken.fresh });
  if (device === null) return taken;
  if (batch.conditions) judge({ kind: "conditions", device, conditions: batch.conditions });
  if (taken.clock.corrected_ms !== before) store.send("clock", { device, skew: taken.clock.skew_ms });
  const held = taken.results.flatMap(({ index, status, reason = "quarantined" }) =>
    status === "quarantined" ? [{ item: fieldsOf(batch.items[index]), reason }] : [],
  );
  if (held.length > 0) store.send("held", { device, items: held, received: now });
  return taken;
}

/** Takes a batch in: writes blocks and memory. Call inside a transaction. */
export function take(store: Store, patientId: string, { by, device, bindings }: Bringer, batch: Batch, now: number): Taken {
  const memory = store.memory(now);
  const heard = memory.heard[by] ?? { received: now, skew: null, corrected: 0, conditions: [] };
  const skew = batch.sent_at === null ? heard.skew : batch.sent_at - now;
  const corrected = correctionFor(skew, heard.corrected);
  const results: ItemResult[] = [];
  const accepted: Accepted[] = [];
  for (const [index, item] of batch.items.entries()) {
    const judged = judge(item, { received: now, skewMs: corrected === 0 ? null : corrected });
    if (!judged.ok) {
      // Nothing is put aside for a person, who can say it again.
      const status = bindings === null ? "rejected" : judged.status;
      results[index] = { index, status, reason: judged.reason, message: judged.message };
      continue;
    }
    const bound = bindings === null ? "here" : placeOf(bindings, judged.sample.at, skew !== null, now);
    if (bound === "here") accepted.push({ index, sample: judged.sample, ...(judged.note && { note: judged.note }) });
    else if (bound === "elsewhere") results[index] = { index, status: "elsewhere" };
    else results[index] = { index, status: "quarantined", reason: bound, message: "Measured before the device was bound here." };
  }
  withinBounds(memory, by, accepted, results, now);
  const fresh = withoutRepeats(store, memory, by, accepted, results, now);
  const placed = write(store, memory, { by, device }, fresh, now, {
    ...heard,
    received: now,
    skew,
    corrected,
    ...(batch.conditions && { conditions: [...batch.conditions] }),
  });
  for (const { index, sample, note } of fresh) {
    const at = placed.get(index) ?? { block: 0, index: 0 };
    results[index] = {
      index,
      status: "stored",
      observation_id: observationId(patientId, at.block, at.index),
      ...(sample.status === "invalid" ? { note: note ?? "implausible" } : note && { note }),
    };
  }
  const withPlace = fresh.map(({ index, sample }) => ({ ...sample, ...(placed.get(index) ?? { block: 0, index: 0 }) }));
  return { results, fresh: withPlace.sort((a, b) => a.at - b.at), clock: { skew_ms: skew, corrected_ms: corrected } };
}

/** Keeps a device that sends nonsense from filling the patient's object: codes beyond the bound, and held items, are refused. */
function withinBounds(memory: Memory, by: string, accepted: Accepted[], results: ItemResult[], now: number): void {
  const unknown = new Set(Object.keys(memory.latest).filter((slot) => vitalOf(slot.replace(/!$/, "")) === null));
  for (const item of accepted.splice(0)) {
    const { index, sample } = item;
    if (vitalOf(sample.code) === null && !unknown.has(sample.code) && unknown.size >= MOST_UNKNOWN_CODES) {
      results[index] = {
        index,
        status: "rejected",
        reason: "too_many_codes",
        message: "This patient has 100 codes that are not known.",
      };
      continue;
    }
    if (vitalOf(sample.code) === null) unknown.add(sample.code);
    accepted.push(item);
  }
  const day = Math.floor(now / DAY_MS);
  const held = memory.held[by]?.day === day ? memory.held[by].count : 0;
  const more = results.filter((result) => result?.status === "quarantined");
  const room = Math.max(0, MOST_HELD - held);
  for (const { index } of more.slice(room)) {
    results[index] = {
      index,
      status: "rejected",
      reason: "too_many_held",
      message: "This device has had 10,000 items put aside today.",
    };
  }
  if (more.length > 0) memory.held[by] = { day, count: held + Math.min(room, more.length) };
}

/** Which patient a time belongs to: a binding that has ended takes late samples for a week, if the device's clock is known. */
function placeOf(bindings: Binding[], at: number, clockKnown: boolean, now: number): "here" | "elsewhere" | "clock_unknown" {
  const covering = bindings.find(({ from, until }) => at >= from && (until === null || at < until));
  if (!covering) return "elsewhere";
  if (covering.until === null) return "here";
  if (now - covering.until > LATE_BINDING_MS) return "elsewhere";
  return clockKnown ? "here" : "clock_unknown";
}

/** Drops what is there already, by sequence number or by (device, code, time), and says so in `results`. */
function withoutRepeats(
  store: Store,
  memory: Memory,
  by: string,
  accepted: Accepted[],
  results: ItemResult[],
  now: number,
): Accepted[] {
  const before = memory.seen[by] ?? NOTHING_SEEN;
  let seen = before;
  const keys = new Set<string>();
  const key = ({ code, at }: Sample) => `${code} ${at}`;
  const checked = crossChecks(accepted.map(({ sample }) => sample));
  const older = checked.filter((s) => s.at <= (memory.newest[`${by} ${s.code}`] ?? Number.NEGATIVE_INFINITY));
  for (const hour of new Set(older.map(({ at }) => Math.floor(at / HOUR_MS)))) {
    for (const block of store.between(hour * HOUR_MS, (hour + 1) * HOUR_MS, now)) {
      for (const stored of block) if (stored.device === by) keys.add(key(stored));
    }
  }
  const fresh: Accepted[] = [];
  for (const [i, item] of accepted.entries()) {
    const sample = checked[i] ?? item.sample;
    // A number that was used counts as a repeat only of what is not newer: a device that starts again counts from one.
    const isNewer = sample.at > (memory.newest[`${by} ${sample.code}`] ?? Number.NEGATIVE_INFINITY);
    const repeated = (sample.seq !== null && !isNewer && has(before, sample.seq)) || keys.has(key(sample));
    if (repeated) {
      results[item.index] = { index: item.index, status: "duplicate" };
      continue;
    }
    if (sample.seq !== null) seen = add(seen, sample.seq);
    keys.add(key(sample));
    fresh.push({ ...item, sample });
  }
  if (seen !== before) memory.seen[by] = seen;
  return fresh;
}

/** Blocks, rollups and memory. @returns where each item lies now */
function write(
  store: Store,
  memory: Memory,
  { by, device }: { by: string; device: string | null },
  fresh: Accepted[],
  now: number,
  heard: Memory["heard"][string],
): Map<number, { block: number; index: number }> {
  const placed = new Map<number, { block: number; index: number }>();
  if (device !== null) memory.heard[by] = heard;
  const late = fresh.filter(({ sample }) => sample.at < now - LATE_MS);
  const timely = fresh.filter(({ sample }) => sample.at >= now - LATE_MS);
  if (late.length > 0) {
    const block = store.appendLate({ received: now, device: by, samples: late.map(({ sample }) => sample) }, now);
    for (const [i, { index }] of late.entries()) placed.set(index, { block, index: i });
  }
  const first = store.placeFor(now);
  for (const [i, { index }] of timely.entries()) placed.set(index, { block: first.block, index: first.index + i });
  for (const { index, sample } of fresh) remember(store, memory, by, sample, placed.get(index) ?? first, now);
  if (fresh.length > 0 && device !== null)
    countFor(
      memory,
      by,
      fresh.map(({ sample }) => sample),
      now,
    );
  if (timely.length > 0) store.append({ received: now, device: by, samples: timely.map(({ sample }) => sample) }, now);
  store.keep(now);
  return placed;
}

function remember(
  store: Store,
  memory: Memory,
  by: string,
  sample: Sample,
  place: { block: number; index: number },
  now: number,
): void {
  const { code, value, unit, at, status } = sample;
  const newest = `${by} ${code}`;
  memory.newest[newest] = Math.max(at, memory.newest[newest] ?? at);
  const slot = status === "final" ? code : `${code}!`;
  if (at >= (memory.latest[slot]?.at ?? at)) memory.latest[slot] = { value, unit, at, received: now, by, status, ...place };
  const hour = Math.floor(at / HOUR_MS);
  if (hour <= memory.told) {
    noteAgain(store, memory, hour);
  } else if (status === "final") {
    const hours = memory.hours[hour] ?? {};
    hours[code] = addToRollup(hours[code] ?? null, value, at);
    memory.hours[hour] = hours;
  }
}

function countFor(memory: Memory, by: string, samples: Sample[], now: number): void {
  const day = Math.floor(now / DAY_MS);
  const key = `${by} ${day}`;
  const came = memory.came[key] ?? { day, count: 0, firstSeq: null, lastSeq: null };
  const seqs = samples.flatMap(({ seq }) => (seq === null ? [] : [seq]));
  memory.came[key] = {
    day,
    count: came.count + samples.length,
    firstSeq: seqs.length > 0 ? Math.min(came.firstSeq ?? Number.POSITIVE_INFINITY, ...seqs) : came.firstSeq,
    lastSeq: seqs.length > 0 ? Math.max(came.lastSeq ?? 0, ...seqs) : came.lastSeq,
  };
}
