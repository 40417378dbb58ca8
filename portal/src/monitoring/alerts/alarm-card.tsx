// Card of one alarm: priority, patient, time, reason, status and actions.
import { Link } from "@tanstack/react-router";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatDateTime, formatDuration, formatShortTime, formatTime } from "../../platform/design/format.ts";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useServerNow } from "../live/use-live.ts";
import { AlarmActions, type AlarmProps } from "./alarm-actions.tsx";
import classes from "./alarm-card.module.css";
import { PatientName, useStaffName } from "./alarm-names.tsx";
import { getEscalationTime, getOverdueTier } from "./escalation.ts";
import { useAlarmText } from "./use-alarm-text.ts";

const DAY_MS = 86_400_000;

/** @param name replaces the patient's name and link; null when the page already identifies the patient */
export function AlarmCard({ alert, name }: AlarmProps) {
  const t = useTranslation();
  const priority = shownAs(alert);
  const isNew = alert.state === "active";
  const alarmText = useAlarmText(alert);
  return (
    <article className={classes.card} data-priority={priority} data-state={alert.state}>
      <div className={classes.head}>
        <PriorityBadge priority={priority} isFlashing={isNew} />
        <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }} className={classes.what}>
          {alarmText}
        </Link>
        {name === undefined ? <PatientName patientId={alert.patient_id} /> : name}
      </div>
      <p className={classes.facts}>
        <AlarmTimes alert={alert} />
        <span>
          {t("alarms.rule")}: {translateCode("alarms.rule", alert.rule)}
        </span>
        <AlarmStatus alert={alert} />
      </p>
      <AlarmActions alert={alert} />
    </article>
  );
}

/** Start time, or start and end. */
export function AlarmTimes({ alert }: { alert: AlertView }) {
  const t = useTranslation();
  const now = useServerNow();
  const raised = Date.parse(alert.raised_at);
  const zone = useOwnTimeZone();
  const at = (time: string) => (now - Date.parse(time) > DAY_MS ? formatDateTime(time, zone) : formatTime(time, zone));
  const end = alert.cleared_at ?? alert.recovered_at;
  if (end === null)
    return <span>{t("alarms.since", { time: at(alert.raised_at), span: formatDuration((now - raised) / 1000) })}</span>;
  const duration = formatDuration((Date.parse(end) - raised) / 1000);
  return <span>{t("alarms.from_to", { from: at(alert.raised_at), to: at(end), span: duration })}</span>;
}

/** Status: acknowledgement, assignment and escalation. */
export function AlarmStatus({ alert }: { alert: AlertView }) {
  const t = useTranslation();
  const now = useServerNow();
  const zone = useOwnTimeZone();
  const escalatesAtMs = getEscalationTime(alert, now);
  const nextTier = alert.escalation_tier === 0 ? "1" : "2";
  return (
    <>
      {alert.state === "recovered" && alert.recovered_at && (
        <strong>{t("alarms.recovered_at", { time: formatTime(alert.recovered_at, zone) })}</strong>
      )}
      <SilentMark alert={alert} />
      {alert.acknowledged_at && <AcknowledgedBy alert={alert} at={alert.acknowledged_at} />}
      {alert.assigned_to && <AssignedTo userId={alert.assigned_to} />}
      <OverdueMark alert={alert} isLong />
      {escalatesAtMs !== null && (
        <span>{t("alarms.overdue_in", { tier: t(`alarms.tier.${nextTier}`), span: countdown(escalatesAtMs - now) })}</span>
      )}
      {alert.snoozed_until && Date.parse(alert.snoozed_until) > now && (
        <span>{t("alarms.snoozed", { time: formatShortTime(alert.snoozed_until, zone) })}</span>
      )}
    </>
  );
}

/** Why an open NEWS2 alarm makes no sound: without the words it would look like one that somebody has silenced. */
export function SilentMark({ alert: { rule, state, sounds } }: { alert: AlertView }) {
  const t = useTranslation();
  if (rule !== "news2" || sounds !== false || state === "cleared") return null;
  return <span>{t("alarms.silent_profile")}</span>;
}

/** What an escalation does: it marks the alarm. @param isLong with what that means */
export function OverdueMark({ alert, isLong = false }: { alert: AlertView; isLong?: boolean }) {
  const t = useTranslation();
  const overdueTier = getOverdueTier(alert);
  if (overdueTier === null) return null;
  const tier = t(`alarms.tier.${overdueTier}`);
  return <strong>{isLong ? t("alarms.marked", { tier }) : tier}</strong>;
}

function AcknowledgedBy({ alert, at }: { alert: AlertView; at: string }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const name = useStaffName(alert.acknowledged_by);
  return <span>{t("alarms.acknowledged_long", { name, time: formatTime(at, zone) })}</span>;
}

function AssignedTo({ userId }: { userId: string }) {
  const t = useTranslation();
  return <span>{t("alarms.assigned_to", { name: useStaffName(userId) })}</span>;
}

/** "3:31" */
function countdown(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
