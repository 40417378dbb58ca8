// Recording of a batch: validates items, drops duplicates, writes blocks and memory, and queues what D1 needs.

import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { classifyConditions } from "../../alarm-rules/device-conditions.ts";
import type { AlarmInput } from "../../alarm-rules/model.ts";
import { type Sample, shownAt } from "../../vitals/model.ts";
import { SAMPLE_FIELDS } from "../../vitals/sample-validation.ts";
import type { Facts } from "../context/facts.ts";
import type { BatchClockView, IncomingBatch, ItemResult, Origin } from "../contract.ts";
import type { BlockPosition, DeviceStatus, MonitorMemory } from "../memory/monitor-memory.ts";
import { MIN_LATE_MS } from "../samples/block-rows.ts";
import type { BatchClock } from "../samples/blocks.ts";
import { toObservationId } from "../samples/ids.ts";
import { addToRollup } from "../samples/rollup.ts";
import type { Store } from "../samples/store.ts";
import { toPersonKey } from "../snapshot.ts";
import { checkPressures, type Invalidated } from "./check-pressures.ts";
import type { BatchJudgement } from "./device-clock.ts";
import { type AcceptedItem, dropStored, recordSequence, selectNewSamples } from "./duplicates.ts";
import { markForRecount } from "./hour-closing.ts";
import { enforceItemLimits, newStorageCounter } from "./item-limits.ts";
import { compareSamples, toCorrection, updateLatest } from "./latest-values.ts";
import { judgeBatch, placeItems, readItems, type Sender } from "./place-items.ts";

export type RecordedBatch = {
  results: ItemResult[];
  /** Samples that are no duplicates, by time: for the alarm rules and the feed. */
  newSamples: (Sample & { block: number; index: number })[];
  /** Samples that were rejected because a limit of stored samples is reached: the alarm rules still see them. */
  unstored: Sample[];
  invalidated: Invalidated;
  /** The samples are history until the sender's clock is confirmed: not shown as the latest, and raise no alarm. */
  isHistory: boolean;
  /** Whether the conditions of the batch are those that the device has now: not those of a batch that is sent again. */
  hasConditions: boolean;
  clock: BatchClockView;
};

/** The sender of a batch; null for a credential that is not bound to this patient now. */
export function findSender(facts: Facts, origin: Origin, now: number): Sender | null {
  // No binding covers what staff file; the samples stay those of their device.
  if (origin.kind === "filed") return { by: origin.device, device: null, bindings: null, isFiled: true };
  if (origin.kind === "person")
    return { by: toPersonKey(origin.id), device: null, bindings: null, ...(origin.isApp && { isApp: true }) };
  const bindings = facts.bindings.filter(({ credentials }) => {
    const expires = credentials[origin.credential];
    return expires !== undefined && (expires === null || expires > now);
  });
  const [first] = bindings;
  return first ? { by: first.device, device: first.device, bindings } : null;
}

/** The fields of an item, which validation has bounded. */
export function pickSampleFields(item: unknown): Record<string, unknown> {
  const given: Record<string, unknown> = typeof item === "object" ? { ...item } : {};
  return Object.fromEntries(SAMPLE_FIELDS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

/**
 * Records a batch, runs the alarm rules on new samples and queues rows for D1. Call inside a transaction.
 * @param runRules runs the alarm rules
 */
export function recordAndEvaluate(
  store: Store,
  facts: Facts,
  sender: Sender,
  batch: IncomingBatch,
  now: number,
  runRules: (input: AlarmInput) => void,
): RecordedBatch {
  const { by, device } = sender;
  const before = store.memory(now).deviceStatuses[by]?.corrected ?? 0;
  const recorded = recordBatch(store, facts.patient, sender, batch, now);
  for (const { code, ...sample } of recorded.invalidated.samples)
    if (store.memory(now).alarm.news2.set?.[code]?.at === shownAt(sample))
      runRules({ kind: "corrected_set", code, at: shownAt(sample), value: null });
  for (const code of recorded.invalidated.codes) runRules(toCorrection(store.memory(now), code));
  const samples = recorded.isHistory ? [] : [...recorded.newSamples, ...recorded.unstored];
  const conditions = recorded.hasConditions ? batch.conditions : null;
  // Without samples, the rules learn only that the device sends.
  if (samples.length > 0 || recorded.newSamples.length > 0)
    runRules({ kind: "samples", device, samples, ...(conditions && { conditions }) });
  if (device === null) return recorded;
  if (conditions) runRules({ kind: "conditions", device, conditions });
  const { corrected = 0, skew = null } = store.memory(now).deviceStatuses[by] ?? {};
  if (corrected !== before) store.enqueueForD1("clock", { device, skew });
  const held = recorded.results.flatMap(({ index, status, reason = "quarantined" }) =>
    status === "quarantined" ? [{ item: pickSampleFields(batch.items[index]), reason }] : [],
  );
  if (held.length > 0) store.enqueueForD1("held", { device, items: held, received: now });
  return recorded;
}

/** Validates a batch and writes blocks and memory. Call inside a transaction. */
export function recordBatch(store: Store, patientId: string, sender: Sender, batch: IncomingBatch, now: number): RecordedBatch {
  const { by, device, bindings } = sender;
  const memory = store.memory(now);
  const before = memory.deviceStatuses[by] ?? { received: now, skew: null, corrected: 0, conditions: [] };
  const results: ItemResult[] = [];
  const items = readItems(batch.items, bindings === null, results);
  const toId = ({ block, index }: BlockPosition) => toObservationId(patientId, block, index);
  // What a sender has stored is known by its own words, before any judgement of its clock.
  const { unseen, stored } = dropStored(store, memory, by, items, before, results, now, toId, batch.filedAt);
  const { status, clock } = judgeBatch(before, sender, batch, unseen, now);
  const placed = placeItems(unseen, sender, clock, { batch, results, now });
  const limited = enforceItemLimits(memory, by, placed, results, now);
  const countStored = newStorageCounter(memory, sender, now);
  const { checked, invalidated } = checkPressures(store, memory, limited, stored, now);
  const { newSamples, unstored, conflicts } = selectNewSamples(checked, results, countStored);
  const restarted = recordSequence(memory, by, newSamples, stored);
  const hasConditions = isCurrent(before, batch, results);
  if (device !== null || batch.sent_at !== null) {
    memory.deviceStatuses[by] = {
      ...status,
      received: now,
      ...(restarted && { seqRestartedAt: now }),
      ...(hasConditions && batch.sent_at !== null && { conditionsAt: batch.sent_at }),
      ...(hasConditions && batch.conditions && { conditions: classifyConditions(batch.conditions).conditions }),
    };
  }
  const positions = writeSamples(store, memory, { by, device }, newSamples, now, clock);
  for (const item of newSamples) {
    const at = positions.get(item.index) ?? { block: 0, index: 0 };
    const note = noteOf(item, !clock.isConfirmed, item === restarted);
    results[item.index] = {
      index: item.index,
      status: "stored",
      observation_id: toId(at),
      ...(note && { note }),
    };
  }
  for (const [index, stored] of conflicts) {
    const at = positions.get(stored.index);
    results[index] = { ...results[index], index, status: "rejected", ...(at && { observation_id: toId(at) }) };
  }
  const located = newSamples.map(({ index, sample }) => ({ ...sample, ...(positions.get(index) ?? { block: 0, index: 0 }) }));
  return {
    results,
    newSamples: located.sort((a, b) => a.at - b.at),
    unstored,
    invalidated,
    isHistory: !clock.isConfirmed,
    hasConditions,
    clock: { skew_ms: clock.skew, corrected_ms: clock.corrected, confirmed: clock.isConfirmed },
  };
}

/** Whether a batch says how the device is now: not if it is sent again, or was sent before another one. */
function isCurrent(before: DeviceStatus, { sent_at }: IncomingBatch, results: readonly ItemResult[]): boolean {
  if (sent_at !== null) return sent_at > (before.conditionsAt ?? Number.NEGATIVE_INFINITY);
  return results.length === 0 || results.some((result) => result?.status !== "duplicate");
}

/** The note on a stored sample: what makes its value or its time unclear comes first. */
function noteOf({ sample, note }: AcceptedItem, isHistory: boolean, isRestart: boolean): string | undefined {
  if (sample.status === "invalid") return note ?? "implausible";
  if (isHistory) return "clock_unconfirmed";
  return isRestart ? "sequence_restarted" : note;
}

/** Writes blocks, rollups and memory. @returns the position of each item, by its index in the batch */
function writeSamples(
  store: Store,
  memory: MonitorMemory,
  { by, device }: { by: string; device: string | null },
  newSamples: AcceptedItem[],
  now: number,
  { corrected, isConfirmed }: BatchJudgement,
): Map<number, { block: number; index: number }> {
  const positions = new Map<number, { block: number; index: number }>();
  const clock: BatchClock = { corrected, ...(!isConfirmed && { unconfirmed: true as const }) };
  const batch = { received: now, device: by, clock };
  const late = newSamples.filter(({ sample }) => sample.at < now - MIN_LATE_MS);
  const timely = newSamples.filter(({ sample }) => sample.at >= now - MIN_LATE_MS);
  if (late.length > 0) {
    const places = store.appendLate({ ...batch, samples: late.map(({ sample }) => sample) }, now);
    for (const [i, place] of places.entries()) positions.set(late[i]?.index ?? 0, place);
  }
  const first = store.nextPosition(now);
  for (const [i, { index }] of timely.entries()) positions.set(index, { block: first.block, index: first.index + i });
  for (const item of newSamples.toSorted((a, b) => compareSamples(a.sample, b.sample))) {
    noteNewest(memory, by, item);
    const place = { received: now, by, ...(positions.get(item.index) ?? first) };
    if (isConfirmed) updateLatest(memory, item.sample, place);
    updateHour(store, memory, item.sample);
  }
  if (newSamples.length > 0 && device !== null)
    countReceived(
      memory,
      by,
      newSamples.map(({ sample }) => sample),
      now,
    );
  if (timely.length > 0) store.appendToOpenBlock({ ...batch, samples: timely.map(({ sample }) => sample) }, now);
  store.markDirty(now);
  return positions;
}

function noteNewest(memory: MonitorMemory, by: string, { stated, sample: { code } }: AcceptedItem): void {
  const newest = memory.newestSampleAt[by] ?? {};
  newest[code] = Math.max(stated, newest[code] ?? stated);
  memory.newestSampleAt[by] = newest;
}

function updateHour(store: Store, memory: MonitorMemory, { code, value, at, status }: Sample): void {
  const hour = Math.floor(at / HOUR_MS);
  if (hour <= memory.lastClosedHour) {
    markForRecount(store, memory, hour);
  } else if (status === "final") {
    const hours = memory.hours[hour] ?? {};
    hours[code] = addToRollup(hours[code] ?? null, value, at);
    memory.hours[hour] = hours;
  }
}

function countReceived(memory: MonitorMemory, by: string, samples: Sample[], now: number): void {
  const day = Math.floor(now / DAY_MS);
  const days = memory.receivedCounts[by] ?? {};
  const counts = days[day] ?? { day, count: 0, hours: new Array<number>(24).fill(0), firstSeq: null, lastSeq: null };
  const hourOfDay = Math.floor(now / HOUR_MS) % 24;
  const seqs = samples.flatMap(({ seq }) => (seq === null ? [] : [seq]));
  days[day] = {
    day,
    count: counts.count + samples.length,
    hours: counts.hours.map((count, hour) => (hour === hourOfDay ? count + samples.length : count)),
    firstSeq: seqs.length > 0 ? Math.min(counts.firstSeq ?? Number.POSITIVE_INFINITY, ...seqs) : counts.firstSeq,
    lastSeq: seqs.length > 0 ? Math.max(counts.lastSeq ?? 0, ...seqs) : counts.lastSeq,
  };
  memory.receivedCounts[by] = days;
}
