// Reading of a batch's items, judgement of their clock, and the decision whether they belong to this patient.
import { MAX_BINDING_LATENESS_MS } from "../../../platform/device-times.ts";
import { correctTime, readSample, type SampleRejection } from "../../vitals/sample-validation.ts";
import type { Binding } from "../context/facts.ts";
import type { IncomingBatch, ItemResult } from "../contract.ts";
import type { DeviceStatus } from "../memory/monitor-memory.ts";
import { adoptClock, applyClock, type BatchJudgement, computeClockCorrection, judgeClock } from "./device-clock.ts";
import type { AcceptedItem } from "./duplicates.ts";

/** The sender of a batch: a device with its assignments to this patient, or a person (`bindings` null). */
export type Sender = { by: string; device: string | null; bindings: Binding[] | null; isApp?: boolean; isFiled?: true };

/** Reads the items with the times that their sender states; reports unreadable ones. */
export function readItems(items: readonly unknown[], isPerson: boolean, results: ItemResult[]): AcceptedItem[] {
  return items.flatMap((item, index) => {
    const read = readSample(item);
    if (read.ok) return [{ index, stated: read.sample.at, sample: read.sample, ...(read.note && { note: read.note }) }];
    reject(results, index, read, isPerson);
    return [];
  });
}

/** A person sees the error and can enter the value again, so nothing is quarantined. */
function reject(results: ItemResult[], index: number, { status, reason, message }: SampleRejection, isPerson: boolean): void {
  results[index] = { index, status: isPerson ? "rejected" : status, reason, message };
}

/** A batch of an earlier patient of the device, sent on by the object of the present one: that object knows the clock. */
const isForwarded = ({ bindings }: Sender, { clock }: IncomingBatch) => clock && bindings?.every(({ until }) => until !== null);

/** The clock that applies to the batch. */
export function judgeBatch(
  before: DeviceStatus,
  sender: Sender,
  batch: IncomingBatch,
  unseen: readonly AcceptedItem[],
  now: number,
): { status: DeviceStatus; clock: BatchJudgement } {
  const { sent_at, clock } = batch;
  // What staff file is history: nobody waits for it, and it says nothing of the device now.
  if (sender.isFiled) return { status: before, clock: { skew: before.skew, corrected: before.corrected, isConfirmed: false } };
  if (clock && isForwarded(sender, batch)) return applyClock(before, clock);
  // The object of the patient before knows the clock of a device that is new here.
  const known =
    before.skew === null && clock?.confirmed && clock.skew_ms !== null
      ? adoptClock(before, clock.skew_ms, clock.corrected_ms).status
      : before;
  const { bindings } = sender;
  // A sample that another patient's object may have stored is no news.
  const mayBeHere = (at: number) => bindings === null || findBinding(bindings, at) !== undefined;
  const target = sent_at === null ? 0 : computeClockCorrection(sent_at - now, known.corrected);
  const hasNews = unseen.some(({ stated }) => mayBeHere(stated - known.corrected) || mayBeHere(stated - target));
  return judgeClock(known, sent_at, hasNews, now);
}

/** Corrects the times of items and decides whether they belong to this patient; reports those that do not. */
export function placeItems(
  items: readonly AcceptedItem[],
  sender: Sender,
  clock: BatchJudgement,
  { batch, results, now }: { batch: IncomingBatch; results: ItemResult[]; now: number },
): AcceptedItem[] {
  const { bindings } = sender;
  // With an unclear time it may be anybody's.
  const isUnclear = isForwarded(sender, batch) && !clock.isConfirmed;
  const isClockKnown = batch.sent_at !== null || clock.skew !== null;
  return items.flatMap((item) => {
    const { index } = item;
    const corrected = correctTime({ ok: true, sample: item.sample }, { received: now, skewMs: clock.corrected });
    if (!corrected.ok) {
      reject(results, index, corrected, bindings === null);
      return [];
    }
    const place = bindings === null ? "here" : matchBinding(bindings, corrected.sample.at, isClockKnown, now);
    const placement = place === "here" && isUnclear ? "clock_unknown" : place;
    if (placement === "here") return [{ ...item, sample: corrected.sample }];
    const message = "Measured before the device was assigned to this patient";
    results[index] =
      placement === "elsewhere" ? { index, status: "elsewhere" } : { index, status: "quarantined", reason: placement, message };
    return [];
  });
}

const findBinding = (bindings: readonly Binding[], at: number) =>
  bindings.find(({ from, until }) => at >= from && (until === null || at < until));

/** Which patient a measurement time belongs to. An ended assignment accepts late samples for a week if the device's clock is known. */
function matchBinding(bindings: Binding[], at: number, clockKnown: boolean, now: number): "here" | "elsewhere" | "clock_unknown" {
  const covering = findBinding(bindings, at);
  if (!covering) return "elsewhere";
  if (covering.until === null) return "here";
  if (now - covering.until > MAX_BINDING_LATENESS_MS) return "elsewhere";
  return clockKnown ? "here" : "clock_unknown";
}
