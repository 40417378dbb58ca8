// An open alert of high priority as a patient's object keeps it.
import type { Alert } from "../../src/monitoring/alarm-rules/model.ts";

/** @param raisedAt epoch milliseconds */
export const newAlert = (raisedAt: number, change: Partial<Alert> = {}): Alert => ({
  number: 1,
  key: "limit:8867-4",
  rule: "limit",
  code: "8867-4",
  device: null,
  priority: "high",
  state: "active",
  why: { value: 0, bound: 40, side: "low", window_s: null, text: "Heart rate 0" },
  raised_at: raisedAt,
  acknowledged_at: null,
  acknowledged_by: null,
  assigned_to: null,
  tier: 0,
  escalate_at: null,
  repeat_at: null,
  snoozed_until: null,
  recovered_at: null,
  cleared_at: null,
  ...change,
});
