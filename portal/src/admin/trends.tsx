// How it went lately: reports of a month by the day, alarms and samples of a day by the hour.
import { useQuery } from "@tanstack/react-query";
import { Card } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { date, shortClock } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { reportsByDay, samplesByHour } from "./api.ts";
import { BarChart } from "./bar-chart.tsx";
import { alarmsByHour } from "./figures.ts";
import classes from "./overview.module.css";
import type { Day } from "./overview-page.tsx";
import { useAlarms } from "./today.tsx";

const SLOW_MS = 10 * 60_000;
const asked = { staleTime: SLOW_MS, refetchOnWindowFocus: false } as const;

export function Trends({ day }: { day: Day }) {
  return (
    <div className={classes.trends}>
      <Reports />
      <Alarms day={day} />
      <Samples day={day} />
    </div>
  );
}

/** Days are UTC, as the counters of the API are. */
function Reports() {
  const say = useSay();
  const title = say("admin.reports_by_day");
  const query = useQuery({ queryKey: ["admin", "trends", "reports"], queryFn: reportsByDay, ...asked });
  if (!query.data) return <NotYet title={title} query={query} />;
  const bars = query.data.map(({ day, n }, i, all) => {
    const label = date(`${day}T00:00:00Z`, "UTC");
    return { key: day, label, short: label, n, open: i === all.length - 1 };
  });
  return <BarChart title={title} bars={bars} />;
}

const HOUR_MS = 3_600_000;
/** "14:00–15:00" */
const hourOf = (at: number, zone: string | undefined) => `${shortClock(at, zone)}–${shortClock(at + HOUR_MS, zone)}`;

function Alarms({ day }: { day: Day }) {
  const say = useSay();
  const title = say("admin.alarms_by_hour");
  const query = useAlarms(day);
  if (!query.data) return <NotYet title={title} query={query} />;
  const { items, now, complete } = query.data;
  const bars = alarmsByHour(items, now).map(({ at, n }) => ({
    key: String(at),
    label: hourOf(at, day.zone),
    short: shortClock(at, day.zone),
    n,
    open: at + HOUR_MS > now,
  }));
  return <BarChart title={title} bars={bars} note={!complete && say("admin.newest_only", { n: items.length })} />;
}

function Samples({ day: { zone } }: { day: Day }) {
  const say = useSay();
  const title = say("admin.samples_by_hour");
  const query = useQuery({ queryKey: ["admin", "trends", "samples"], queryFn: samplesByHour, ...asked });
  if (!query.data) return <NotYet title={title} query={query} />;
  const bars = query.data.map(({ at, n }) => ({
    key: String(at),
    label: hourOf(at, zone),
    short: shortClock(at, zone),
    n,
  }));
  return <BarChart title={title} bars={bars} note={say("admin.closed_hours")} />;
}

type NotYetProps = { title: string; query: { data: undefined; error: unknown; isPending: boolean; refetch: () => unknown } };

function NotYet({ title, query }: NotYetProps) {
  return (
    <Card title={title}>
      <Query query={query}>{() => null}</Query>
    </Card>
  );
}
