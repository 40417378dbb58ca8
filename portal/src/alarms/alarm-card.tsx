// One alarm with all that is known of it: how urgent, whose, since when, why, who has seen it, and what can be done.
import { Link } from "@tanstack/react-router";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { clock, dateTime, shortClock, span } from "../design/time.ts";
import { useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { AlarmActions, type AlarmProps } from "./alarm-actions.tsx";
import classes from "./alarm-card.module.css";
import { whatOf } from "./alert-words.ts";
import { escalatesAt } from "./escalation.ts";
import { PatientName, useStaffName } from "./names.tsx";
import { useZone } from "./zone.ts";

const DAY_MS = 86_400_000;

/** @param name instead of the patient's name and link; null where the page says whose alarm it is */
export function AlarmCard({ alert, name }: AlarmProps) {
  const say = useSay();
  const priority = shownAs(alert);
  const isNew = alert.state === "active";
  return (
    <article className={classes.card} data-priority={priority} data-state={alert.state}>
      <div className={classes.head}>
        <PriorityBadge priority={priority} flashing={isNew} />
        <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }} className={classes.what}>
          {whatOf(alert)}
        </Link>
        {name === undefined ? <PatientName patientId={alert.patient_id} /> : name}
      </div>
      <p className={classes.facts}>
        <Times alert={alert} />
        <span>
          {say("alarms.rule")}: {sayOf("alarms.rule", alert.rule)}
        </span>
        <Standing alert={alert} />
      </p>
      <AlarmActions alert={alert} />
    </article>
  );
}

/** Since when, or from when to when. */
export function Times({ alert }: { alert: AlertView }) {
  const say = useSay();
  const now = useServerNow();
  const raised = Date.parse(alert.raised_at);
  const zone = useZone();
  const at = (time: string) => (now - Date.parse(time) > DAY_MS ? dateTime(time, zone) : clock(time, zone));
  const end = alert.cleared_at ?? alert.recovered_at;
  if (end === null) return <span>{say("alarms.since", { time: at(alert.raised_at), span: span((now - raised) / 1000) })}</span>;
  const lasted = span((Date.parse(end) - raised) / 1000);
  return <span>{say("alarms.from_to", { from: at(alert.raised_at), to: at(end), span: lasted })}</span>;
}

/** What became of it: seen by whom, whose it is, when others are told. @param roseAt when it was last raised, where known */
export function Standing({ alert, roseAt }: { alert: AlertView; roseAt?: string | undefined }) {
  const say = useSay();
  const now = useServerNow();
  const zone = useZone();
  const due = escalatesAt(alert, now, roseAt);
  return (
    <>
      {alert.state === "recovered" && alert.recovered_at && (
        <strong>{say("alarms.recovered_at", { time: clock(alert.recovered_at, zone) })}</strong>
      )}
      {alert.acknowledged_at && <AcknowledgedBy alert={alert} at={alert.acknowledged_at} />}
      {alert.assigned_to && <AssignedTo userId={alert.assigned_to} />}
      {alert.escalation_tier > 0 && alert.state !== "cleared" && (
        <span>{say("alarms.escalated", { n: alert.escalation_tier })}</span>
      )}
      {due !== null && <strong>{say("alarms.escalates", { span: countdown(due - now) })}</strong>}
      {alert.snoozed_until && Date.parse(alert.snoozed_until) > now && (
        <span>{say("alarms.snoozed", { time: shortClock(alert.snoozed_until, zone) })}</span>
      )}
    </>
  );
}

function AcknowledgedBy({ alert, at }: { alert: AlertView; at: string }) {
  const say = useSay();
  const zone = useZone();
  const name = useStaffName(alert.acknowledged_by);
  return <span>{say("alarms.acknowledged_long", { name, time: clock(at, zone) })}</span>;
}

function AssignedTo({ userId }: { userId: string }) {
  const say = useSay();
  return <span>{say("alarms.assigned_to", { name: useStaffName(userId) })}</span>;
}

/** "3:31" */
function countdown(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
