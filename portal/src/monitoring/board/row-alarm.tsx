// Most urgent alarm of a row and its acknowledgement, shown only after the server confirms it.
import { CloseButton } from "@mantine/core";
import { memo, useRef, useState } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { useOwnTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { formatShortTime } from "../../platform/design/format.ts";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { PriorityBadge, shownAs } from "../../platform/design/priority.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import { AlarmActionError } from "../alerts/alarm-action-error.tsx";
import { isUnacknowledged } from "../alerts/alarm-actions.tsx";
import { OverdueMark, SilentMark } from "../alerts/alarm-card.tsx";
import { StaffName } from "../alerts/alarm-names.tsx";
import { useAlarmAction } from "../alerts/use-alarm-action.ts";
import { useAlarmTexts } from "../alerts/use-alarm-text.ts";
import classes from "./row-alarm.module.css";

type RowAlarmProps = {
  alert: AlertView;
  /** Number of further alarms of the patient, and of the unacknowledged ones among them. */
  others: number;
  newOthers: number;
};

export const RowAlarm = memo(function RowAlarm({ alert, others, newOthers }: RowAlarmProps) {
  const t = useTranslation();
  const needsAcknowledgement = isUnacknowledged(alert);
  const { full, short } = useAlarmTexts(alert);
  return (
    <div className={classes.alarmLine} title={full}>
      <PriorityBadge priority={shownAs(alert)} isFlashing={alert.state === "active"} />
      <span className={classes.brief}>
        {short}
        <span className={classes.standing}>
          <OverdueMark alert={alert} /> <SilentMark alert={alert} />{" "}
          {alert.state === "recovered" && translateCode("alarms.state", "recovered")}
          {alert.acknowledged_at && <AcknowledgedBy alert={alert} at={alert.acknowledged_at} />}
          {others > 0 && (
            <> {newOthers > 0 ? t("alarms.more_new", { n: others, new: newOthers }) : t("alarms.more", { n: others })}</>
          )}
        </span>
      </span>
      {needsAcknowledgement && <AcknowledgeButton key={alert.alert_id} alert={alert} text={full} />}
    </div>
  );
});

/** Instead of the empty cell, which means that there is no alarm. */
export function UnknownAlarm() {
  const t = useTranslation();
  return <span className={classes.standing}>{t("common.unknown")}</span>;
}

function AcknowledgedBy({ alert, at }: { alert: AlertView; at: string }) {
  const zone = useOwnTimeZone();
  return (
    <>
      ✓ {formatShortTime(at, zone)} <StaffName userId={alert.acknowledged_by} />
    </>
  );
}

/** @param text of the alarm */
function AcknowledgeButton({ alert, text }: { alert: AlertView; text: string }) {
  const t = useTranslation();
  const button = useRef<HTMLButtonElement>(null);
  const { busy, failure, does: runAction } = useAlarmAction(alert);
  const offlineGuard = useOfflineGuard();
  const [isDismissed, setIsDismissed] = useState(false);
  const acknowledge = async () => {
    const link = button.current?.closest("tr")?.querySelector<HTMLElement>("a");
    setIsDismissed(false);
    if (await runAction({ kind: "acknowledge" })) return;
    announce(t("alarms.acknowledged_said", { what: text }));
    // The button disappears after the action; the focus stays in the row.
    if (document.activeElement === button.current || document.activeElement === document.body) link?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={classes.acknowledge}
        aria-label={t("alarms.acknowledge_what", { what: text })}
        aria-disabled={busy !== null}
        data-busy={busy !== null}
        onClick={() => busy === null && void acknowledge()}
        {...offlineGuard.offlineProps}
      >
        <span className={classes.tick} aria-hidden="true">
          {busy === null ? "✓" : "…"}
        </span>
        <span className={classes.word}>{busy === null ? t("alarms.acknowledge") : "…"}</span>
      </button>
      {/* Sighted users see the connection banner; this text is for screen readers. */}
      <div className="visually-hidden">{offlineGuard.offlineNotice}</div>
      {failure && !isDismissed && (
        <div className={classes.bubble}>
          <AlarmActionError failure={failure} />
          <CloseButton aria-label={t("common.close")} onClick={() => setIsDismissed(true)} />
        </div>
      )}
    </>
  );
}
