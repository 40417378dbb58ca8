// The rule for conditions that a device reports: one technical alert per condition of the vocabulary, and a bound per hour.
import type { AlarmMemory, DeviceMemory, RuleRun } from "./alarm-memory.ts";
import { findOpenAlert, isOngoing, raiseAlert, recoverAlert } from "./alert-lifecycle.ts";
import { CHANGING_CONDITION, classifyConditions, OTHER_CONDITION } from "./device-conditions.ts";
import type { Alert } from "./model.ts";
import { addRaises, countInHour, MAX_RAISED_PER_HOUR } from "./raise-counts.ts";
import { recordDeviceContact } from "./silence-rule.ts";
import { recordLeads } from "./zero-rule.ts";

function toTechnicalKey(device: string, condition: string): string {
  return `technical:${device}:${condition}`;
}

/** Raises alerts for reported conditions and ends those no longer reported. A new unknown word is a new condition. */
export function applyConditions(run: RuleRun, id: string, reported: readonly string[]): void {
  const device = recordDeviceContact(run, id);
  if (device) recordLeads(device, reported, run.now);
  if (!device || run.config.monitoring === "off") return;
  const { conditions: classified, unknown } = classifyConditions(reported);
  const newWords = unknown.filter((word) => !device.otherConditions?.includes(word));
  const isNew = (condition: string) => condition === OTHER_CONDITION && newWords.length > 0;
  device.otherConditions = unknown.length > 0 ? unknown : undefined;
  device.resolvedConditions = device.resolvedConditions?.filter((one) => classified.includes(one) && !isNew(one));
  const conditions = limitRaises(run, device, id, classified, isNew);
  const keys = new Set(conditions.map((condition) => toTechnicalKey(id, condition)));
  for (const alert of [...run.memory.alerts]) {
    if (alert.rule === "technical" && alert.device === id && !keys.has(alert.key)) recoverAlert(run, alert.key);
  }
  for (const condition of conditions)
    if (!device.resolvedConditions?.includes(condition)) {
      const words = condition === OTHER_CONDITION ? [...new Set([...newWords, ...unknown])] : [];
      raiseTechnicalAlert(run, id, condition, words, isNew(condition));
    }
}

/** The conditions that may have alerts: those reported, or the one for changing conditions until the hour ends. */
function limitRaises(
  run: RuleRun,
  device: DeviceMemory,
  id: string,
  conditions: string[],
  isNew: (condition: string) => boolean,
): string[] {
  if (countInHour(device.raised, run.now) > MAX_RAISED_PER_HOUR) return [CHANGING_CONDITION];
  const isRaised = (condition: string) =>
    !device.resolvedConditions?.includes(condition) &&
    (isNew(condition) || !isOngoing(findOpenAlert(run, toTechnicalKey(id, condition))));
  const raised = addRaises(device.raised, run.now, conditions.filter(isRaised).length);
  if (raised.count > 0) device.raised = raised;
  return raised.count > MAX_RAISED_PER_HOUR ? [CHANGING_CONDITION] : conditions;
}

/** @param words the unknown words that the condition stands for  @param isNew whether an open alert must be acknowledged again */
function raiseTechnicalAlert(run: RuleRun, device: string, condition: string, words: readonly string[], isNew: boolean): void {
  const detail = words.length > 0 ? `${condition} (${words.join(", ").slice(0, MAX_OTHER_LENGTH)})` : condition;
  const why = { value: null, bound: null, side: null, window_s: null, text: `The device reports: ${detail}` };
  const key = toTechnicalKey(device, condition);
  raiseAlert(run, { key, rule: "technical", code: null, device, priority: "low", why }, isNew);
}

/** Characters of unknown words that the alert shows. */
const MAX_OTHER_LENGTH = 80;

/** A resolved condition raises no alert again while the device goes on reporting it. */
export function ignoreCondition(memory: AlarmMemory, { device: id, key }: Alert): void {
  const device = id === null ? undefined : memory.devices[id];
  if (id !== null && device)
    device.resolvedConditions = [...(device.resolvedConditions ?? []), key.slice(toTechnicalKey(id, "").length)];
}
