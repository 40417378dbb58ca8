// Recording of a batch: validates items, drops duplicates, writes blocks and memory, and queues what D1 needs.

import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { classifyConditions } from "../../alarm-rules/device-conditions.ts";
import type { AlarmInput } from "../../alarm-rules/model.ts";
import type { Sample } from "../../vitals/model.ts";
import { validateSample } from "../../vitals/sample-validation.ts";
import { type Binding, type Facts, MAX_BINDING_LATENESS_MS } from "../context/facts.ts";
import type { IncomingBatch, ItemResult, Origin } from "../contract.ts";
import type { DeviceStatus, MonitorMemory } from "../memory/monitor-memory.ts";
import { MIN_LATE_MS } from "../samples/block-rows.ts";
import { toObservationId } from "../samples/ids.ts";
import { addToRollup } from "../samples/rollup.ts";
import type { Store } from "../samples/store.ts";
import { toPersonKey } from "../snapshot.ts";
import { type AcceptedItem, dropDuplicates } from "./duplicates.ts";
import { markForRecount } from "./hour-closing.ts";
import { enforceItemLimits, newStorageCounter } from "./item-limits.ts";

/** A clock error up to this is not corrected. */
const MAX_IGNORED_SKEW_MS = 120_000;
/** A correction stays until the skew has changed by this much. */
const MIN_SKEW_CHANGE_MS = 30_000;

/** The sender of a batch: a device with its assignments to this patient, or a person (`bindings` null). */
export type Sender = { by: string; device: string | null; bindings: Binding[] | null; isApp?: boolean };

export type RecordedBatch = {
  results: ItemResult[];
  /** Samples that are no duplicates, by time: for the alarm rules and the feed. */
  newSamples: (Sample & { block: number; index: number })[];
  /** Samples that were rejected because a limit of stored samples is reached: the alarm rules still see them. */
  unstored: Sample[];
  clock: { skew_ms: number | null; corrected_ms: number };
};

/** The sender of a batch; null for a credential that is not bound to this patient now. */
export function findSender(facts: Facts, origin: Origin, now: number): Sender | null {
  if (origin.kind === "person")
    return { by: toPersonKey(origin.id), device: null, bindings: null, ...(origin.isApp && { isApp: true }) };
  const bindings = facts.bindings.filter(({ credentials }) => {
    const expires = credentials[origin.credential];
    return expires !== undefined && (expires === null || expires > now);
  });
  const [first] = bindings;
  return first ? { by: first.device, device: first.device, bindings } : null;
}

/** The known fields of an item, which validation has bounded; drops all other fields. */
export function pickSampleFields(item: unknown): Record<string, unknown> {
  const { code, value, unit, effective_at, seq }: Record<string, unknown> = typeof item === "object" ? { ...item } : {};
  return { code, value, unit, effective_at, seq };
}

/** Milliseconds to subtract from a device's times. Stable for small drifts, so that a repeated batch is recognized as a duplicate. */
export function computeClockCorrection(skew: number | null, before: number): number {
  if (skew === null) return before;
  if (Math.abs(skew - before) <= MIN_SKEW_CHANGE_MS) return before;
  return Math.abs(skew) <= MAX_IGNORED_SKEW_MS ? 0 : Math.round(skew / 1000) * 1000;
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
  const evaluated = [...recorded.newSamples, ...recorded.unstored];
  const { conditions } = batch;
  if (evaluated.length > 0) runRules({ kind: "samples", device, samples: evaluated, ...(conditions && { conditions }) });
  if (device === null) return recorded;
  if (conditions) runRules({ kind: "conditions", device, conditions });
  if (recorded.clock.corrected_ms !== before) store.enqueueForD1("clock", { device, skew: recorded.clock.skew_ms });
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
  const deviceStatus = memory.deviceStatuses[by] ?? { received: now, skew: null, corrected: 0, conditions: [] };
  const skew = batch.sent_at === null ? deviceStatus.skew : batch.sent_at - now;
  const corrected = computeClockCorrection(skew, deviceStatus.corrected);
  const results: ItemResult[] = [];
  const accepted: AcceptedItem[] = [];
  for (const [index, item] of batch.items.entries()) {
    const validated = validateSample(item, { received: now, skewMs: corrected === 0 ? null : corrected });
    if (!validated.ok) {
      // A person sees the error and can enter the value again, so nothing is quarantined.
      const status = bindings === null ? "rejected" : validated.status;
      results[index] = { index, status, reason: validated.reason, message: validated.message };
      continue;
    }
    const placement = bindings === null ? "here" : matchBinding(bindings, validated.sample.at, skew !== null, now);
    if (placement === "here") accepted.push({ index, sample: validated.sample, ...(validated.note && { note: validated.note }) });
    else if (placement === "elsewhere") results[index] = { index, status: "elsewhere" };
    else
      results[index] = {
        index,
        status: "quarantined",
        reason: placement,
        message: "Measured before the device was assigned to this patient",
      };
  }
  const limited = enforceItemLimits(memory, by, accepted, results, now);
  const countStored = newStorageCounter(memory, sender, now);
  const { newSamples, unstored } = dropDuplicates(store, memory, by, limited, results, now, countStored);
  const positions = writeSamples(store, memory, { by, device }, newSamples, now, {
    ...deviceStatus,
    received: now,
    skew,
    corrected,
    ...(batch.conditions && { conditions: classifyConditions(batch.conditions).conditions }),
  });
  for (const { index, sample, note } of newSamples) {
    const at = positions.get(index) ?? { block: 0, index: 0 };
    results[index] = {
      index,
      status: "stored",
      observation_id: toObservationId(patientId, at.block, at.index),
      ...(sample.status === "invalid" ? { note: note ?? "implausible" } : note && { note }),
    };
  }
  const located = newSamples.map(({ index, sample }) => ({ ...sample, ...(positions.get(index) ?? { block: 0, index: 0 }) }));
  return {
    results,
    newSamples: located.sort((a, b) => a.at - b.at),
    unstored,
    clock: { skew_ms: skew, corrected_ms: corrected },
  };
}

/** Which patient a measurement time belongs to. An ended assignment accepts late samples for a week if the device's clock is known. */
function matchBinding(bindings: Binding[], at: number, clockKnown: boolean, now: number): "here" | "elsewhere" | "clock_unknown" {
  const covering = bindings.find(({ from, until }) => at >= from && (until === null || at < until));
  if (!covering) return "elsewhere";
  if (covering.until === null) return "here";
  if (now - covering.until > MAX_BINDING_LATENESS_MS) return "elsewhere";
  return clockKnown ? "here" : "clock_unknown";
}

/** Writes blocks, rollups and memory. @returns the position of each item, by its index in the batch */
function writeSamples(
  store: Store,
  memory: MonitorMemory,
  { by, device }: { by: string; device: string | null },
  newSamples: AcceptedItem[],
  now: number,
  deviceStatus: DeviceStatus,
): Map<number, { block: number; index: number }> {
  const positions = new Map<number, { block: number; index: number }>();
  if (device !== null) memory.deviceStatuses[by] = deviceStatus;
  const late = newSamples.filter(({ sample }) => sample.at < now - MIN_LATE_MS);
  const timely = newSamples.filter(({ sample }) => sample.at >= now - MIN_LATE_MS);
  if (late.length > 0) {
    const places = store.appendLate({ received: now, device: by, samples: late.map(({ sample }) => sample) }, now);
    for (const [i, place] of places.entries()) positions.set(late[i]?.index ?? 0, place);
  }
  const first = store.nextPosition(now);
  for (const [i, { index }] of timely.entries()) positions.set(index, { block: first.block, index: first.index + i });
  for (const { index, sample } of newSamples) updateMemory(store, memory, by, sample, positions.get(index) ?? first, now);
  if (newSamples.length > 0 && device !== null)
    countReceived(
      memory,
      by,
      newSamples.map(({ sample }) => sample),
      now,
    );
  if (timely.length > 0) store.appendToOpenBlock({ received: now, device: by, samples: timely.map(({ sample }) => sample) }, now);
  store.markDirty(now);
  return positions;
}

function updateMemory(
  store: Store,
  memory: MonitorMemory,
  by: string,
  sample: Sample,
  place: { block: number; index: number },
  now: number,
): void {
  const { code, value, unit, at, status } = sample;
  const newest = memory.newestSampleAt[by] ?? {};
  newest[code] = Math.max(at, newest[code] ?? at);
  memory.newestSampleAt[by] = newest;
  const latest = status === "final" ? memory.latest : memory.latestInvalid;
  if (at >= (latest[code]?.at ?? at)) latest[code] = { value, unit, at, received: now, by, status, ...place };
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
  const counts = days[day] ?? { day, count: 0, firstSeq: null, lastSeq: null };
  const seqs = samples.flatMap(({ seq }) => (seq === null ? [] : [seq]));
  days[day] = {
    day,
    count: counts.count + samples.length,
    firstSeq: seqs.length > 0 ? Math.min(counts.firstSeq ?? Number.POSITIVE_INFINITY, ...seqs) : counts.firstSeq,
    lastSeq: seqs.length > 0 ? Math.max(counts.lastSeq ?? 0, ...seqs) : counts.lastSeq,
  };
  memory.receivedCounts[by] = days;
}
