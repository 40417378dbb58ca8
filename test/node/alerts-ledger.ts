// An independent ledger of legal alert transitions: it reads only transitions and reports what is illegal about them.
import type { AlarmConfig, AlarmInput, Alert, Transition } from "../../src/monitoring/alarm-rules/model.ts";

const RANK = { high: 0, medium: 1, low: 2 };
const LEGAL_AFTER: Record<Transition["what"], readonly Alert["state"][]> = {
  raised: ["active"],
  raised_priority: ["active"],
  raised_sound: ["active"],
  acknowledged: ["acknowledged"],
  assigned: ["active", "acknowledged", "recovered"],
  escalated: ["active"],
  repeated: ["active", "acknowledged"],
  snoozed: ["active", "acknowledged", "recovered"],
  recovered: ["recovered"],
  cleared: ["cleared"],
};
const LEGAL_BEFORE: Record<Exclude<Transition["what"], "raised">, readonly Alert["state"][]> = {
  raised_priority: ["active", "acknowledged", "recovered"],
  raised_sound: ["active", "acknowledged"],
  acknowledged: ["active", "recovered"],
  assigned: ["active", "acknowledged", "recovered"],
  escalated: ["active"],
  repeated: ["active", "acknowledged"],
  snoozed: ["active", "acknowledged", "recovered"],
  recovered: ["active"],
  cleared: ["active", "acknowledged", "recovered"],
};

const BEGINS_TO_SOUND: readonly Transition["what"][] = ["raised", "raised_priority", "raised_sound"];

export type Ledger = { open: Map<number, { alert: Alert; since: number }>; highest: number; now: number };

export function newLedger(): Ledger {
  return { open: new Map(), highest: 0, now: 0 };
}

/** Records the transitions of a step. @returns a description of each illegal one */
export function recordTransitions(
  ledger: Ledger,
  input: AlarmInput,
  config: AlarmConfig,
  transitions: readonly Transition[],
  now: number,
): string[] {
  return transitions.flatMap((transition) => {
    const wrong = judgeTransition(ledger, input, config, transition, now);
    const { what, at, alert } = transition;
    const known = ledger.open.get(alert.number);
    const begins =
      what === "raised" || what === "raised_priority" || (what === "raised_sound" && known?.alert.state === "acknowledged");
    if (alert.state === "cleared") ledger.open.delete(alert.number);
    else ledger.open.set(alert.number, { alert, since: begins || !known ? at : known.since });
    ledger.highest = Math.max(ledger.highest, alert.number);
    ledger.now = Math.max(ledger.now, at);
    return wrong.map((reason) => `${what} of ${alert.key} (${alert.number}): ${reason}`);
  });
}

/** An entry about the past is renewed by a value measured later. */
const isOfLaterTime = ({ rule, why }: Alert, was: Alert) =>
  rule === "late_critical" && (why.measured_at ?? "") > (was.why.measured_at ?? "");

function judgeTransition(
  ledger: Ledger,
  input: AlarmInput,
  config: AlarmConfig,
  { what, at, by, alert }: Transition,
  now: number,
): string[] {
  const before = ledger.open.get(alert.number);
  const was = before?.alert;
  const twins = [...ledger.open.values()].filter((open) => open.alert.key === alert.key && open.alert.number !== alert.number);
  const acted = "number" in input && input.number === alert.number;
  const minutes = config.escalation[alert.priority][alert.tier - 1];
  return Object.entries({
    "not at the time of the step": at !== now,
    "time goes back": at < ledger.now,
    "a second open alert of its key": twins.length > 0,
    "a number that is not the next": !was && alert.number !== ledger.highest + 1,
    "of an alert that is not open": !was && what !== "raised",
    [`from ${was?.state}`]: was !== undefined && what !== "raised" && !LEGAL_BEFORE[what].includes(was.state),
    [`to ${alert.state}`]: !LEGAL_AFTER[what].includes(alert.state),
    "it became another alert":
      was !== undefined && (was.key !== alert.key || was.rule !== alert.rule || was.raised_at !== alert.raised_at),
    "again without a reason":
      what === "raised" &&
      was?.state === "active" &&
      was.why.side === alert.why.side &&
      !standsForMany(alert) &&
      !isOfLaterTime(alert, was),
    "the priority did not rise": what === "raised_priority" && was !== undefined && RANK[alert.priority] >= RANK[was.priority],
    "the priority fell": was !== undefined && RANK[alert.priority] > RANK[was.priority],
    "the priority rose silently": what !== "raised_priority" && was !== undefined && RANK[alert.priority] < RANK[was.priority],
    "fell silent": was !== undefined && was.sounds !== false && alert.sounds === false,
    "began to sound silently": was?.sounds === false && alert.sounds !== false && !BEGINS_TO_SOUND.includes(what),
    "sounds no more than before": what === "raised_sound" && (was?.sounds !== false || alert.sounds === false),
    "acknowledged by nobody": (alert.acknowledged_at === null) !== (alert.acknowledged_by === null),
    "an acknowledgement that nobody gave": what === "acknowledged" && !(acted && input.kind === "acknowledge" && by === input.by),
    "new and acknowledged": BEGINS_TO_SOUND.includes(what) && alert.acknowledged_at !== null,
    "a person at a rule's transition": by !== null && !acted,
    "a tier was left out": what === "escalated" && alert.tier !== (was?.tier ?? 0) + 1,
    "too early for its tier": what === "escalated" && (minutes === undefined || at - (before?.since ?? at) < minutes * 60_000),
    "in a snooze": (what === "escalated" || what === "repeated") && (was?.snoozed_until ?? 0) > at,
    "latched without need": what === "recovered" && !(alert.rule === "limit" && alert.priority === "high"),
    "not latched":
      what === "cleared" &&
      was?.rule === "limit" &&
      was.priority === "high" &&
      was.state === "active" &&
      by === null &&
      config.monitoring !== "off",
    "unlatched by itself": what === "cleared" && was?.state === "recovered" && !acted && config.monitoring !== "off",
    "cleared at another time": what === "cleared" ? alert.cleared_at !== at : alert.cleared_at !== null,
    "silence outside of a ward": what === "raised" && /silence/.test(alert.rule) && config.monitoring !== "ward",
    "raised while nobody is monitored":
      (what === "raised" || what === "escalated" || what === "repeated") && config.monitoring === "off",
  }).flatMap(([reason, illegal]) => (illegal ? [reason] : []));
}

/** The condition `other` stands for every unknown word: each new one, and all of a device that was given up as silent, are signalled. */
function standsForMany({ key }: Alert): boolean {
  return key.endsWith(":other");
}

/** The open alerts of the memory must be those of the ledger. */
export function findDifferences(ledger: Ledger, alerts: readonly Alert[]): string[] {
  const booked = [...ledger.open.values()]
    .map(({ alert }) => `${alert.number} ${alert.key} ${alert.state} ${alert.priority}`)
    .sort();
  const kept = alerts.map((alert) => `${alert.number} ${alert.key} ${alert.state} ${alert.priority}`).sort();
  return booked.join() === kept.join() ? [] : [`the memory has [${kept.join()}], the book [${booked.join()}]`];
}

/** Whether an action on an alert number must be rejected, and how. */
export function expectedError(ledger: Ledger, n: number): "unknown_alert" | "not_open" | null {
  if (ledger.open.has(n)) return null;
  return n >= 1 && n <= ledger.highest ? "not_open" : "unknown_alert";
}
