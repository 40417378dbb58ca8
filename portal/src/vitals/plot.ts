// One uPlot, kept for as long as its chart is shown. Loaded on demand: uPlot is no part of the first page.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, date, shortClock } from "../design/time.ts";
import type { LimitStep } from "./limit-steps.ts";
import {
  type AlarmSpan,
  color,
  type Mark,
  paintAlarms,
  paintBand,
  paintCrosses,
  paintGapLabels,
  paintGaps,
  paintLimits,
} from "./paint.ts";
import type { Window } from "./range.ts";
import { type Columns, type Gap, lonely } from "./series.ts";

export type Drawing = {
  window: Window;
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
  /** Moves the read-out to a time, in every chart that follows the same cursor. */
  point: (at: number) => void;
  resize: (width: number) => void;
  destroy: () => void;
};

type PlotOptions = {
  lines: number;
  zone: string | undefined;
  height: number;
  width: number;
  /** Charts of the same key share the cursor. */
  sync: string;
  labelOf: (value: number) => string;
  onPoint: (at: number | null) => void;
  onZoom: (window: Window) => void;
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** So few points are worth a dot each. */
const FEW = 60;
const SHORTEST_DRAG = 8;

export function createPlot(target: HTMLElement, first: Drawing, options: PlotOptions): Plot {
  let shown = first;
  const u = new uPlot(
    {
      width: options.width,
      height: options.height,
      ms: 1,
      tzDate: (at) => (options.zone ? uPlot.tzDate(new Date(at), options.zone) : new Date(at)),
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: SHORTEST_DRAG },
        sync: { key: options.sync, setSeries: false, filters: onlyMoves },
      },
      scales: {
        x: { time: true, range: () => [shown.window.from, shown.window.to] },
        y: { range: () => shown.yRange },
      },
      axes: [timeAxis(options.zone), valueAxis(options.labelOf)],
      series: [{}, ...Array.from({ length: options.lines }, (_, line) => seriesOf(line)).flat()],
      bands: Array.from({ length: options.lines }, (_, line) => ({
        series: [3 * line + 3, 3 * line + 2],
        fill: (plot) => `${color(plot, "accent")}40`,
      })),
      hooks: {
        drawClear: [
          (plot) => {
            paintBand(plot, shown.limits);
            paintGaps(plot, shown.gaps);
          },
        ],
        drawAxes: [
          (plot) => {
            paintLimits(plot, shown.limits);
            paintGapLabels(plot, shown.gaps, shown.gapLabel);
          },
        ],
        draw: [
          (plot) => {
            paintAlarms(plot, shown.alarms);
            paintCrosses(plot, shown.invalid);
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
            if (width < SHORTEST_DRAG) return;
            options.onZoom({ from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    dataOf(first),
    target,
  );
  const themes = new MutationObserver(() => u.redraw());
  themes.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
  return {
    draw(next) {
      shown = next;
      u.setData(dataOf(next), false);
      u.setScale("x", { min: next.window.from, max: next.window.to });
    },
    point: (at) => u.setCursor({ left: u.valToPos(at, "x"), top: 0 }),
    resize: (width) => u.setSize({ width, height: options.height }),
    destroy() {
      themes.disconnect();
      u.destroy();
    },
  };
}

const dataOf = ({ columns: { xs, cells } }: Drawing): uPlot.AlignedData => [xs, ...cells];

/** A drag in one chart zooms all of them by the address; only where the pointer is goes from one to the other. */
const onlyMoves = {
  pub: (type: string) => type === "mousemove" || type === "mouseleave",
  sub: (type: string) => type === "mousemove" || type === "mouseleave",
};

/** Mean, then the least and the most, which bound the band; faint lines along them, so that a single peak is not lost. */
function seriesOf(line: number): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: (u) => `${color(u, "accent")}99`, width: 0.75, points: { show: false } };
  const dash = line === 0 ? {} : { dash: [6, 4] };
  return [
    {
      ...dash,
      stroke: (u) => color(u, "accent"),
      width: 1.75,
      points: {
        show: false,
        size: 5,
        fill: (u) => color(u, "accent"),
        filter: (u, column) => {
          const values = Array.from(u.data[column] ?? []);
          return values.length <= FEW ? values.flatMap((value, i) => (value == null ? [] : [i])) : lonely(values);
        },
      },
    },
    edge,
    edge,
  ];
}

const FONT = '11px "Noto Sans Devanagari", system-ui, sans-serif';
const look = {
  stroke: (u: uPlot) => color(u, "muted"),
  font: FONT,
  grid: { stroke: (u: uPlot) => color(u, "line"), width: 1 },
  ticks: { show: false },
};

function timeAxis(zone: string | undefined): uPlot.Axis {
  return {
    ...look,
    size: 34,
    space: 64,
    values: (_, splits, _axis, _space, step) => {
      let day = "";
      return splits.map((at) => {
        const today = date(at, zone).replace(/ \d{4}$/, "");
        const time = step < MINUTE_MS ? clock(at, zone) : shortClock(at, zone);
        const text = step >= DAY_MS ? today : today === day ? time : `${time}\n${today}`;
        day = today;
        return text;
      });
    },
  };
}

function valueAxis(labelOf: (value: number) => string): uPlot.Axis {
  return { ...look, size: 42, space: 28, values: (_, splits) => splits.map(labelOf) };
}
