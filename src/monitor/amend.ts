// Corrections: a sample is amended or marked as entered in error; what it was stays in the block and in the correction.
import type { AlarmInput } from "../alerts/model.ts";
import { DAY_MS } from "../counters.ts";
import { judge } from "../vitals/incoming.ts";
import type { LiveSample } from "./contract.ts";
import { noteAgain } from "./hours.ts";
import { HOUR_MS, type Memory } from "./memory.ts";
import { readBetween } from "./read.ts";
import { type Rollup, rollupsOf } from "./rollup.ts";
import type { Store } from "./store.ts";
import { type CorrectionBody, corrected, counted, type Shown, toLive } from "./view.ts";

export type Amendment = {
  status: CorrectionBody["status"];
  /** As devices bring it; null keeps the value (entered in error). */
  value: number | string | null;
  /** UCUM; null is the unit of the sample. */
  unit: string | null;
  reason: string;
  by: string;
};
export type Amended =
  | { sample: LiveSample; history: { value: number; by: string; at: string; reason: string | null }[] }
  | { error: "not_found" | "implausible" | "unit_unknown" };

/**
 * The hour of the sample is counted again; D1 hears of it by the outbox.
 * @param change runs its argument in one transaction, and the alarm rules on what it returns
 */
export async function amend(
  env: Env,
  store: Store,
  patientId: string,
  place: { block: number; index: number },
  { status, value: given, unit, reason, by }: Amendment,
  now: number,
  change: (work: () => AlarmInput | null) => void,
): Promise<Amended> {
  const found = await find(env, store, patientId, place, now);
  if (!found) return { error: "not_found" };
  const value = given === null ? found.value : valueIn(found, given, unit ?? found.unit);
  if (typeof value === "string") return { error: value };
  const earlier: CorrectionBody | null = store.documents.correction(place.block, place.index);
  const before = [
    ...(earlier?.before ?? []),
    earlier
      ? { value: earlier.value, by: earlier.by, at: earlier.at, reason: earlier.reason }
      : { value: found.value, by: found.device ?? "", at: found.received, reason: null },
  ];
  const body: CorrectionBody = { status, value, by, reason, at: now, before };
  change(() => {
    store.correct(place.block, place.index, body);
    const memory = store.memory(now);
    const hour = Math.floor(found.at / HOUR_MS);
    if (hour > memory.told) memory.hours[hour] = openHour(store, hour, now);
    else noteAgain(store, memory, hour);
    store.keep(now);
    if (found.at < (memory.latest[found.code]?.at ?? found.at)) return null;
    findLatest(store, memory, found.code, now);
    return { kind: "corrected", code: found.code, newest: memory.latest[found.code] ?? null };
  });
  const sample = toLive(patientId, { ...found, value: body.value, status });
  return { sample, history: before.map(({ at, ...rest }) => ({ ...rest, at: new Date(at).toISOString() })) };
}

/** The value in the sample's unit, judged like one that comes in, or why it is none. */
function valueIn({ code, at, received, unit: own }: Shown, value: number | string, unit: string) {
  const effective_at = new Date(at).toISOString();
  const judged = judge({ code, value, unit, effective_at }, { received, skewMs: null });
  if (!judged.ok) return judged.reason === "unit_unknown" || judged.reason === "unit_invalid" ? "unit_unknown" : "implausible";
  if (judged.sample.unit !== own) return "unit_unknown";
  return judged.sample.status === "final" ? judged.sample.value : "implausible";
}

/** The rollups of an hour that D1 was not told yet: its samples lie here, all of them. */
function openHour(store: Store, hour: number, now: number): Record<string, Rollup> {
  const samples = corrected([...store.between(hour * HOUR_MS, (hour + 1) * HOUR_MS, now)].flat(), store.documents.corrections());
  return Object.fromEntries(rollupsOf(samples.map(counted)).get(hour) ?? []);
}

/** The newest of a code anew, from what was measured within a day. */
function findLatest(store: Store, memory: Memory, code: string, now: number): void {
  const samples = [...store.between(now - DAY_MS, now + DAY_MS, now)].flat().filter((sample) => sample.code === code);
  const shown = corrected(samples, store.documents.corrections()).sort((a, b) => a.at - b.at);
  const newest = (counts: boolean) =>
    shown.findLast((s) => s.status !== "entered-in-error" && (counted(s).status === "final") === counts);
  for (const [slot, sample] of [[code, newest(true)] as const, [`${code}!`, newest(false)] as const]) {
    if (!sample) delete memory.latest[slot];
    else {
      const { value, unit, at, received, device, status, block, index } = sample;
      const kept = counted(sample).status;
      const amended = status === "amended" ? { amended: true } : {};
      memory.latest[slot] = { value, unit, at, received, by: device ?? "", status: kept, block, index, ...amended };
    }
  }
}

async function find(
  env: Env,
  store: Store,
  patientId: string,
  { block, index }: { block: number; index: number },
  now: number,
): Promise<Shown | null> {
  const here = store.block(block, now)?.[index];
  if (here) return { ...here, block };
  const { from, to } = store.spanOf(block);
  if (store.archives(from, to).length === 0) return null;
  const samples = await readBetween(env, store, patientId, { from, to }, now);
  return samples.find((s) => s.block === block && s.index === index) ?? null;
}
