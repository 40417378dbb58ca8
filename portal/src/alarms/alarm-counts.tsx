// Open alarms in the header, by shape; new high ones are told to who listens.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import fills from "../design/priority.module.css";
import { type Priority, shownAs } from "../design/priority.tsx";
import { useLink, useOpenAlerts } from "../live/use-live.ts";
import { say, sayOf, useSay } from "../messages/index.ts";
import { interrupt } from "../shell/announcer.tsx";
import { whatOf } from "./alert-words.ts";
import classes from "./header-alarms.module.css";
import { knownPerson, useWatched } from "./names.tsx";

const SHAPES: readonly (readonly [Priority, string])[] = [
  ["high", "▲"],
  ["medium", "◆"],
  ["low", "●"],
  ["technical", "✕"],
];

export function AlarmCounts() {
  const say = useSay();
  const { status } = useLink();
  const alerts = useOpenAlerts();
  // So that a new alarm is announced with a name.
  useWatched(status === "live");
  useAnnouncements(alerts);
  if (status === "off") return null;
  const counts = SHAPES.map(([priority, shape]) => {
    const these = alerts.filter((alert) => shownAs(alert) === priority);
    return { priority, shape, n: these.length, fresh: these.filter(({ state }) => state === "active").length };
  }).filter(({ n }) => n > 0);
  const words = counts.map(({ priority, n, fresh }) =>
    fresh > 0
      ? say("alarms.counts.one_new", { priority: sayOf("priority", priority), n, new: fresh })
      : say("alarms.counts.one", { priority: sayOf("priority", priority), n }),
  );
  const nothing = say(status === "live" ? "alarms.counts.none" : "alarms.counts.unknown");
  return (
    <Link to="/alarms" className={classes.counts} data-live={status === "live"}>
      <span className={classes.title}>{say("nav.alarms")}</span>
      <span className="visually-hidden">{words.length > 0 ? words.join("; ") : nothing}</span>
      {counts.map(({ priority, shape, n, fresh }) => (
        <span
          key={priority}
          className={`${fills.filled} ${classes.count}`}
          data-priority={priority}
          data-new={fresh > 0}
          aria-hidden="true"
        >
          {shape}
          {n}
        </span>
      ))}
      {counts.length === 0 && <span aria-hidden="true">{status === "live" ? "0" : "—"}</span>}
    </Link>
  );
}

/** Each new high alarm once, however it became known: by its own frame, or by a snapshot after a gap. */
function useAnnouncements(alerts: readonly AlertView[]): void {
  const told = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const highs = alerts.filter(({ priority, state }) => priority === "high" && state === "active");
    for (const alert of highs) if (!told.current.has(alert.alert_id)) interrupt(sentenceOf(alert));
    told.current = new Set(highs.map(({ alert_id }) => alert_id));
  }, [alerts]);
}

function sentenceOf(alert: AlertView): string {
  const person = knownPerson(alert.patient_id);
  const who = person ? `${person.name}, ${say("common.number", { n: person.number })}, ` : "";
  return say("alarms.new_high", { who, what: whatOf(alert) });
}
