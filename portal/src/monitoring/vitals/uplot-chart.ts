// One uPlot instance, alive while its chart is shown. Loaded on demand to keep uPlot out of the first page.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { listWallTimes } from "../../platform/design/calendar-days.ts";
import { formatDate, formatShortTime, formatTime } from "../../platform/design/format.ts";
import { type Columns, findIsolatedIndexes, type Gap } from "./chart-series.ts";
import type { LimitStep } from "./limit-steps.ts";
import {
  type AlarmSpan,
  getThemeColor,
  type Mark,
  paintAlarms,
  paintBand,
  paintCrosses,
  paintGapLabels,
  paintGaps,
  paintLimits,
} from "./paint-chart.ts";
import type { TimeWindow } from "./time-window.ts";

export type Drawing = {
  window: TimeWindow;
  columns: Columns;
  gaps: readonly Gap[];
  gapLabel: string;
  yRange: [number, number];
  limits: readonly LimitStep[];
  invalid: readonly Mark[];
  alarms: readonly AlarmSpan[];
};

export type Plot = {
  draw: (drawing: Drawing) => void;
  /** Moves the cursor to a time, in every chart with the same cursor key. */
  moveCursor: (at: number) => void;
  resize: (width: number) => void;
  destroy: () => void;
};

type PlotOptions = {
  lines: number;
  zone: string | undefined;
  height: number;
  width: number;
  /** Charts with the same key share the cursor. */
  sync: string;
  labelOf: (value: number) => string;
  onPoint: (at: number | null) => void;
  onZoom: (window: TimeWindow) => void;
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Below this number of points each gets a dot. */
const MAX_DOTTED_POINTS = 60;
const MIN_DRAG_PX = 8;

export function createPlot(target: HTMLElement, first: Drawing, options: PlotOptions): Plot {
  let current = first;
  const chart = new uPlot(
    {
      width: options.width,
      height: options.height,
      ms: 1,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: MIN_DRAG_PX },
        sync: { key: options.sync, setSeries: false, filters: pointerMoveFilter },
      },
      scales: {
        x: { time: true, range: () => [current.window.from, current.window.to] },
        y: { range: () => current.yRange },
      },
      axes: [createTimeAxis(options.zone), createValueAxis(options.labelOf)],
      series: [{}, ...Array.from({ length: options.lines }, (_, line) => createLineSeries(line)).flat()],
      bands: Array.from({ length: options.lines }, (_, line) => ({
        series: [3 * line + 3, 3 * line + 2],
        fill: (plot) => `${getThemeColor(plot, "accent")}40`,
      })),
      hooks: {
        drawClear: [
          (plot) => {
            paintBand(plot, current.limits);
            paintGaps(plot, current.gaps);
          },
        ],
        drawAxes: [
          (plot) => {
            paintLimits(plot, current.limits);
            paintGapLabels(plot, current.gaps, current.gapLabel);
          },
        ],
        draw: [
          (plot) => {
            paintAlarms(plot, current.alarms);
            paintCrosses(plot, current.invalid);
          },
        ],
        setCursor: [
          (plot) => {
            const { left = -1 } = plot.cursor;
            options.onPoint(left < 0 ? null : plot.posToVal(left, "x"));
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < MIN_DRAG_PX) return;
            options.onZoom({ from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    toAlignedData(first),
    target,
  );
  const themeObserver = new MutationObserver(() => chart.redraw());
  themeObserver.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
  return {
    draw(next) {
      current = next;
      chart.setData(toAlignedData(next), false);
      chart.setScale("x", { min: next.window.from, max: next.window.to });
    },
    moveCursor: (at) => chart.setCursor({ left: chart.valToPos(at, "x"), top: 0 }),
    resize: (width) => chart.setSize({ width, height: options.height }),
    destroy() {
      themeObserver.disconnect();
      chart.destroy();
    },
  };
}

const toAlignedData = ({ columns: { xs, cells } }: Drawing): uPlot.AlignedData => [xs, ...cells];

/** Only the cursor position is synchronised; a drag zooms all charts through the URL. */
const pointerMoveFilter = {
  pub: (type: string) => type === "mousemove" || type === "mouseleave",
  sub: (type: string) => type === "mousemove" || type === "mouseleave",
};

/** Mean, then min and max as the edges of the band; faint edge lines keep a single peak visible. */
function createLineSeries(line: number): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: (chart) => `${getThemeColor(chart, "accent")}99`, width: 0.75, points: { show: false } };
  const dash = line === 0 ? {} : { dash: [6, 4] };
  return [
    {
      ...dash,
      stroke: (chart) => getThemeColor(chart, "accent"),
      width: 1.75,
      points: {
        show: false,
        size: 5,
        fill: (chart) => getThemeColor(chart, "accent"),
        filter: (chart, column) => {
          const values = Array.from(chart.data[column] ?? []);
          return values.length <= MAX_DOTTED_POINTS
            ? values.flatMap((value, i) => (value == null ? [] : [i]))
            : findIsolatedIndexes(values);
        },
      },
    },
    edge,
    edge,
  ];
}

const FONT = '11px "Noto Sans Devanagari", system-ui, sans-serif';
const axisStyle = {
  stroke: (chart: uPlot) => getThemeColor(chart, "muted"),
  font: FONT,
  grid: { stroke: (chart: uPlot) => getThemeColor(chart, "line"), width: 1 },
  ticks: { show: false },
};

function createTimeAxis(zone: string | undefined): uPlot.Axis {
  return {
    ...axisStyle,
    size: 34,
    space: 64,
    splits: (_, _axis, from, to, step) => listWallTimes({ from, to }, step, zone),
    values: (_, splits, _axis, _space, step) => {
      let day = "";
      return splits.map((at) => {
        const today = formatDate(at, zone).replace(/ \d{4}$/, "");
        const time = step < MINUTE_MS ? formatTime(at, zone) : formatShortTime(at, zone);
        const text = step >= DAY_MS ? today : today === day ? time : `${time}\n${today}`;
        day = today;
        return text;
      });
    },
  };
}

function createValueAxis(labelOf: (value: number) => string): uPlot.Axis {
  return { ...axisStyle, size: 42, space: 28, values: (_, splits) => splits.map(labelOf) };
}
