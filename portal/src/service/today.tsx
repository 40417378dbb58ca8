// Figures of today.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { serverNow } from "../monitoring/live/server-clock.ts";
import { formatDate, formatDuration } from "../platform/design/format.ts";
import { Card } from "../platform/design/page.tsx";
import { DAY_MS, HOUR_MS } from "../platform/durations.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { medianAcknowledgeSeconds } from "./alarm-statistics.ts";
import { type ApproximateCount, countFailedUploads, countReports, listAlarmsSince, readTotals } from "./api.ts";
import classes from "./overview.module.css";
import type { ReportingDay } from "./overview-page.tsx";
import { CountFigure } from "./pending-work.tsx";

const REFRESH_MS = 60_000;
const QUERY_OPTIONS = { staleTime: REFRESH_MS, refetchOnWindowFocus: false } as const;

/** Alarms of the last 24 full hours, the current hour and all of today; one query serves figures and chart. */
export function useRecentAlarms({ from, today }: ReportingDay) {
  return useQuery({
    queryKey: ["admin", "alarms", today],
    queryFn: async () => {
      const now = serverNow();
      const found = await listAlarmsSince(Math.min(from, Math.floor(now / HOUR_MS) * HOUR_MS - DAY_MS));
      return { ...found, now };
    },
    refetchInterval: REFRESH_MS,
    ...QUERY_OPTIONS,
  });
}

export function TodayFigures({ day }: { day: ReportingDay }) {
  const t = useTranslation();
  const { role, hospital } = useMe();
  const { today, from, zone } = day;
  const reports = useQuery({
    queryKey: ["admin", "today", "reports", today],
    queryFn: () => countReports(from, from + 2 * DAY_MS),
    ...QUERY_OPTIONS,
  });
  const failed = useQuery({
    queryKey: ["admin", "today", "failed", today],
    queryFn: () => countFailedUploads(from),
    ...QUERY_OPTIONS,
  });
  const totals = useQuery({
    queryKey: ["admin", "today", "totals"],
    queryFn: () => readTotals(role === "admin" && hospital === null),
    ...QUERY_OPTIONS,
  });
  const alarms = useRecentAlarms(day);
  const raisedToday = alarms.data?.items.filter(({ raised_at }) => Date.parse(raised_at) >= from);
  const median = raisedToday && medianAcknowledgeSeconds(raisedToday);
  const toExactCount = (n: number | undefined): ApproximateCount | undefined =>
    n === undefined ? undefined : { n, exact: true };
  return (
    <Card title={t("admin.today", { date: formatDate(from, zone) })}>
      <ul className={classes.tiles}>
        <Tile label={t("admin.reports")} figure={<CountFigure total={reports.data} error={reports.error} />}>
          {(text) => <Link to="/reports">{text}</Link>}
        </Tile>
        <Tile label={t("admin.failed_uploads")} figure={<CountFigure total={failed.data} error={failed.error} />}>
          {(text) => (
            <Link to="/uploads" search={{ outcome: "failed" }}>
              {text}
            </Link>
          )}
        </Tile>
        <Tile
          label={t("admin.alarms")}
          figure={
            <CountFigure
              total={raisedToday && { n: raisedToday.length, exact: alarms.data?.complete ?? true }}
              error={alarms.error}
            />
          }
          more={
            raisedToday &&
            (median == null
              ? t("admin.none_acknowledged")
              : t("admin.median", { time: formatDuration(median), n: countAcknowledged(raisedToday) }))
          }
        >
          {(text) => <Link to="/alarms">{text}</Link>}
        </Tile>
        <Tile
          label={t("admin.patients")}
          figure={<CountFigure total={toExactCount(totals.data?.patients)} error={totals.error} />}
        >
          {(text) => <Link to="/patients">{text}</Link>}
        </Tile>
        <Tile label={t("admin.users")} figure={<CountFigure total={toExactCount(totals.data?.users)} error={totals.error} />}>
          {(text) => <Link to="/admin/users">{text}</Link>}
        </Tile>
        <Tile label={t("admin.devices")} figure={<CountFigure total={toExactCount(totals.data?.devices)} error={totals.error} />}>
          {(text) => <Link to="/admin/devices">{text}</Link>}
        </Tile>
      </ul>
    </Card>
  );
}

const countAcknowledged = (alarms: readonly { acknowledged_at: string | null }[]) =>
  alarms.filter(({ acknowledged_at }) => acknowledged_at !== null).length;

type TileProps = { label: string; figure: ReactNode; more?: ReactNode; children: (text: ReactNode) => ReactNode };

function Tile({ label, figure, more, children }: TileProps) {
  return (
    <li className={classes.tile}>
      {children(
        <>
          <span className={classes.label}>{label}</span> {figure}
          {more && <span className={classes.small}>{more}</span>}
        </>,
      )}
    </li>
  );
}
