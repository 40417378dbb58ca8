// Hands alarms of high priority over to their queue right after the object's transaction; the rows in D1 follow by the outbox.
import type { Alarm, AlarmMessage } from "../../../notifications/alarms.ts";
import { withDeadline } from "../../../platform/deadline.ts";
import type { ErrorReport } from "../../../platform/object-log.ts";
import { toAlarmNotice } from "../../alarm-rules/alarm-notice.ts";
import type { Facts } from "../context/facts.ts";
import { toAlertId } from "../samples/ids.ts";
import type { AlertChange } from "./payloads.ts";

/** Messages of one call; the queue admits 100. More alarms of one step follow by way of D1. */
const MAX_MESSAGES = 100;
const SEND_DEADLINE_MS = 10_000;

/** Null for a change that people are not told of. */
export function toAlarm({ patient, hospital }: Pick<Facts, "patient" | "hospital">, change: AlertChange): Alarm | null {
  const { version: n, transition } = change;
  const notice = toAlarmNotice(transition);
  if (!notice) return null;
  return { ...notice, patient, hospital, alert: toAlertId(patient, transition.alert.number), n, at: transition.at };
}

/** Never waits and never throws: without the queue, the outbox delivers the same alarms. */
export function handOverAlarms(env: Env, alarms: readonly Alarm[], report: ErrorReport): void {
  const messages = alarms.filter(({ priority }) => priority === "high").slice(0, MAX_MESSAGES);
  if (messages.length === 0) return;
  const send = async () => env.ALARM_QUEUE.sendBatch(messages.map((alarm) => ({ body: { alarm } satisfies AlarmMessage })));
  withDeadline(send(), SEND_DEADLINE_MS, "the queue of alarms").catch((error: unknown) =>
    report("hand over alarms", error, { count: messages.length }),
  );
}
