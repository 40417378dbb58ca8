// One alarm: what it is about, what can be done, and everything that happened to it.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { queries } from "../api/queries.ts";
import { Card, Page } from "../design/page.tsx";
import { PriorityBadge, shownAs } from "../design/priority.tsx";
import { Query } from "../design/states.tsx";
import { clock, date } from "../design/time.ts";
import { onAlert } from "../live/store.ts";
import { useOpenAlerts } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { AlarmActions } from "./alarm-actions.tsx";
import cardClasses from "./alarm-card.module.css";
import { Standing, Times } from "./alarm-card.tsx";
import classes from "./alarms-page.module.css";
import { whatOf } from "./alert-words.ts";
import { type AlertPage, readAlert } from "./api.ts";
import { PatientName, StaffName } from "./names.tsx";
import { useZone } from "./zone.ts";

export function AlarmPage() {
  const say = useSay();
  const { alertId } = useParams({ from: "/house/alarms/$alertId" });
  const alarm = useQuery({ queryKey: ["alerts", "one", alertId], queryFn: () => readAlert(alertId) });
  useEffect(
    () =>
      onAlert(({ alert }) => {
        if (alert.alert_id === alertId) void queries.invalidateQueries({ queryKey: ["alerts", "one", alertId] });
      }),
    [alertId],
  );
  return (
    <Page title={say("alarms.alarm")}>
      <Query query={alarm}>{(page) => <Alarm page={page} />}</Query>
    </Page>
  );
}

type Event = AlertPage["events"][number];
/** From these its time until others are told counts. */
const RAISES: readonly string[] = ["raised", "raised_priority"];

function Alarm({ page }: { page: AlertPage }) {
  const say = useSay();
  const { events, ...read } = page;
  // The live view is ahead of what was read.
  const alert: AlertView = useOpenAlerts().find(({ alert_id }) => alert_id === read.alert_id) ?? read;
  const priority = shownAs(alert);
  return (
    <>
      <section className={cardClasses.card} data-priority={priority} data-state={alert.state} aria-label={whatOf(alert)}>
        <div className={cardClasses.head}>
          <PriorityBadge priority={priority} flashing={alert.state === "active"} />
          <strong>{whatOf(alert)}</strong>
          <PatientName patientId={alert.patient_id} />
        </div>
        <p className={cardClasses.facts}>
          <span>{sayOf("alarms.state", alert.state)}</span>
          <Times alert={alert} />
          <span>
            {say("alarms.rule")}: {sayOf("alarms.rule", alert.rule)}
          </span>
          <Standing alert={alert} roseAt={events.findLast(({ what }) => RAISES.includes(what))?.at} />
        </p>
        <AlarmActions alert={alert} />
      </section>
      <Card title={say("alarms.events")}>
        <ol className={classes.events}>
          {events.map((event) => (
            <Happened key={`${event.at} ${event.what}`} event={event} />
          ))}
        </ol>
      </Card>
    </>
  );
}

function Happened({ event }: { event: Event }) {
  const say = useSay();
  const zone = useZone();
  const { what, at, by, priority, comment } = event;
  return (
    <li>
      <time dateTime={at}>
        {date(at, zone)}, {clock(at, zone)}
      </time>
      <span>
        {what === "raised_priority" && priority
          ? say("alarms.event.raised_priority", { priority: sayOf("priority", priority) })
          : sayOf("alarms.event", what)}
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
