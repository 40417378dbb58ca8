// Charts of one patient with a shared cursor; limits and alarms for staff.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import layout from "../../platform/design/layout.module.css";
import { shownAs } from "../../platform/design/priority.tsx";
import { EmptyState, LoadError, Loading, RefetchError } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useLivePatient } from "../live/use-live.ts";
import { listAlarms } from "./api.ts";
import { BucketTable } from "./bucket-table.tsx";
import classes from "./chart.module.css";
import { CHARTS, type Chart, getVitalName, getVitalUnit, listChartVitals, MAIN_CHARTS } from "./chart-catalogue.ts";
import { type ChartData, useChartData } from "./chart-data.ts";
import type { AlarmSpan } from "./paint-chart.ts";
import { getBucketCount, type TimeWindow } from "./time-window.ts";
import type { WindowState } from "./use-window.ts";
import { VitalChart } from "./vital-chart.tsx";

type ChartGridProps = {
  patientId: string;
  /** Available charts; a single one is shown even without data. */
  candidates?: readonly Chart[];
  shown: WindowState;
  zone: string | undefined;
  /** Patient mode: no limits, no alarms, and no charts without data. */
  isPlain: boolean;
  isTable: boolean;
  onZoom: (window: TimeWindow) => void;
  /** Content below the table. */
  children?: ReactNode;
};

const MIN_CHART_WIDTH = 360;
const GRID_GAP = 12;
/** Padding beside the plot in a figure, and beside the lines in a plot, px. */
const FIGURE_FRAME = 18;
const AXIS_WIDTH = 54;
const MAX_COLUMNS = 3;
/** A small resize sends no new request. */
const WIDTH_STEP = 50;

export function ChartGrid({ patientId, candidates = CHARTS, shown, zone, isPlain, isTable, onZoom, children }: ChartGridProps) {
  const t = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const gridWidth = useClientWidth(box);
  const columns = candidates.length === 1 ? 1 : Math.min(MAX_COLUMNS, Math.max(1, Math.floor(gridWidth / MIN_CHART_WIDTH)));
  const width = gridWidth === 0 ? 0 : Math.floor((gridWidth - GRID_GAP * (columns - 1)) / columns) - FIGURE_FRAME;
  const buckets =
    gridWidth === 0 || !shown.isReady
      ? null
      : getBucketCount(Math.round((width - AXIS_WIDTH) / WIDTH_STEP) * WIDTH_STEP, shown.requested);
  const vitals = useMemo(() => listChartVitals(candidates), [candidates]);
  const query = useChartData(patientId, vitals, shown.requested, buckets);
  const alarms = useChartAlarms(patientId, shown, !isPlain);
  const { data } = query;
  const isAlwaysShown = (chart: Chart) => candidates.length === 1 || (!isPlain && MAIN_CHARTS.includes(chart.id));
  const charts = data && candidates.filter((chart) => isAlwaysShown(chart) || hasData(data, chart));
  const isDimmed = shown.pending || query.isPlaceholderData;
  return (
    <div ref={box} className={layout.stack} aria-busy={isDimmed}>
      {!data && (query.error ? <LoadError error={query.error} retry={() => void query.refetch()} /> : <Loading />)}
      {data && <RefetchError error={query.error} />}
      {data && data.uncounted > 0 && <p role="status">{t("vitals.counting", { n: data.uncounted })}</p>}
      {charts?.length === 0 && <EmptyState>{t("vitals.no_data_yet")}</EmptyState>}
      {data && isTable && charts?.[0] && (
        <BucketTable
          key={charts[0].id}
          patientId={patientId}
          chart={charts[0]}
          data={data}
          window={shown.window}
          follows={shown.isFollowing}
          zone={zone}
        />
      )}
      {data && !isTable && (
        <div className={classes.grid} style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {charts?.map((chart) => (
            <VitalChart
              key={chart.id}
              patientId={patientId}
              chart={chart}
              unit={getVitalUnit(chart.vitals[0] ?? "")}
              data={data}
              window={shown.window}
              follows={shown.isFollowing}
              zone={zone}
              hasLimits={!isPlain}
              alarms={alarms.get(chart.id) ?? NO_ALARMS}
              isDimmed={isDimmed}
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

/** Alarm periods per chart. The live view is newer than the response. */
function useChartAlarms(
  patientId: string,
  { requested: asked, window, isReady }: WindowState,
  isAllowed: boolean,
): ReadonlyMap<string, readonly AlarmSpan[]> {
  const live = useLivePatient(patientId)?.alerts;
  const { data } = useQuery({
    queryKey: ["alerts", "of_chart", patientId, asked],
    queryFn: () => listAlarms(patientId, asked),
    enabled: isAllowed && isReady,
    placeholderData: (previous, query) => (query?.queryKey[2] === patientId ? previous : undefined),
  });
  // Rounded to the minute: an ongoing period grows with the window, but must not change every second.
  const end = Math.ceil(window.to / 60_000) * 60_000;
  return useMemo(() => {
    if (!isAllowed) return new Map();
    const known = new Map<string, AlertView>();
    for (const alert of data?.items ?? []) known.set(alert.alert_id, alert);
    for (const alert of live?.values() ?? []) known.set(alert.alert_id, alert);
    const spans = [...known.values()].map((alert) => ({ alert, span: toAlarmSpan(alert, end) }));
    const spansOfChart = ({ vitals }: Chart) =>
      spans.filter(({ alert }) => alert.code !== null && vitals.includes(getVitalName(alert.code)));
    return new Map(CHARTS.map((chart) => [chart.id, spansOfChart(chart).map(({ span }) => span)]));
  }, [data, live, end, isAllowed]);
}

function toAlarmSpan(alert: AlertView, now: number): AlarmSpan {
  const end = alert.recovered_at ?? alert.cleared_at;
  return { from: Date.parse(alert.raised_at), to: end ? Date.parse(end) : now, priority: shownAs(alert) };
}

function useClientWidth(box: React.RefObject<HTMLElement | null>): number {
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
