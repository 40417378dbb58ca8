// Chart overlays: limits, gaps, invalid values and alarms, in the colours of tokens.css.
import type uPlot from "uplot";
import type { Priority } from "../../platform/design/priority.tsx";
import type { Gap } from "./chart-series.ts";
import type { LimitStep } from "./limit-steps.ts";

export type Mark = { at: number; value: number };
export type AlarmSpan = { from: number; to: number; priority: Priority };

export const getThemeColor = (plot: uPlot, token: string): string =>
  getComputedStyle(plot.root).getPropertyValue(`--${token}`).trim();

const ALARM_STRIP_PX = 7;
const toDevicePixels = (plot: uPlot, n: number) => n * (plot.ctx.canvas.width / plot.width);

function paintInside(plot: uPlot, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

/** Each step with its part of the plot; the first also applies before its start when nothing earlier is known. */
function listLimitStretches(plot: uPlot, steps: readonly LimitStep[]): { step: LimitStep; from: number; to: number }[] {
  const { left, width } = plot.bbox;
  const clampX = (x: number) => Math.min(left + width, Math.max(left, x));
  const stepX = (step: LimitStep | undefined) => (step ? clampX(plot.valToPos(step.from, "x", true)) : left + width);
  return steps
    .map((step, i) => ({ step, from: i === 0 ? left : stepX(step), to: stepX(steps[i + 1]) }))
    .filter(({ from, to }) => to > from);
}

/** The band between the limits. */
export function paintBand(plot: uPlot, steps: readonly LimitStep[]): void {
  paintInside(plot, (ctx) => {
    const { top, height } = plot.bbox;
    ctx.fillStyle = getThemeColor(plot, "band");
    for (const { step, from, to } of listLimitStretches(plot, steps)) {
      const { low, high } = step;
      if (low === null && high === null) continue;
      const upper = high === null ? top : Math.max(top, plot.valToPos(high, "y", true));
      const lower = low === null ? top + height : Math.min(top + height, plot.valToPos(low, "y", true));
      if (lower > upper) ctx.fillRect(from, upper, to - from, lower - upper);
    }
  });
}

/** Dashed lines, vertical where a limit changed. */
export function paintLimits(plot: uPlot, steps: readonly LimitStep[]): void {
  paintInside(plot, (ctx) => {
    const limitStretches = listLimitStretches(plot, steps);
    const line = (side: "low" | "high" | "critical_low" | "critical_high", dash: number[], token: string) => {
      ctx.strokeStyle = getThemeColor(plot, token);
      ctx.lineWidth = toDevicePixels(plot, 1);
      ctx.setLineDash(dash.map((n) => toDevicePixels(plot, n)));
      ctx.beginPath();
      let isOn = false;
      for (const { step, from, to } of limitStretches) {
        const value = step[side];
        if (value !== null) {
          const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
          if (isOn) ctx.lineTo(Math.round(from) + 0.5, y);
          else ctx.moveTo(from, y);
          ctx.lineTo(to === plot.bbox.left + plot.bbox.width ? to : Math.round(to) + 0.5, y);
        }
        isOn = value !== null;
      }
      ctx.stroke();
    };
    line("low", [6, 4], "muted");
    line("high", [6, 4], "muted");
    line("critical_low", [2, 3], "high");
    line("critical_high", [2, 3], "high");
  });
}

/** Horizontal extent of a period in the plot; null when it is out of view. */
function getGapBounds(plot: uPlot, { from, to }: Gap): [left: number, right: number] | null {
  const left = Math.max(plot.bbox.left, plot.valToPos(from, "x", true));
  const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(to, "x", true));
  return right > left ? [left, right] : null;
}

export function paintGaps(plot: uPlot, gaps: readonly Gap[]): void {
  paintInside(plot, (ctx) => {
    ctx.fillStyle = getThemeColor(plot, "stale");
    for (const gap of gaps) {
      const bounds = getGapBounds(plot, gap);
      if (bounds) ctx.fillRect(bounds[0], plot.bbox.top, bounds[1] - bounds[0], plot.bbox.height);
    }
  });
}

/** Label of a shaded period when it is wide enough; drawn above the grid. */
export function paintGapLabels(plot: uPlot, gaps: readonly Gap[], label: string): void {
  paintInside(plot, (ctx) => {
    ctx.font = `${toDevicePixels(plot, 12)}px "Noto Sans Devanagari", system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const [background, text] = [getThemeColor(plot, "stale"), getThemeColor(plot, "stale-text")];
    const labelWidth = ctx.measureText(label).width + toDevicePixels(plot, 12);
    for (const gap of gaps) {
      const [left, right] = getGapBounds(plot, gap) ?? [0, 0];
      if (right - left < labelWidth) continue;
      const [x, y, half] = [(left + right) / 2, plot.bbox.top + plot.bbox.height / 2, toDevicePixels(plot, 10)];
      ctx.fillStyle = background;
      ctx.fillRect(x - labelWidth / 2, y - half, labelWidth, 2 * half);
      ctx.fillStyle = text;
      ctx.fillText(label, x, y);
    }
  });
}

/** Hollow crosses at invalid values, off the line; at the edge when outside the scale. */
export function paintCrosses(plot: uPlot, marks: readonly Mark[]): void {
  paintInside(plot, (ctx) => {
    const { top, height } = plot.bbox;
    const arm = toDevicePixels(plot, 4);
    for (const { at, value } of marks) {
      const x = plot.valToPos(at, "x", true);
      const y = Math.min(top + height - 2 * arm, Math.max(top + 2 * arm, plot.valToPos(value, "y", true)));
      const cross = () => {
        ctx.beginPath();
        ctx.moveTo(x - arm, y - arm);
        ctx.lineTo(x + arm, y + arm);
        ctx.moveTo(x + arm, y - arm);
        ctx.lineTo(x - arm, y + arm);
        ctx.stroke();
      };
      ctx.lineWidth = toDevicePixels(plot, 4);
      ctx.strokeStyle = getThemeColor(plot, "text");
      cross();
      ctx.lineWidth = toDevicePixels(plot, 2);
      ctx.strokeStyle = getThemeColor(plot, "card");
      cross();
    }
  });
}

/** Alarm periods of this vital sign along the bottom. */
export function paintAlarms(plot: uPlot, spans: readonly AlarmSpan[]): void {
  paintInside(plot, (ctx) => {
    const strip = toDevicePixels(plot, ALARM_STRIP_PX);
    const { left, top, width, height } = plot.bbox;
    for (const { from, to, priority } of spans) {
      const start = Math.max(left, plot.valToPos(from, "x", true));
      const end = Math.min(left + width, Math.max(start + toDevicePixels(plot, 2), plot.valToPos(to, "x", true)));
      if (end <= start) continue;
      ctx.fillStyle = getThemeColor(plot, priority);
      ctx.fillRect(start, top + height - strip, end - start, strip);
    }
  });
}
