// Times of escalation and repeat. A module without imports at run time, since the portal uses it too.
import type { AlarmConfig } from "./model.ts";

/** Minutes without acknowledgement until the alert is overdue, then long overdue: it is marked, and nobody is notified. */
export const ESCALATION_MINUTES: AlarmConfig["escalation"] = { high: [3, 10], medium: [15, 45], low: [] };
/** Minutes until an ongoing alert is repeated. */
export const REPEAT_MINUTES: AlarmConfig["repeat_minutes"] = { high: 15, medium: 60, low: 240 };
