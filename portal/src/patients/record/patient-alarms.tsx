// Open alarms of one patient, on all pages of the record: unacknowledged first, each with its button.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { AlarmActionError } from "../../monitoring/alerts/alarm-action-error.tsx";
import { isUnacknowledged } from "../../monitoring/alerts/alarm-actions.tsx";
import { AlarmTimes } from "../../monitoring/alerts/alarm-card.tsx";
import { useStaffName } from "../../monitoring/alerts/alarm-names.tsx";
import { describeAlarm } from "../../monitoring/alerts/alarm-text.ts";
import { useAlarmAction } from "../../monitoring/alerts/use-alarm-action.ts";
import { useConnection, useLivePatient } from "../../monitoring/live/use-live.ts";
import { listOpenAlarms } from "../../monitoring/vitals/api.ts";
import { formatTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import classes from "./patient-frame.module.css";
import { usePatientNumberAndZone } from "./use-patient-record.ts";

const POLL_MS = 15_000;
/** Number of alarms shown; unacknowledged high-priority alarms are always shown, the rest is behind a link. */
const MAX_SHOWN = 3;
const PRIORITY_ORDER = ["high", "medium", "technical", "low"] as const;

export function PatientAlarms({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { alarms, isUnavailable } = usePatientOpenAlarms(patientId);
  const shown = alarms.filter((alert, i) => i < MAX_SHOWN || (isUnacknowledged(alert) && alert.priority === "high"));
  const hiddenCount = alarms.length - shown.length;
  return (
    <>
      {isUnavailable && (
        <p className={classes.unknown} role="status">
          {t("record.alarms_unknown")}
        </p>
      )}
      {shown.length > 0 && (
        <ul className={layout.bare} aria-label={t("record.alarms")}>
          {shown.map((alert) => (
            <AlarmLine key={alert.alert_id} alert={alert} />
          ))}
        </ul>
      )}
      {hiddenCount > 0 && (
        <Link to="/patients/$patientId/alarms" params={{ patientId }} className={classes.more}>
          {t("record.more_alarms", { n: hiddenCount })}
        </Link>
      )}
    </>
  );
}

/** From the live view, else from the API. `unknown`: neither is available, so an empty list does not mean no alarms. */
function usePatientOpenAlarms(patientId: string): { alarms: AlertView[]; isUnavailable: boolean } {
  const live = useLivePatient(patientId);
  const { status } = useConnection();
  const query = useQuery({
    queryKey: ["alerts", "open_of", patientId],
    queryFn: () => listOpenAlarms(patientId),
    enabled: !live && status !== "connecting",
    refetchInterval: POLL_MS,
  });
  const alarms = live ? [...live.alerts.values()] : (query.data?.items ?? []);
  const urgencyRank = (alert: AlertView) =>
    (isUnacknowledged(alert) ? 0 : PRIORITY_ORDER.length) + PRIORITY_ORDER.indexOf(shownAs(alert));
  const compareUrgency = (a: AlertView, b: AlertView) => urgencyRank(a) - urgencyRank(b) || (a.raised_at < b.raised_at ? -1 : 1);
  return { alarms: alarms.sort(compareUrgency), isUnavailable: !live && query.error !== null };
}

function AlarmLine({ alert }: { alert: AlertView }) {
  const t = useTranslation();
  const { busy, failure, does: runAction } = useAlarmAction(alert);
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const needsAcknowledgement = isUnacknowledged(alert);
  const acknowledge = async () => {
    if (!(await runAction({ kind: "acknowledge" }))) announce(t("alarms.acknowledged_said", { what: describeAlarm(alert) }));
  };
  return (
    <li className={classes.alarm} data-priority={shownAs(alert)}>
      <PriorityBadge priority={shownAs(alert)} isFlashing={alert.state === "active"} />
      <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
        {describeAlarm(alert)}
      </Link>
      <AlarmTimes alert={alert} />
      {alert.acknowledged_at && <AcknowledgedBy alert={alert} at={alert.acknowledged_at} />}
      {needsAcknowledgement && (
        <Button
          className={classes.act}
          size="compact-md"
          loading={busy === "acknowledge"}
          onClick={() => void acknowledge()}
          aria-label={t("alarms.acknowledge_what", { what: describeAlarm(alert) })}
          {...offlineProps}
        >
          {t("alarms.acknowledge")}
        </Button>
      )}
      {needsAcknowledgement && offlineNotice}
      <AlarmActionError failure={needsAcknowledgement ? failure : null} />
    </li>
  );
}

function AcknowledgedBy({ alert, at }: { alert: AlertView; at: string }) {
  const t = useTranslation();
  const { zone } = usePatientNumberAndZone(alert.patient_id);
  const name = useStaffName(alert.acknowledged_by);
  return <span>{t("record.seen_by", { name, time: formatTime(at, zone) })}</span>;
}
