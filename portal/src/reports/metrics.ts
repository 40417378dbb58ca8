// What came with a report, as it is shown: in the order of its kind, with units, and with what cannot be marked.
import { MEASURES, type Measure } from "../../../src/reports/upload/measures.ts";
import type { Kind } from "./kinds.ts";

/** Numbers that a person may enter for a report of this kind, in the order in which machines print them. */
export const fieldsOf = (kind: Kind): readonly string[] => Object.keys(MEASURES[kind]);

/** Reports carry numbers of other kinds too: a name means the same in all of them. */
const NAMED: ReadonlyMap<string, Measure> = new Map(Object.values(MEASURES).flatMap((measures) => Object.entries(measures)));
export const measureOf = (key: string): Measure | undefined => NAMED.get(key);

export function isPlausible(key: string, value: number): boolean {
  const measure = measureOf(key);
  return measure === undefined || (value >= measure.min && value <= measure.max);
}

/** One line of what came with a report. An invalid one is shown, and marked. */
export type Reading = { key: string; value: string | number; unit: string | null; valid: boolean };

export function readingsOf(kind: Kind, metrics: Record<string, unknown>): Reading[] {
  const order = fieldsOf(kind);
  const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.entries(metrics)
    .map(([key, value]) => readingOf(key, value))
    .sort((a, b) => place(a.key) - place(b.key));
}

function readingOf(key: string, value: unknown): Reading {
  const unit = measureOf(key)?.unit ?? null;
  if (typeof value === "number") return { key, value, unit, valid: isPlausible(key, value) };
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { key, value: text, unit, valid: measureOf(key) === undefined };
}
