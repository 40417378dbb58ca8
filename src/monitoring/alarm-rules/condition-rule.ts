// The rule for conditions that a device reports: one technical alert per condition of the vocabulary, and a bound per hour.
import type { AlarmMemory, DeviceMemory, RuleRun } from "./alarm-memory.ts";
import { findOpenAlert, isOngoing, raiseAlert, recoverAlert } from "./alert-lifecycle.ts";
import { CHANGING_CONDITION, classifyConditions, OTHER_CONDITION } from "./device-conditions.ts";
import type { Alert } from "./model.ts";
import { recordDeviceContact } from "./silence-rule.ts";

const HOUR_MS = 3_600_000;
/**
 * Technical alerts that a device may raise per clock hour. A real device has a few. Beyond them one standing alert covers whatever
 * it reports until the hour ends, so that a loose contact neither floods the ward nor the database, and no condition goes unseen.
 */
export const MAX_RAISED_PER_HOUR = 60;

function toTechnicalKey(device: string, condition: string): string {
  return `technical:${device}:${condition}`;
}

/** Raises alerts for reported conditions and ends those no longer reported. */
export function applyConditions(run: RuleRun, id: string, reported: readonly string[]): void {
  const device = recordDeviceContact(run, id);
  if (!device || run.config.monitoring === "off") return;
  const { conditions: classified, other } = classifyConditions(reported);
  device.resolvedConditions = device.resolvedConditions?.filter((condition) => classified.includes(condition));
  const conditions = limitRaises(run, device, id, classified);
  const keys = new Set(conditions.map((condition) => toTechnicalKey(id, condition)));
  for (const alert of [...run.memory.alerts]) {
    if (alert.rule === "technical" && alert.device === id && !keys.has(alert.key)) recoverAlert(run, alert.key);
  }
  for (const condition of conditions)
    if (!device.resolvedConditions?.includes(condition)) raiseTechnicalAlert(run, id, condition, other);
}

/** The conditions that may have alerts: those reported, or the one for changing conditions until the hour ends. */
function limitRaises(run: RuleRun, device: DeviceMemory, id: string, conditions: string[]): string[] {
  const hour = Math.floor(run.now / HOUR_MS);
  const raised = device.raised?.hour === hour ? device.raised.count : 0;
  if (raised > MAX_RAISED_PER_HOUR) return [CHANGING_CONDITION];
  const isNew = (condition: string) =>
    !device.resolvedConditions?.includes(condition) && !isOngoing(findOpenAlert(run, toTechnicalKey(id, condition)));
  const count = raised + conditions.filter(isNew).length;
  if (count > 0) device.raised = { hour, count };
  return count > MAX_RAISED_PER_HOUR ? [CHANGING_CONDITION] : conditions;
}

function raiseTechnicalAlert(run: RuleRun, device: string, condition: string, other: string | null): void {
  const detail = condition === OTHER_CONDITION && other !== null ? `${condition} (${other})` : condition;
  const why = { value: null, bound: null, side: null, window_s: null, text: `The device reports: ${detail}` };
  raiseAlert(run, { key: toTechnicalKey(device, condition), rule: "technical", code: null, device, priority: "low", why });
}

/** A resolved condition raises no alert again while the device goes on reporting it. */
export function ignoreCondition(memory: AlarmMemory, { device: id, key }: Alert): void {
  const device = id === null ? undefined : memory.devices[id];
  if (id !== null && device)
    device.resolvedConditions = [...(device.resolvedConditions ?? []), key.slice(toTechnicalKey(id, "").length)];
}
