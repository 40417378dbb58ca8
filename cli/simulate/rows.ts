// Schedules of rows: which monitor measures what and when, ordered by time.
import type { Options } from "./options.ts";
import type { RecordedValue } from "./recording.ts";
import { createVitalSource, type Measurement } from "./source.ts";

/** Milliseconds since the start of the run: `due` is when it is sent, `at` when it was measured (negative: in the past). */
export type SimulatedRow = { monitor: number; due: number; at: number; values: Measurement[] };

/** `rate` rows per second, one monitor after another; endless without a duration. */
export function* generateRows(
  options: Pick<Options, "rate" | "patients" | "startId" | "duration" | "seed" | "scenario">,
): Generator<SimulatedRow> {
  const { rate, patients, startId, duration, seed, scenario } = options;
  const sources = Array.from({ length: patients }, (_, i) => createVitalSource(seed, startId + i, i === 0 ? scenario : "stable"));
  const total = duration === 0 ? Number.POSITIVE_INFINITY : Math.round(rate * duration);
  for (let row = 0; row < total; row++) {
    const monitor = row % patients;
    const seconds = row / rate;
    const at = Math.round(seconds * 1_000);
    yield { monitor, due: at, at, values: sources[monitor]?.(seconds) ?? [] };
  }
}

/** A recording that starts now and plays at `speed`, or that ends now and is sent at once. */
export function* replayRows(
  recording: readonly RecordedValue[],
  speed: number | null,
  duration: number,
): Generator<SimulatedRow> {
  const length = recording.at(-1)?.offset ?? 0;
  for (let first = 0; first < recording.length; ) {
    const offset = recording[first]?.offset ?? 0;
    let next = first;
    while (recording[next]?.offset === offset) next++;
    const due = speed === null ? 0 : Math.round(offset / speed);
    if (duration > 0 && due >= duration * 1_000) return;
    const values = recording.slice(first, next).map(({ code, value, unit }) => ({ code, value, unit }));
    yield { monitor: 0, due, at: speed === null ? offset - length : due, values };
    first = next;
  }
}
