// When an alarm that nobody acknowledges is told again, and to whom, by itself: the portal counts down to it.
import type { AlarmConfig } from "./model.ts";

/** Minutes without acknowledgement: to the charge nurse, then to the doctor. */
export const ESCALATION_MINUTES: AlarmConfig["escalation"] = { high: [3, 10], medium: [15, 45], low: [] };
/** Minutes after which an alert that goes on is repeated. */
export const REPEAT_MINUTES: AlarmConfig["repeat_minutes"] = { high: 15, medium: 60, low: 240 };
