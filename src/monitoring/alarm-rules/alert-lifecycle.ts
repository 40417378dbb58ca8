// Lifecycle of an alert: raised, acknowledged, escalated, repeated, snoozed, recovered, cleared.
import type { RuleRun, VitalMemory } from "./alarm-memory.ts";
import { copyAlert } from "./alarm-memory.ts";
import type { Alert, RuleName, Transition } from "./model.ts";
import { PRIORITIES } from "./model.ts";
import { addRaises, MAX_NOTIFIED_PER_HOUR, standsUntil } from "./raise-counts.ts";

const MINUTE_MS = 60_000;
/** The longest time without reminders: the interval of ward rounds. */
export const MAX_SNOOZE_MS = 4 * 60 * MINUTE_MS;

/** Assignments and snoozes of one alert: each is an event in D1. Acknowledging, resolving and ending a snooze are always possible. */
export const MAX_ALERT_ACTIONS = 100;

const ALARM_ERRORS = {
  unknown_alert: "Unknown alert",
  not_open: "The alert is cleared",
  too_many_actions: "Too many assignments and snoozes of the alert",
} as const;

/** An action on an unknown or cleared alert, or one too many. */
export class AlarmError extends Error {
  readonly code: keyof typeof ALARM_ERRORS;

  constructor(code: keyof typeof ALARM_ERRORS) {
    super(ALARM_ERRORS[code]);
    this.code = code;
  }
}

export type AlertCause = Pick<Alert, "key" | "rule" | "code" | "device" | "priority" | "why" | "sounds">;

export function findOpenAlert(run: RuleRun, key: string): Alert | undefined {
  return run.memory.alerts.find((alert) => alert.key === key);
}

/** Whether the alert is open and its condition has not recovered. */
export function isOngoing(alert: Alert | undefined): alert is Alert {
  return alert !== undefined && alert.state !== "recovered";
}

function recordTransition(run: RuleRun, what: Transition["what"], alert: Alert, by: string | null = null): void {
  run.transitions.push({ what, at: run.now, by, alert: copyAlert(alert) });
}

/** Rules that samples evaluate: one request could raise and end their alerts a thousand times. */
const RULES_OF_VITALS: ReadonlySet<RuleName> = new Set(["limit", "rate", "trend", "unit", "late_critical"]);

function findCounted({ memory }: RuleRun, { rule, code }: AlertCause): Pick<VitalMemory, "raised"> | undefined {
  if (code !== null && rule === "technical") return memory.zeros?.[code];
  return code !== null && RULES_OF_VITALS.has(rule) ? memory.vitals[code] : undefined;
}

/** Whether the alert covers every change of its vital until the clock hour ends. */
export function isStanding(run: RuleRun, alert: Alert): boolean {
  return standsUntil(findCounted(run, alert), alert) > run.now;
}

/** @param isExpected an alert of this condition is open and nobody has acknowledged it */
function recordRaise(run: RuleRun, what: "raised" | "raised_priority", alert: Alert, isExpected: boolean): void {
  const counted = findCounted(run, alert);
  if (counted) counted.raised = addRaises(counted.raised, run.now, 1);
  recordTransition(run, what, alert);
  const isFlapping = what === "raised" && isExpected && (counted?.raised?.count ?? 0) > MAX_NOTIFIED_PER_HOUR;
  const last = run.transitions.at(-1);
  if (isFlapping && last) last.isFlapping = true;
}

/**
 * Raises an alert for a condition. An open alert changes only when the condition got worse: a higher priority, the other side, a
 * return after recovery, or `isNew`, a further condition of the same key. Each of these requires a new acknowledgement; only a standing
 * alert, which nobody has acknowledged, just takes the new reason. The priority never falls while the alert is open.
 */
export function raiseAlert(run: RuleRun, cause: AlertCause, isNew = false): void {
  const open = findOpenAlert(run, cause.key);
  if (!open) {
    run.memory.lastAlertNumber += 1;
    const alert: Alert = {
      ...cause,
      ...ACTIVE_FIELDS,
      number: run.memory.lastAlertNumber,
      raised_at: run.now,
      assigned_to: null,
      cleared_at: null,
    };
    scheduleReminders(run, alert);
    run.memory.alerts.push(alert);
    // A high alert ends only when somebody acknowledges it; a lower one may begin and end with each value.
    recordRaise(run, "raised", alert, alert.priority !== "high");
    return;
  }
  const isHigher = PRIORITIES.indexOf(cause.priority) < PRIORITIES.indexOf(open.priority);
  if (!isHigher && !isNew && open.state !== "recovered" && open.why.side === cause.why.side) return;
  if (!isHigher && isStanding(run, open)) {
    Object.assign(open, { why: cause.why, code: cause.code });
    return;
  }
  const isExpected = open.state !== "acknowledged";
  // An alert that sounds goes on sounding until it ends.
  const sounds = cause.sounds === false ? open.sounds : cause.sounds;
  const { why, code } = cause;
  Object.assign(open, ACTIVE_FIELDS, { why, code, sounds, priority: isHigher ? cause.priority : open.priority });
  scheduleReminders(run, open);
  recordRaise(run, isHigher ? "raised_priority" : "raised", open, isExpected);
}

/** Lets a silent alert sound. It ends a snooze, and asks for a new acknowledgement if it was acknowledged in silence. */
export function startSound(run: RuleRun, key: string): void {
  const alert = findOpenAlert(run, key);
  if (!isOngoing(alert) || alert.sounds !== false) return;
  Object.assign(alert, { sounds: undefined, snoozed_until: null });
  if (alert.state === "acknowledged") {
    Object.assign(alert, ACTIVE_FIELDS);
    scheduleReminders(run, alert);
  }
  recordTransition(run, "raised_sound", alert);
}

const ACTIVE_FIELDS = {
  state: "active",
  tier: 0,
  acknowledged_at: null,
  acknowledged_by: null,
  escalate_at: null,
  repeat_at: null,
  snoozed_until: null,
  recovered_at: null,
} as const;

function scheduleReminders(run: RuleRun, alert: Alert): void {
  alert.escalates_from = run.now;
  alert.repeats_from = run.now;
  followSettings(run, alert);
}

/** Sets the times of the next escalation and repeat by the minutes in force, which may have changed since the alert was raised. */
function followSettings(run: RuleRun, alert: Alert): void {
  const { escalates_from, repeats_from, priority, state, tier } = alert;
  if (escalates_from !== undefined && state === "active")
    alert.escalate_at = addMinutes(escalates_from, run.config.escalation[priority][tier] ?? null);
  if (repeats_from === undefined || state === "recovered" || state === "cleared") return;
  const minutes = run.config.repeat_minutes[priority];
  // At most once per minute, whatever the settings are.
  alert.repeat_at = addMinutes(repeats_from, minutes === null ? null : Math.max(1, minutes));
}

function addMinutes(start: number, minutes: number | null): number | null {
  return minutes === null ? null : start + minutes * MINUTE_MS;
}

/** Ends the condition of an alert. An unacknowledged high-priority limit alert is latched: it stays until acknowledged. */
export function recoverAlert(run: RuleRun, key: string): void {
  const alert = findOpenAlert(run, key);
  if (!isOngoing(alert)) return;
  alert.recovered_at = run.now;
  if (isLatching(alert)) {
    Object.assign(alert, { state: "recovered", escalate_at: null, repeat_at: null, snoozed_until: null });
    recordTransition(run, "recovered", alert);
  } else clearAlert(run, alert);
}

/** For alerts that the next sample can raise again: a standing one stays until the clock hour ends. */
export function recoverUnlessStanding(run: RuleRun, key: string): void {
  const alert = findOpenAlert(run, key);
  if (alert && !isStanding(run, alert)) recoverAlert(run, key);
}

function isLatching(alert: Alert): boolean {
  return alert.rule === "limit" && alert.priority === "high" && alert.state === "active";
}

/** Clears an alert in any state: its condition ended, it was resolved, or its subject is no longer monitored. */
export function clearAlert(run: RuleRun, alert: Alert, by: string | null = null): void {
  Object.assign(alert, { state: "cleared", cleared_at: run.now, escalate_at: null, repeat_at: null, snoozed_until: null });
  run.memory.alerts.splice(run.memory.alerts.indexOf(alert), 1);
  recordTransition(run, "cleared", alert, by);
}

/** Clears the alert with this key, if any, without latching. */
export function clearAlertByKey(run: RuleRun, key: string): void {
  const alert = findOpenAlert(run, key);
  if (alert) clearAlert(run, alert);
}

/** @throws AlarmError */
export function requireOpenAlert(run: RuleRun, number: number): Alert {
  const alert = run.memory.alerts.find((open) => open.number === number);
  if (alert) return alert;
  throw new AlarmError(
    Number.isInteger(number) && number >= 1 && number <= run.memory.lastAlertNumber ? "not_open" : "unknown_alert",
  );
}

/** Only the first acknowledgement counts. It clears a latched alert, and one about the past, whose condition cannot end. */
export function acknowledgeAlert(run: RuleRun, number: number, by: string): void {
  const alert = requireOpenAlert(run, number);
  if (alert.state === "acknowledged") return;
  const isLatched = alert.state === "recovered" || alert.rule === "late_critical";
  Object.assign(alert, { state: "acknowledged", acknowledged_at: run.now, acknowledged_by: by, escalate_at: null });
  Object.assign(alert, { repeat_at: null, repeats_from: isLatched ? undefined : run.now });
  followSettings(run, alert);
  recordTransition(run, "acknowledged", alert, by);
  if (isLatched) clearAlert(run, alert);
}

/** @throws AlarmError */
function countAction(alert: Alert): void {
  const actions = (alert.actions ?? 0) + 1;
  if (actions > MAX_ALERT_ACTIONS) throw new AlarmError("too_many_actions");
  alert.actions = actions;
}

export function assignAlert(run: RuleRun, number: number, by: string, to: string | null): void {
  const alert = requireOpenAlert(run, number);
  if (alert.assigned_to === to) return;
  countAction(alert);
  alert.assigned_to = to;
  recordTransition(run, "assigned", alert, by);
}

/**
 * Stops repeats and escalation until `until` (epoch milliseconds, at most four hours ahead). A past time ends the snooze, which is
 * always possible: each snooze was counted when it began.
 */
export function snoozeAlert(run: RuleRun, number: number, by: string, until: number): void {
  const alert = requireOpenAlert(run, number);
  const isStart = until > run.now;
  if (!isStart && alert.snoozed_until === null) return;
  if (isStart) countAction(alert);
  alert.snoozed_until = isStart ? Math.min(until, run.now + MAX_SNOOZE_MS) : null;
  recordTransition(run, "snoozed", alert, by);
}

/** When escalation, repeat and snooze are due, epoch milliseconds. */
export function listAlertDeadlines(alert: Alert): number[] {
  return [getEscalationTime(alert), repeatDueAt(alert), alert.snoozed_until].filter((time) => time !== null);
}

/** When the next escalation is due, by the minutes that were in force when the alert last changed. Epoch milliseconds. */
export function getEscalationTime(alert: Alert): number | null {
  return alert.state === "active" ? delayBySnooze(alert, alert.escalate_at) : null;
}

/** Acknowledged alerts are repeated too while their condition lasts. */
function repeatDueAt(alert: Alert): number | null {
  return alert.state === "recovered" ? null : delayBySnooze(alert, alert.repeat_at);
}

function delayBySnooze(alert: Alert, time: number | null): number | null {
  return time === null ? null : Math.max(time, alert.snoozed_until ?? time);
}

/** Runs due escalations and repeats. After a delay it escalates every missed tier in order, and repeats once. */
export function runDueReminders(run: RuleRun): void {
  for (const alert of run.memory.alerts) {
    followSettings(run, alert);
    for (let due = getEscalationTime(alert); due !== null && due <= run.now; due = getEscalationTime(alert))
      escalateAlert(run, alert, due);
    const repeat = repeatDueAt(alert);
    if (repeat !== null && repeat <= run.now) {
      alert.repeats_from = run.now;
      followSettings(run, alert);
      recordTransition(run, "repeated", alert);
    }
    if (alert.snoozed_until !== null && alert.snoozed_until <= run.now) alert.snoozed_until = null;
  }
}

function escalateAlert(run: RuleRun, alert: Alert, due: number): void {
  // A snooze delays the later tiers as well.
  alert.escalates_from = due - (run.config.escalation[alert.priority][alert.tier] ?? 0) * MINUTE_MS;
  alert.tier += 1;
  followSettings(run, alert);
  recordTransition(run, "escalated", alert);
}
