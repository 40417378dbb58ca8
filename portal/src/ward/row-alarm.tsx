// The alarm of a row that matters most, and its acknowledgement: by id, never before the server said so.
import { CloseButton } from "@mantine/core";
import { memo, useRef, useState } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { isUnseen } from "../alarms/alarm-actions.tsx";
import { briefOf, whatOf } from "../alarms/alert-words.ts";
import { StaffName } from "../alarms/names.tsx";
import { Refusal } from "../alarms/refusal.tsx";
import { useAct } from "../alarms/use-act.ts";
import { useZone } from "../alarms/zone.ts";
import { useHeld } from "../design/offline.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { shortClock } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import classes from "./row-alarm.module.css";

/** @param others how many more alarms the patient has */
export const RowAlarm = memo(function RowAlarm({ alert, others }: { alert: AlertView; others: number }) {
  const say = useSay();
  const unseen = isUnseen(alert);
  return (
    <div className={classes.alarmLine} title={whatOf(alert)}>
      <PriorityBadge priority={shownAs(alert)} flashing={alert.state === "active"} />
      <span className={classes.brief}>
        {briefOf(alert)}
        <span className={classes.standing}>
          {alert.state === "recovered" && sayOf("alarms.state", "recovered")}
          {alert.acknowledged_at && <Seen alert={alert} at={alert.acknowledged_at} />}
          {others > 0 && <> {say("alarms.more", { n: others })}</>}
        </span>
      </span>
      {unseen && <Acknowledge key={alert.alert_id} alert={alert} />}
    </div>
  );
});

function Seen({ alert, at }: { alert: AlertView; at: string }) {
  const zone = useZone();
  return (
    <>
      ✓ {shortClock(at, zone)} <StaffName userId={alert.acknowledged_by} />
    </>
  );
}

function Acknowledge({ alert }: { alert: AlertView }) {
  const say = useSay();
  const button = useRef<HTMLButtonElement>(null);
  const { busy, refused, does } = useAct(alert);
  const hold = useHeld();
  const [closed, setClosed] = useState(false);
  const acknowledge = async () => {
    const link = button.current?.closest("tr")?.querySelector<HTMLElement>("a");
    setClosed(false);
    if (await does({ kind: "acknowledge" })) return;
    announce(say("alarms.acknowledged_said", { what: whatOf(alert) }));
    // The button goes with what it was for; who pressed it stays in the row.
    if (document.activeElement === button.current || document.activeElement === document.body) link?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={classes.acknowledge}
        aria-label={say("alarms.acknowledge_what", { what: whatOf(alert) })}
        aria-disabled={busy !== null}
        data-busy={busy !== null}
        onClick={() => busy === null && void acknowledge()}
        {...hold.held}
      >
        <span className={classes.tick} aria-hidden="true">
          {busy === null ? "✓" : "…"}
        </span>
        <span className={classes.word}>{busy === null ? say("alarms.acknowledge") : "…"}</span>
      </button>
      {/* The bar of the lost line says it to who sees it. */}
      <div className="visually-hidden">{hold.reason}</div>
      {refused && !closed && (
        <div className={classes.bubble}>
          <Refusal refused={refused} />
          <CloseButton aria-label={say("common.close")} onClick={() => setClosed(true)} />
        </div>
      )}
    </>
  );
}
