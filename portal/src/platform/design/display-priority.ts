// As what an alarm is shown.

export type DisplayPriority = "high" | "medium" | "low" | "technical";

/** What is wrong with a sensor or a device is shown apart from what is wrong with the patient. */
export function displayPriority(alert: { rule: string; priority: "high" | "medium" | "low" }): DisplayPriority {
  return ["silence", "device_silence", "technical"].includes(alert.rule) ? "technical" : alert.priority;
}
