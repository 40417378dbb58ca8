// Counts of open alarms in the header, by priority; announces new high-priority alarms to screen readers.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import fills from "../../platform/design/priority.module.css";
import { type Priority, shownAs } from "../../platform/design/priority.tsx";
import { t, translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announceUrgently } from "../../shell/announcer.tsx";
import { useConnection, useOpenAlerts } from "../live/use-live.ts";
import { getCachedPatient, loadPatientNames } from "./alarm-names.tsx";
import { describeAlarm } from "./alarm-text.ts";
import classes from "./header-alarms.module.css";

const SHAPES: readonly (readonly [Priority, string])[] = [
  ["high", "▲"],
  ["medium", "◆"],
  ["low", "●"],
  ["technical", "✕"],
];

export function AlarmCounts() {
  const t = useTranslation();
  const { status } = useConnection();
  const alerts = useOpenAlerts();
  useHighAlarmAnnouncements(alerts);
  if (status === "off") return null;
  const counts = SHAPES.map(([priority, shape]) => {
    const matching = alerts.filter((alert) => shownAs(alert) === priority);
    return { priority, shape, n: matching.length, newCount: matching.filter(({ state }) => state === "active").length };
  }).filter(({ n }) => n > 0);
  const countTexts = counts.map(({ priority, n, newCount }) =>
    newCount > 0
      ? t("alarms.counts.one_new", { priority: translateCode("priority", priority), n, new: newCount })
      : t("alarms.counts.one", { priority: translateCode("priority", priority), n }),
  );
  const emptyText = t(status === "live" ? "alarms.counts.none" : "alarms.counts.unknown");
  return (
    <Link to="/alarms" className={classes.counts} data-live={status === "live"}>
      <span className={classes.title}>{t("nav.alarms")}</span>
      <span className="visually-hidden">{countTexts.length > 0 ? countTexts.join("; ") : emptyText}</span>
      {counts.map(({ priority, shape, n, newCount }) => (
        <span
          key={priority}
          className={`${fills.filled} ${classes.count}`}
          data-priority={priority}
          data-new={newCount > 0}
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

/** While a page loads, its own answers name most patients. */
const LOADING_MS = 3_000;
const NAME_WAIT_MS = 1_000;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Announces each new high-priority alarm once, whether it comes in a frame or in a snapshot after a gap. */
function useHighAlarmAnnouncements(alerts: readonly AlertView[]): void {
  const announcedIds = useRef<ReadonlySet<string>>(new Set());
  const loadedAt = useRef(performance.now() + LOADING_MS);
  useEffect(() => {
    const highAlarms = alerts.filter(({ priority, state }) => priority === "high" && state === "active");
    for (const alert of highAlarms) {
      if (!announcedIds.current.has(alert.alert_id)) void announceNamed(alert, performance.now() < loadedAt.current);
    }
    announcedIds.current = new Set(highAlarms.map(({ alert_id }) => alert_id));
  }, [alerts]);
}

/** Without the name when that does not come in time. */
async function announceNamed(alert: AlertView, isLoading: boolean): Promise<void> {
  const isNamed = () => getCachedPatient(alert.patient_id) !== undefined;
  if (!isNamed() && isLoading) await pause(NAME_WAIT_MS);
  if (!isNamed()) await Promise.race([loadPatientNames().catch(() => undefined), pause(NAME_WAIT_MS)]);
  announceUrgently(formatAnnouncement(alert));
}

function formatAnnouncement(alert: AlertView): string {
  const person = getCachedPatient(alert.patient_id);
  const who = person ? `${person.name}, ${t("common.number", { n: person.number })}, ` : "";
  return t("alarms.new_high", { who, what: describeAlarm(alert) });
}
