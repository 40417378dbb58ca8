// As what an alarm is shown.

export type Priority = "high" | "medium" | "low" | "technical";

/** What is wrong with a sensor or a device is shown apart from what is wrong with the patient. */
export function shownAs(alert: { rule: string; priority: "high" | "medium" | "low" }): Priority {
  return ["silence", "device_silence", "technical"].includes(alert.rule) ? "technical" : alert.priority;
}
