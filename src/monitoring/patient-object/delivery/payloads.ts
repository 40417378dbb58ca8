// Payloads of the outbox of a patient's object.
import type { Transition } from "../../alarm-rules/model.ts";
import type { Rollup } from "../samples/rollup.ts";

/** `version` increases within the object. */
export type AlertChange = { version: number; ward: string | null; transition: Transition };
export type HourUpdate = { hour: number; version: number; stats: Record<string, Rollup> };
/** `day`: UTC days since the epoch; `queuedAt`: when the row was queued, epoch milliseconds. */
export type ReceivedCounts = {
  by: string;
  day: number;
  count: number;
  hours: number[];
  firstSeq: number | null;
  lastSeq: number | null;
  version: number;
  queuedAt: number;
};
export type ClockUpdate = { device: string; skew: number | null };

export type HeldItems = { device: string; items: { item: unknown; reason: string }[]; received: number };
