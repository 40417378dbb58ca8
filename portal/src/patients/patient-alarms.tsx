// The open alarms of one patient over all pages of the record: those that nobody has seen first, each with its button.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { isUnseen } from "../alarms/alarm-actions.tsx";
import { Times } from "../alarms/alarm-card.tsx";
import { whatOf } from "../alarms/alert-words.ts";
import { useStaffName } from "../alarms/names.tsx";
import { Refusal } from "../alarms/refusal.tsx";
import { useAct } from "../alarms/use-act.ts";
import layout from "../design/layout.module.css";
import { useHeld } from "../design/offline.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { clock } from "../design/time.ts";
import { useLink, useLivePatient } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import { listOpenAlarms } from "../vitals/api.ts";
import classes from "./patient-frame.module.css";
import { usePatientShown } from "./shown-patient.ts";

const POLL_MS = 15_000;
/** So many stand here, and every high one that nobody has seen; the rest is a link away. */
const MOST = 3;
const URGENCY = ["high", "medium", "technical", "low"] as const;

export function PatientAlarms({ patientId }: { patientId: string }) {
  const say = useSay();
  const { alarms, unknown } = useOpenAlarmsOf(patientId);
  const shown = alarms.filter((alert, i) => i < MOST || (isUnseen(alert) && alert.priority === "high"));
  const more = alarms.length - shown.length;
  return (
    <>
      {unknown && (
        <p className={classes.unknown} role="status">
          {say("record.alarms_unknown")}
        </p>
      )}
      {shown.length > 0 && (
        <ul className={layout.bare} aria-label={say("record.alarms")}>
          {shown.map((alert) => (
            <AlarmLine key={alert.alert_id} alert={alert} />
          ))}
        </ul>
      )}
      {more > 0 && (
        <Link to="/patients/$patientId/alarms" params={{ patientId }} className={classes.more}>
          {say("record.more_alarms", { n: more })}
        </Link>
      )}
    </>
  );
}

/** Of the live view, else asked for. `unknown`: none of both answers now, and none shown is not none there. */
function useOpenAlarmsOf(patientId: string): { alarms: AlertView[]; unknown: boolean } {
  const live = useLivePatient(patientId);
  const { status } = useLink();
  const asked = useQuery({
    queryKey: ["alerts", "open_of", patientId],
    queryFn: () => listOpenAlarms(patientId),
    enabled: !live && status !== "connecting",
    refetchInterval: POLL_MS,
  });
  const alarms = live ? [...live.alerts.values()] : (asked.data?.items ?? []);
  const rank = (alert: AlertView) => (isUnseen(alert) ? 0 : URGENCY.length) + URGENCY.indexOf(shownAs(alert));
  const order = (a: AlertView, b: AlertView) => rank(a) - rank(b) || (a.raised_at < b.raised_at ? -1 : 1);
  return { alarms: alarms.sort(order), unknown: !live && asked.error !== null };
}

function AlarmLine({ alert }: { alert: AlertView }) {
  const say = useSay();
  const { busy, refused, does } = useAct(alert);
  const { held, reason } = useHeld();
  const unseen = isUnseen(alert);
  const acknowledge = async () => {
    if (!(await does({ kind: "acknowledge" }))) announce(say("alarms.acknowledged_said", { what: whatOf(alert) }));
  };
  return (
    <li className={classes.alarm} data-priority={shownAs(alert)}>
      <PriorityBadge priority={shownAs(alert)} flashing={alert.state === "active"} />
      <Link to="/alarms/$alertId" params={{ alertId: alert.alert_id }}>
        {whatOf(alert)}
      </Link>
      <Times alert={alert} />
      {alert.acknowledged_at && <SeenBy alert={alert} at={alert.acknowledged_at} />}
      {unseen && (
        <Button
          className={classes.act}
          size="compact-md"
          loading={busy === "acknowledge"}
          onClick={() => void acknowledge()}
          aria-label={say("alarms.acknowledge_what", { what: whatOf(alert) })}
          {...held}
        >
          {say("alarms.acknowledge")}
        </Button>
      )}
      {unseen && reason}
      <Refusal refused={unseen ? refused : null} />
    </li>
  );
}

function SeenBy({ alert, at }: { alert: AlertView; at: string }) {
  const say = useSay();
  const { zone } = usePatientShown(alert.patient_id);
  const name = useStaffName(alert.acknowledged_by);
  return <span>{say("record.seen_by", { name, time: clock(at, zone) })}</span>;
}
