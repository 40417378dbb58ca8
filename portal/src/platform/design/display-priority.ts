// Display priority of an alarm.

export type DisplayPriority = "high" | "medium" | "low" | "technical";

/** Technical alarms (sensor or device) are displayed apart from patient alarms. */
export function displayPriority(alert: { rule: string; priority: "high" | "medium" | "low" }): DisplayPriority {
  return ["silence", "device_silence", "technical"].includes(alert.rule) ? "technical" : alert.priority;
}
