// Alarm page: cause, actions and history.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { EmergencyGate, type OnOver, RecordBanner } from "../../emergency/emergency-gate.tsx";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { queryClient } from "../../platform/api/query-client.ts";
import { formatDate, formatTime } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { onAlert } from "../live/patient-store.ts";
import { useOpenAlerts } from "../live/use-live.ts";
import { AlarmActions } from "./alarm-actions.tsx";
import cardClasses from "./alarm-card.module.css";
import { AlarmStatus, AlarmTimes } from "./alarm-card.tsx";
import { PatientName, StaffName } from "./alarm-names.tsx";
import classes from "./alarms-page.module.css";
import { type AlertPage, readAlert } from "./api.ts";
import { useAlarmText } from "./use-alarm-text.ts";

/** The history comes from the database, which a live view may be ahead of by two seconds. */
const HISTORY_DELAY_MS = 3_000;

export function AlarmPage() {
  const { alertId } = useParams({ from: "/signed-in/alarms/$alertId" });
  return <EmergencyGate key={alertId}>{(onOver) => <OneAlarm alertId={alertId} onEmergencyOver={onOver} />}</EmergencyGate>;
}

function OneAlarm({ alertId, onEmergencyOver }: { alertId: string; onEmergencyOver: OnOver }) {
  const t = useTranslation();
  const alarm = useQuery({ queryKey: ["alerts", "one", alertId], queryFn: () => readAlert(alertId) });
  useEffect(() => {
    const reload = () => void queryClient.invalidateQueries({ queryKey: ["alerts", "one", alertId] });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = onAlert(({ alert }) => {
      if (alert.alert_id !== alertId) return;
      reload();
      clearTimeout(timer);
      timer = setTimeout(reload, HISTORY_DELAY_MS);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [alertId]);
  return (
    <Page title={t("alarms.alarm")}>
      <QueryBoundary query={alarm}>{(page) => <AlarmDetails page={page} onEmergencyOver={onEmergencyOver} />}</QueryBoundary>
    </Page>
  );
}

type AlarmEvent = AlertPage["events"][number];

function AlarmDetails({ page, onEmergencyOver }: { page: AlertPage; onEmergencyOver: OnOver }) {
  const t = useTranslation();
  const { events, ...loadedAlert } = page;
  // The live view is newer than the response.
  const alert: AlertView = useOpenAlerts().find(({ alert_id }) => alert_id === loadedAlert.alert_id) ?? loadedAlert;
  const priority = shownAs(alert);
  const alarmText = useAlarmText(alert);
  return (
    <>
      <RecordBanner patientId={alert.patient_id} onOver={onEmergencyOver} />
      <section className={cardClasses.card} data-priority={priority} data-state={alert.state} aria-label={alarmText}>
        <div className={cardClasses.head}>
          <PriorityBadge priority={priority} isFlashing={alert.state === "active"} />
          <strong>{alarmText}</strong>
          <PatientName patientId={alert.patient_id} />
        </div>
        <p className={cardClasses.facts}>
          <span>{translateCode("alarms.state", alert.state)}</span>
          <AlarmTimes alert={alert} />
          <span>
            {t("alarms.rule")}: {translateCode("alarms.rule", alert.rule)}
          </span>
          <AlarmStatus alert={alert} />
        </p>
        <AlarmActions alert={alert} />
      </section>
      <Card title={t("alarms.events")}>
        <ol className={classes.events}>
          {events.map((event) => (
            <AlarmEventItem key={`${event.at} ${event.what}`} event={event} />
          ))}
        </ol>
      </Card>
    </>
  );
}

function AlarmEventItem({ event }: { event: AlarmEvent }) {
  const t = useTranslation();
  const zone = useOwnTimeZone();
  const { what, at, by, priority, comment } = event;
  return (
    <li>
      <time dateTime={at}>
        {formatDate(at, zone)}, {formatTime(at, zone)}
      </time>
      <span>
        {what === "raised_priority" && priority
          ? t("alarms.event.raised_priority", { priority: translateCode("priority", priority) })
          : translateCode("alarms.event", what)}
        {by !== null && (
          <>
            {" · "}
            <StaffName userId={by} />
          </>
        )}
      </span>
      {comment && <p>{comment}</p>}
    </li>
  );
}
