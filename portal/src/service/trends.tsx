// Trends: reports per day for a month, alarms and samples per hour for a day.

import { useQuery } from "@tanstack/react-query";
import { formatDay, formatShortTime } from "../platform/design/format.ts";
import { Card } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { HOUR_MS } from "../platform/durations.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { countAlarmsByHour } from "./alarm-statistics.ts";
import { readReportsByDay, readSamplesByHour } from "./api.ts";
import { BarChart } from "./bar-chart.tsx";
import classes from "./overview.module.css";
import type { ReportingDay } from "./overview-page.tsx";
import { useRecentAlarms } from "./today.tsx";

const REFRESH_MS = 10 * 60_000;
const QUERY_OPTIONS = { staleTime: REFRESH_MS, refetchOnWindowFocus: false } as const;

export function Trends({ day }: { day: ReportingDay }) {
  return (
    <div className={classes.trends}>
      <ReportsChart />
      <AlarmsChart day={day} />
      <SamplesChart day={day} />
    </div>
  );
}

/** Days are UTC, as in the API's counters. */
function ReportsChart() {
  const t = useTranslation();
  const title = t("admin.reports_by_day");
  const query = useQuery({ queryKey: ["admin", "trends", "reports"], queryFn: readReportsByDay, ...QUERY_OPTIONS });
  if (!query.data) return <ChartPlaceholder title={title} query={query} />;
  const bars = query.data.map(({ day, n }, i, all) => {
    const label = formatDay(day);
    return { key: day, label, shortLabel: label, count: n, isPartial: i === all.length - 1 };
  });
  return <BarChart title={title} bars={bars} />;
}

/** "14:00–15:00" */
const formatHourRange = (at: number, zone: string | undefined) =>
  `${formatShortTime(at, zone)}–${formatShortTime(at + HOUR_MS, zone)}`;

function AlarmsChart({ day }: { day: ReportingDay }) {
  const t = useTranslation();
  const title = t("admin.alarms_by_hour");
  const query = useRecentAlarms(day);
  if (!query.data) return <ChartPlaceholder title={title} query={query} />;
  const { items, now, complete } = query.data;
  const bars = countAlarmsByHour(items, now).map(({ at, n }) => ({
    key: String(at),
    label: formatHourRange(at, day.zone),
    shortLabel: formatShortTime(at, day.zone),
    count: n,
    isPartial: at + HOUR_MS > now,
  }));
  return <BarChart title={title} bars={bars} note={!complete && t("admin.newest_only", { n: items.length })} />;
}

function SamplesChart({ day: { zone } }: { day: ReportingDay }) {
  const t = useTranslation();
  const title = t("admin.samples_by_hour");
  const query = useQuery({ queryKey: ["admin", "trends", "samples"], queryFn: readSamplesByHour, ...QUERY_OPTIONS });
  if (!query.data) return <ChartPlaceholder title={title} query={query} />;
  const bars = query.data.map(({ at, n }) => ({
    key: String(at),
    label: formatHourRange(at, zone),
    shortLabel: formatShortTime(at, zone),
    count: n,
  }));
  return <BarChart title={title} bars={bars} note={t("admin.closed_hours")} />;
}

type ChartPlaceholderProps = {
  title: string;
  query: { data: undefined; error: unknown; isPending: boolean; refetch: () => unknown };
};

function ChartPlaceholder({ title, query }: ChartPlaceholderProps) {
  return (
    <Card title={title}>
      <QueryBoundary query={query}>{() => null}</QueryBoundary>
    </Card>
  );
}
