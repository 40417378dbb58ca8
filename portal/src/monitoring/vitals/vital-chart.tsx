// Chart of one vital sign: a figure with a text description, and a cursor moved by pointer or arrow keys.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { formatDateTime, formatNumber, formatTime } from "../../platform/design/format.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { LivePatient } from "../live/patient-store.ts";
import { useLivePatient } from "../live/use-live.ts";
import classes from "./chart.module.css";
import { type Chart, computeYRange, formatUcumUnit, getConsciousnessLetter, getVitalCode } from "./chart-catalogue.ts";
import { buildLine, type ChartData } from "./chart-data.ts";
import { findGaps, findNearestPoint, type Point, toPlotColumns } from "./chart-series.ts";
import { describeChart, formatPoints, toLastValues } from "./describe-chart.ts";
import { addLiveLimits, type LimitStep } from "./limit-steps.ts";
import type { AlarmSpan } from "./paint-chart.ts";
import type { TimeWindow } from "./time-window.ts";
import type { Drawing, Plot } from "./uplot-chart.ts";

type VitalChartProps = {
  patientId: string;
  chart: Chart;
  unit: string;
  data: ChartData;
  window: TimeWindow;
  /** Whether live samples belong to the window. */
  follows: boolean;
  zone: string | undefined;
  /** Not for the patient. */
  hasLimits: boolean;
  alarms: readonly AlarmSpan[];
  isDimmed: boolean;
  width: number;
  onZoom: (window: TimeWindow) => void;
};

const NO_LIMIT_STEPS: readonly never[] = [];
const HEIGHT = 190;
const READ_OUT_TOLERANCE_PX = 10;

export function VitalChart(props: VitalChartProps) {
  const { patientId, chart, unit, data, window, follows, zone, hasLimits, alarms, isDimmed, width, onZoom } = props;
  const t = useTranslation();
  const live = useLivePatient(follows ? patientId : "");
  const recent = live?.recent ?? NO_LIMIT_STEPS;
  const limits = useLimits(data, hasLimits ? getVitalCode(chart.vitals[0]) : undefined, live);
  const lines = useMemo(
    () =>
      chart.vitals.map((vital) => {
        const { points, invalid } = buildLine(data, vital, recent);
        return { points: clipPoints(points, window), invalid };
      }),
    [chart, data, recent, window],
  );
  const gapLabel = t("vitals.no_data");
  const drawing = useMemo((): Drawing => {
    const linesWithGaps = lines.map(({ points }) => ({ points, gaps: findGaps(points, data.step, window) }));
    return {
      window,
      columns: toPlotColumns(linesWithGaps),
      gaps: linesWithGaps[0]?.gaps ?? [],
      gapLabel,
      yRange: computeYRange(
        chart,
        linesWithGaps.flatMap(({ points }) => points),
      ),
      limits,
      invalid: lines.flatMap(({ invalid }) => invalid),
      alarms,
    };
  }, [chart, lines, data.step, window, limits, alarms, gapLabel]);

  const [readAt, setReadAt] = useState<number | null>(null);
  const tolerance = Math.max(data.step, ((window.to - window.from) / Math.max(1, width)) * READ_OUT_TOLERANCE_PX);
  const { host, plot } = usePlot(drawing, { chart, zone, width, onZoom, onPoint: setReadAt });
  const last = lines[0]?.points.at(-1);
  const at = readAt ?? last?.at ?? null;
  const readPoints = at === null ? [] : lines.map(({ points }) => findNearestPoint(points, at, tolerance));
  const invalid = readAt === null ? undefined : drawing.invalid.find((mark) => Math.abs(mark.at - readAt) <= tolerance);
  const description = describeChart({
    chart,
    unit,
    zone,
    window,
    lines: lines.map(({ points }) => points),
    gaps: drawing.gaps,
    limits,
  });
  const name = translateCode("vital", chart.id);

  return (
    <figure className={classes.figure} aria-label={description} data-dimmed={isDimmed}>
      <figcaption className={classes.caption}>
        <span className={classes.name}>
          {name} <span className={classes.unit}>{formatUcumUnit(unit)}</span>
        </span>
        {readAt === null ? (
          <LastValue
            chart={chart}
            points={toLastValues(lines.map(({ points }) => points.at(-1)))}
            zone={zone}
            at={last?.lastAt ?? null}
          />
        ) : (
          <ReadOut chart={chart} points={readPoints} at={readAt} zone={zone} invalid={invalid?.value ?? null} />
        )}
      </figcaption>
      <div
        ref={host}
        className={classes.plot}
        role="slider"
        tabIndex={0}
        aria-label={t("vitals.reader", { vital: name })}
        aria-valuemin={window.from}
        aria-valuemax={window.to}
        aria-valuenow={at ?? window.to}
        aria-valuetext={at === null ? t("vitals.no_data") : `${formatDateTime(at, zone)}: ${formatPoints(chart, readPoints)}`}
        onFocus={() => setReadAt((before) => before ?? last?.at ?? null)}
        onBlur={() => setReadAt(null)}
        onKeyDown={(event) => {
          const next = findPointForKey(event, lines[0]?.points ?? [], at);
          if (!next) return;
          event.preventDefault();
          plot.current?.moveCursor(next.at);
          setReadAt(next.at);
        }}
      />
    </figure>
  );
}

function useLimits(data: ChartData, code: string | undefined, live: LivePatient | undefined): readonly LimitStep[] {
  const { limits, limitsSince = 0 } = live ?? {};
  return useMemo(() => {
    if (code === undefined) return NO_LIMIT_STEPS;
    const loadedSteps = data.limits.get(code) ?? NO_LIMIT_STEPS;
    return limits ? addLiveLimits(loadedSteps, code, { limits, limitsSince }, data.window.to) : loadedSteps;
  }, [data, code, limits, limitsSince]);
}

const STEP_BY_KEY: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

function findPointForKey(
  { key, ctrlKey, altKey, metaKey }: KeyboardEvent,
  points: readonly Point[],
  at: number | null,
): Point | null {
  const step = STEP_BY_KEY[key];
  if (step === undefined || ctrlKey || altKey || metaKey || points.length === 0) return null;
  const now = at === null ? points.length - 1 : points.findLastIndex((point) => point.at <= at);
  return points[Math.min(points.length - 1, Math.max(0, now + step))] ?? null;
}

/** Points inside the window. The current bucket ends in the future and is drawn up to the last known time. */
const clipPoints = (points: readonly Point[], { from, to }: TimeWindow): Point[] =>
  points.flatMap((point) => (point.to < from ? [] : [point.at > to && point.from <= to ? { ...point, at: to } : point]));

type ReadOutProps = {
  chart: Chart;
  points: readonly (Point | null)[];
  at: number;
  zone: string | undefined;
  invalid: number | null;
};

type LastValueProps = Pick<ReadOutProps, "chart" | "zone"> & { points: readonly (Point | null | undefined)[]; at: number | null };

/** The latest sample that the chart has, with its own time. */
function LastValue({ chart, points, at, zone }: LastValueProps) {
  const t = useTranslation();
  if (at === null) return <span className={classes.readOut}>{t("vitals.no_data")}</span>;
  return (
    <span className={classes.readOut}>
      <span className={classes.readAt}>{t("vitals.last", { at: formatTime(at, zone) })}</span>
      <strong>{formatPoints(chart, points)}</strong>
    </span>
  );
}

function ReadOut({ chart, points, at, zone, invalid }: ReadOutProps) {
  const t = useTranslation();
  const [point] = points;
  return (
    <span className={classes.readOut}>
      <span className={classes.readAt}>{formatDateTime(point?.from ?? at, zone)}</span>
      <strong>{formatPoints(chart, points)}</strong>
      {point && point.n > 1 && chart.vitals.length === 1 && (
        <span className={classes.readAt}>
          {formatNumber(point.min, chart.decimals)}–{formatNumber(point.max, chart.decimals)}
        </span>
      )}
      {invalid !== null && (
        <span>
          <del>{formatNumber(invalid, chart.decimals)}</del> {t("vitals.invalid")}
        </span>
      )}
    </span>
  );
}

type PlotHandlers = {
  chart: Chart;
  zone: string | undefined;
  width: number;
  onZoom: (window: TimeWindow) => void;
  onPoint: (at: number | null) => void;
};

/** Creates the uPlot instance per vital sign and zone, updates it on each render, and destroys it on unmount. */
function usePlot(drawing: Drawing, { chart, zone, width, onZoom, onPoint }: PlotHandlers) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(null);
  const latest = useRef({ drawing, onZoom, onPoint, width });
  latest.current = { drawing, onZoom, onPoint, width };
  const visible = width > 0;

  useEffect(() => {
    let isDisposed = false;
    if (!visible) return;
    void import("./uplot-chart.ts").then(({ createPlot }) => {
      if (isDisposed || !host.current) return;
      plot.current = createPlot(host.current, latest.current.drawing, {
        lines: chart.vitals.length,
        zone,
        width: latest.current.width,
        height: HEIGHT,
        sync: "edgecare-vitals",
        labelOf: (value) => getConsciousnessLetter(chart.id, value) ?? formatNumber(value),
        onPoint: (at) => latest.current.onPoint(at),
        onZoom: (window) => latest.current.onZoom(window),
      });
    });
    return () => {
      isDisposed = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [chart, zone, visible]);
  useEffect(() => plot.current?.resize(width), [width]);
  useEffect(() => plot.current?.draw(drawing), [drawing]);
  return { host, plot };
}
