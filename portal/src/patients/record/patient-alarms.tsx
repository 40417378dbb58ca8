// Open alarms of one patient, on all pages of the record: unacknowledged first, each with its button.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { AlarmActionError } from "../../monitoring/alerts/alarm-action-error.tsx";
import { isUnacknowledged } from "../../monitoring/alerts/alarm-actions.tsx";
import { AlarmTimes, OverdueMark } from "../../monitoring/alerts/alarm-card.tsx";
import { useStaffName } from "../../monitoring/alerts/alarm-names.tsx";
import { useAlarmAction } from "../../monitoring/alerts/use-alarm-action.ts";
import { useAlarmText } from "../../monitoring/alerts/use-alarm-text.ts";
import { usePatientOpenAlarms } from "../../monitoring/alerts/use-alarms.ts";
import { useConnection } from "../../monitoring/live/use-live.ts";
import { formatTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import classes from "./patient-frame.module.css";
import { useIsReadOnly, usePatientNumberAndZone } from "./use-patient-record.ts";

/** Number of alarms shown; unacknowledged high-priority alarms are always shown, the rest is behind a link. */
const MAX_SHOWN = 3;

export function PatientAlarms({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { status } = useConnection();
  const { alerts, isCurrent, error } = usePatientOpenAlarms(patientId);
  const alarms = alerts ?? [];
  const isLoading = alerts === undefined && error === null && status !== "lost";
  const shown = alarms.filter((alert, i) => i < MAX_SHOWN || (isUnacknowledged(alert) && alert.priority === "high"));
  const hiddenCount = alarms.length - shown.length;
  return (
    <>
      {!isCurrent && (
        <p className={classes.unknown} role="status">
          {t(isLoading ? "record.alarms_loading" : "record.alarms_unknown")}
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

function AlarmLine({ alert }: { alert: AlertView }) {
  const t = useTranslation();
  const { busy, failure, does: runAction } = useAlarmAction(alert);
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const isReadOnly = useIsReadOnly(alert.patient_id);
  const needsAcknowledgement = isUnacknowledged(alert) && !isReadOnly;
  const alarmText = useAlarmText(alert);
  const acknowledge = async () => {
    if (!(await runAction({ kind: "acknowledge" }))) announce(t("alarms.acknowledged_said", { what: alarmText }));
  };
  return (
    <li className={classes.alarm} data-priority={shownAs(alert)}>
      <PriorityBadge priority={shownAs(alert)} isFlashing={alert.state === "active"} />
      <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
        {alarmText}
      </Link>
      <AlarmTimes alert={alert} />
      <OverdueMark alert={alert} />
      {alert.acknowledged_at && <AcknowledgedBy alert={alert} at={alert.acknowledged_at} />}
      {needsAcknowledgement && (
        <Button
          className={classes.act}
          size="compact-md"
          loading={busy === "acknowledge"}
          onClick={() => void acknowledge()}
          aria-label={t("alarms.acknowledge_what", { what: alarmText })}
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
