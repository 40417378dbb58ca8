// The chart of one vital: a figure that says in words what it shows, and a read-out that pointer and arrow keys move.
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { clock, dateTime, number } from "../design/time.ts";
import type { LivePatient } from "../live/store.ts";
import { useLivePatient } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import classes from "./chart.module.css";
import { type ChartData, lineOf } from "./chart-data.ts";
import { type Chart, codeOf, letterOf, unitText, yRange } from "./charted.ts";
import { describe, valueText } from "./describe.ts";
import { type LimitStep, withLive } from "./limit-steps.ts";
import type { AlarmSpan } from "./paint.ts";
import type { Drawing, Plot } from "./plot.ts";
import type { Window } from "./range.ts";
import { columnsOf, counts, gapsOf, type Point, pointAt } from "./series.ts";

type VitalChartProps = {
  patientId: string;
  chart: Chart;
  unit: string;
  data: ChartData;
  window: Window;
  /** Whether samples of the live view belong to it. */
  follows: boolean;
  zone: string | undefined;
  /** Not for the patient. */
  hasLimits: boolean;
  alarms: readonly AlarmSpan[];
  dimmed: boolean;
  width: number;
  onZoom: (window: Window) => void;
};

const NOTHING: readonly never[] = [];
const HEIGHT = 190;
const NEAR_PX = 10;

export function VitalChart(props: VitalChartProps) {
  const { patientId, chart, unit, data, window, follows, zone, hasLimits, alarms, dimmed, width, onZoom } = props;
  const say = useSay();
  const live = useLivePatient(follows ? patientId : "");
  const recent = live?.recent ?? NOTHING;
  const limits = useLimits(data, hasLimits ? codeOf(chart.vitals[0]) : undefined, live);
  const lines = useMemo(
    () =>
      chart.vitals.map((vital) => {
        const { points, invalid } = lineOf(data, vital, recent);
        return { points: within(points, window), invalid };
      }),
    [chart, data, recent, window],
  );
  const gapLabel = say("vitals.no_data");
  const drawing = useMemo((): Drawing => {
    const drawn = lines.map(({ points }) => ({ points, gaps: gapsOf(points, data.step, window) }));
    return {
      window,
      columns: columnsOf(drawn),
      gaps: drawn[0]?.gaps ?? [],
      gapLabel,
      yRange: yRange(
        chart,
        drawn.flatMap(({ points }) => points),
      ),
      limits,
      invalid: lines.flatMap(({ invalid }) => invalid),
      alarms,
    };
  }, [chart, lines, data.step, window, limits, alarms, gapLabel]);

  const [readAt, setReadAt] = useState<number | null>(null);
  const near = Math.max(data.step, ((window.to - window.from) / Math.max(1, width)) * NEAR_PX);
  const { host, plot } = usePlot(drawing, { chart, zone, width, onZoom, onPoint: setReadAt });
  const last = lines[0]?.points.at(-1);
  const at = readAt ?? last?.at ?? null;
  const read = at === null ? [] : lines.map(({ points }) => pointAt(points, at, near));
  const newest = recent.findLast((sample) => chart.vitals[0] === sample.name && counts(sample));
  const invalid = readAt === null ? undefined : drawing.invalid.find((mark) => Math.abs(mark.at - readAt) <= near);
  const words = describe({ chart, unit, zone, window, lines: lines.map(({ points }) => points), gaps: drawing.gaps, limits });
  const name = sayOf("vital", chart.id);

  return (
    <figure className={classes.figure} aria-label={words} data-dimmed={dimmed}>
      <figcaption className={classes.caption}>
        <span className={classes.name}>
          {name} <span className={classes.unit}>{unitText(unit)}</span>
        </span>
        {readAt === null ? (
          <Last chart={chart} points={read} zone={zone} at={newest ? Date.parse(newest.effective_at) : (last?.from ?? null)} />
        ) : (
          <ReadOut chart={chart} points={read} at={readAt} zone={zone} invalid={invalid?.value ?? null} />
        )}
      </figcaption>
      <div
        ref={host}
        className={classes.plot}
        role="slider"
        tabIndex={0}
        aria-label={say("vitals.reader", { vital: name })}
        aria-valuemin={window.from}
        aria-valuemax={window.to}
        aria-valuenow={at ?? window.to}
        aria-valuetext={at === null ? say("vitals.no_data") : `${dateTime(at, zone)}: ${valueText(chart, read)}`}
        onFocus={() => setReadAt((before) => before ?? last?.at ?? null)}
        onBlur={() => setReadAt(null)}
        onKeyDown={(event) => {
          const next = movedBy(event, lines[0]?.points ?? [], at);
          if (!next) return;
          event.preventDefault();
          plot.current?.point(next.at);
          setReadAt(next.at);
        }}
      />
    </figure>
  );
}

function useLimits(data: ChartData, code: string | undefined, live: LivePatient | undefined): readonly LimitStep[] {
  const { limits, limitsSince = 0 } = live ?? {};
  return useMemo(() => {
    if (code === undefined) return NOTHING;
    const told = data.limits.get(code) ?? NOTHING;
    return limits ? withLive(told, code, { limits, limitsSince }, data.window.to) : told;
  }, [data, code, limits, limitsSince]);
}

const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

function movedBy({ key, ctrlKey, altKey, metaKey }: KeyboardEvent, points: readonly Point[], at: number | null): Point | null {
  const step = STEPS[key];
  if (step === undefined || ctrlKey || altKey || metaKey || points.length === 0) return null;
  const now = at === null ? points.length - 1 : points.findLastIndex((point) => point.at <= at);
  return points[Math.min(points.length - 1, Math.max(0, now + step))] ?? null;
}

/** Those in sight. The bucket of now ends later than now, and is drawn where it is known to. */
const within = (points: readonly Point[], { from, to }: Window): Point[] =>
  points.flatMap((point) => (point.to < from ? [] : [point.at > to && point.from <= to ? { ...point, at: to } : point]));

type ReadOutProps = {
  chart: Chart;
  points: readonly (Point | null)[];
  at: number;
  zone: string | undefined;
  invalid: number | null;
};

function Last({ chart, points, at, zone }: Omit<ReadOutProps, "at" | "invalid"> & { at: number | null }) {
  const say = useSay();
  if (at === null) return <span className={classes.readOut}>{say("vitals.no_data")}</span>;
  return (
    <span className={classes.readOut}>
      <span className={classes.readAt}>{say("vitals.last", { at: clock(at, zone) })}</span>
      <strong>{valueText(chart, points)}</strong>
    </span>
  );
}

function ReadOut({ chart, points, at, zone, invalid }: ReadOutProps) {
  const say = useSay();
  const [point] = points;
  return (
    <span className={classes.readOut}>
      <span className={classes.readAt}>{dateTime(point?.from ?? at, zone)}</span>
      <strong>{valueText(chart, points)}</strong>
      {point && point.n > 1 && chart.vitals.length === 1 && (
        <span className={classes.readAt}>
          {number(point.min, chart.decimals)}–{number(point.max, chart.decimals)}
        </span>
      )}
      {invalid !== null && (
        <span>
          <del>{number(invalid, chart.decimals)}</del> {say("vitals.invalid")}
        </span>
      )}
    </span>
  );
}

type PlotHandlers = {
  chart: Chart;
  zone: string | undefined;
  width: number;
  onZoom: (window: Window) => void;
  onPoint: (at: number | null) => void;
};

/** Made once for this vital and zone, drawn again with each new drawing, and taken down with the component. */
function usePlot(drawing: Drawing, { chart, zone, width, onZoom, onPoint }: PlotHandlers) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(null);
  const latest = useRef({ drawing, onZoom, onPoint, width });
  latest.current = { drawing, onZoom, onPoint, width };
  const visible = width > 0;

  useEffect(() => {
    let gone = false;
    if (!visible) return;
    void import("./plot.ts").then(({ createPlot }) => {
      if (gone || !host.current) return;
      plot.current = createPlot(host.current, latest.current.drawing, {
        lines: chart.vitals.length,
        zone,
        width: latest.current.width,
        height: HEIGHT,
        sync: "edgecare-vitals",
        labelOf: (value) => letterOf(chart.id, value) ?? number(value),
        onPoint: (at) => latest.current.onPoint(at),
        onZoom: (window) => latest.current.onZoom(window),
      });
    });
    return () => {
      gone = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [chart, zone, visible]);
  useEffect(() => plot.current?.resize(width), [width]);
  useEffect(() => plot.current?.draw(drawing), [drawing]);
  return { host, plot };
}
