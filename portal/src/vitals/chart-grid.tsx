// The charts of one patient under one cursor, with limits and alarms where the viewer may see them.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import layout from "../design/layout.module.css";
import { shownAs } from "../design/priority.tsx";
import { Empty, Failed, Loading, NotDone } from "../design/states.tsx";
import { useLivePatient } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import { listAlarms } from "./api.ts";
import { BucketTable } from "./bucket-table.tsx";
import classes from "./chart.module.css";
import { type ChartData, useChartData } from "./chart-data.ts";
import { CHARTS, type Chart, MAIN, unitOfVital, vitalOfCode, vitalsOf } from "./charted.ts";
import type { AlarmSpan } from "./paint.ts";
import { bucketsFor, type Window } from "./range.ts";
import type { Shown } from "./use-window.ts";
import { VitalChart } from "./vital-chart.tsx";

type ChartGridProps = {
  patientId: string;
  /** Those to choose from; one alone is shown even without data. */
  among?: readonly Chart[];
  shown: Shown;
  zone: string | undefined;
  /** For the patient: without limits and alarms, and without charts of what is not measured. */
  plain: boolean;
  table: boolean;
  onZoom: (window: Window) => void;
  /** Below the table. */
  children?: ReactNode;
};

const NARROWEST = 360;
const SPACE = 12;
/** What stands beside the plot in a figure, and beside the lines in a plot. */
const FRAME = 18;
const AXIS = 54;
const MOST_COLUMNS = 3;
/** A window that is drawn a little wider asks nothing new. */
const COARSE = 50;

export function ChartGrid({ patientId, among = CHARTS, shown, zone, plain, table, onZoom, children }: ChartGridProps) {
  const say = useSay();
  const box = useRef<HTMLDivElement>(null);
  const across = useWidth(box);
  const columns = among.length === 1 ? 1 : Math.min(MOST_COLUMNS, Math.max(1, Math.floor(across / NARROWEST)));
  const width = across === 0 ? 0 : Math.floor((across - SPACE * (columns - 1)) / columns) - FRAME;
  const buckets = across === 0 ? null : bucketsFor(Math.round((width - AXIS) / COARSE) * COARSE, shown.asked);
  const vitals = useMemo(() => vitalsOf(among), [among]);
  const query = useChartData(patientId, vitals, shown.asked, buckets);
  const alarms = useAlarms(patientId, shown, !plain);
  const { data } = query;
  const due = (chart: Chart) => among.length === 1 || (!plain && MAIN.includes(chart.id));
  const charts = data && among.filter((chart) => due(chart) || hasData(data, chart));
  const dimmed = shown.pending || query.isPlaceholderData;
  return (
    <div ref={box} className={layout.stack} aria-busy={dimmed}>
      {!data && (query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <Loading />)}
      {data && <NotDone error={query.error} />}
      {data && data.uncounted > 0 && <p role="status">{say("vitals.counting", { n: data.uncounted })}</p>}
      {charts?.length === 0 && <Empty>{say("vitals.no_data_yet")}</Empty>}
      {data && table && charts?.[0] && (
        <BucketTable
          key={charts[0].id}
          patientId={patientId}
          chart={charts[0]}
          data={data}
          window={shown.window}
          follows={shown.follows}
          zone={zone}
        />
      )}
      {data && !table && (
        <div className={classes.grid} style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {charts?.map((chart) => (
            <VitalChart
              key={chart.id}
              patientId={patientId}
              chart={chart}
              unit={unitOfVital(chart.vitals[0] ?? "")}
              data={data}
              window={shown.window}
              follows={shown.follows}
              zone={zone}
              hasLimits={!plain}
              alarms={alarms.get(chart.id) ?? NO_ALARMS}
              dimmed={dimmed}
              width={width}
              onZoom={onZoom}
            />
          ))}
        </div>
      )}
      {children}
    </div>
  );
}

const NO_ALARMS: readonly AlarmSpan[] = [];

const hasData = ({ points, samples }: ChartData, { vitals }: Chart) =>
  vitals.some((vital) => points.has(vital)) || samples.some(({ name }) => name !== null && vitals.includes(name));

/** By chart: when which alarm was on. What the live view knows is newer. */
function useAlarms(patientId: string, { asked, window }: Shown, allowed: boolean): ReadonlyMap<string, readonly AlarmSpan[]> {
  const live = useLivePatient(patientId)?.alerts;
  const { data } = useQuery({
    queryKey: ["alerts", "of_chart", patientId, asked],
    queryFn: () => listAlarms(patientId, asked),
    enabled: allowed,
    placeholderData: (before, query) => (query?.queryKey[2] === patientId ? before : undefined),
  });
  // To the minute: a span that is still on grows with the window, and need not be new every second.
  const end = Math.ceil(window.to / 60_000) * 60_000;
  return useMemo(() => {
    if (!allowed) return new Map();
    const known = new Map<string, AlertView>();
    for (const alert of data?.items ?? []) known.set(alert.alert_id, alert);
    for (const alert of live?.values() ?? []) known.set(alert.alert_id, alert);
    const spans = [...known.values()].map((alert) => ({ alert, span: spanOf(alert, end) }));
    const of = ({ vitals }: Chart) =>
      spans.filter(({ alert }) => alert.code !== null && vitals.includes(vitalOfCode(alert.code)));
    return new Map(CHARTS.map((chart) => [chart.id, of(chart).map(({ span }) => span)]));
  }, [data, live, end, allowed]);
}

function spanOf(alert: AlertView, now: number): AlarmSpan {
  const end = alert.recovered_at ?? alert.cleared_at;
  return { from: Date.parse(alert.raised_at), to: end ? Date.parse(end) : now, priority: shownAs(alert) };
}

function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
