// The figures of today.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Card } from "../design/page.tsx";
import { date, number, span } from "../design/time.ts";
import { serverNow } from "../live/server-clock.ts";
import { useSay } from "../messages/index.ts";
import { useMe } from "../session/use-session.ts";
import { alarmsSince, countReports, failedUploads, standingTotals, type Total } from "./api.ts";
import { medianAcknowledge } from "./figures.ts";
import { Figure } from "./needs.tsx";
import classes from "./overview.module.css";
import type { Day } from "./overview-page.tsx";

const EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const asked = { staleTime: EVERY_MS, refetchOnWindowFocus: false } as const;

/** Alarms of the last 24 whole hours and this one, and of the whole of today; asked once for figures and chart. */
export function useAlarms({ from, today }: Day) {
  return useQuery({
    queryKey: ["admin", "alarms", today],
    queryFn: async () => {
      const now = serverNow();
      const found = await alarmsSince(Math.min(from, Math.floor(now / HOUR_MS) * HOUR_MS - DAY_MS));
      return { ...found, now };
    },
    refetchInterval: EVERY_MS,
    ...asked,
  });
}

export function Today({ day }: { day: Day }) {
  const say = useSay();
  const { role, hospital } = useMe();
  const { today, from, zone } = day;
  const reports = useQuery({
    queryKey: ["admin", "today", "reports", today],
    queryFn: () => countReports(from, from + 2 * DAY_MS),
    ...asked,
  });
  const failed = useQuery({
    queryKey: ["admin", "today", "failed", today],
    queryFn: () => failedUploads(from),
    ...asked,
  });
  const totals = useQuery({
    queryKey: ["admin", "today", "totals"],
    queryFn: () => standingTotals(role === "admin" && hospital === null),
    ...asked,
  });
  const alarms = useAlarms(day);
  const raised = alarms.data?.items.filter(({ raised_at }) => Date.parse(raised_at) >= from);
  const median = raised && medianAcknowledge(raised);
  const exactly = (n: number | undefined): Total | undefined => (n === undefined ? undefined : { n, exact: true });
  return (
    <Card title={say("admin.today", { date: date(from, zone) })}>
      <ul className={classes.tiles}>
        <Tile label={say("admin.reports")} figure={<Figure total={reports.data} error={reports.error} />}>
          {(text) => <Link to="/reports">{text}</Link>}
        </Tile>
        <Tile label={say("admin.failed_uploads")} figure={<Figure total={failed.data} error={failed.error} />}>
          {(text) => (
            <Link to="/uploads" search={{ outcome: "failed" }}>
              {text}
            </Link>
          )}
        </Tile>
        <Tile
          label={say("admin.alarms")}
          figure={<Figure total={raised && { n: raised.length, exact: alarms.data?.complete ?? true }} error={alarms.error} />}
          more={
            raised &&
            (median == null
              ? say("admin.none_acknowledged")
              : say("admin.median", { time: span(median), n: number(acknowledged(raised)) }))
          }
        >
          {(text) => <Link to="/alarms">{text}</Link>}
        </Tile>
        <Tile label={say("admin.patients")} figure={<Figure total={exactly(totals.data?.patients)} error={totals.error} />}>
          {(text) => <Link to="/patients">{text}</Link>}
        </Tile>
        <Tile label={say("admin.users")} figure={<Figure total={exactly(totals.data?.users)} error={totals.error} />}>
          {(text) => <Link to="/admin/users">{text}</Link>}
        </Tile>
        <Tile label={say("admin.devices")} figure={<Figure total={exactly(totals.data?.devices)} error={totals.error} />}>
          {(text) => <Link to="/admin/devices">{text}</Link>}
        </Tile>
      </ul>
    </Card>
  );
}

const acknowledged = (alarms: readonly { acknowledged_at: string | null }[]) =>
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
