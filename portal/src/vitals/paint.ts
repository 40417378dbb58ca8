// What is drawn around a chart's lines: limits, stretches without data, impossible values, alarms. In the colours of tokens.css.
import type uPlot from "uplot";
import type { Priority } from "../design/priority.tsx";
import type { LimitStep } from "./limit-steps.ts";
import type { Gap } from "./series.ts";

export type Mark = { at: number; value: number };
export type AlarmSpan = { from: number; to: number; priority: Priority };

export const color = (u: uPlot, token: string): string => getComputedStyle(u.root).getPropertyValue(`--${token}`).trim();

const STRIP = 7;
const pixels = (u: uPlot, n: number) => n * (u.ctx.canvas.width / u.width);

function inside(u: uPlot, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

/** Each step with the part of the plot in which it holds; the first also before it, where nothing else is known. */
function stretches(u: uPlot, steps: readonly LimitStep[]): { step: LimitStep; from: number; to: number }[] {
  const { left, width } = u.bbox;
  const inSight = (x: number) => Math.min(left + width, Math.max(left, x));
  const edge = (step: LimitStep | undefined) => (step ? inSight(u.valToPos(step.from, "x", true)) : left + width);
  return steps
    .map((step, i) => ({ step, from: i === 0 ? left : edge(step), to: edge(steps[i + 1]) }))
    .filter(({ from, to }) => to > from);
}

/** Between the limits is where the value should be. */
export function paintBand(u: uPlot, steps: readonly LimitStep[]): void {
  inside(u, (ctx) => {
    const { top, height } = u.bbox;
    ctx.fillStyle = color(u, "band");
    for (const { step, from, to } of stretches(u, steps)) {
      const { low, high } = step;
      if (low === null && high === null) continue;
      const upper = high === null ? top : Math.max(top, u.valToPos(high, "y", true));
      const lower = low === null ? top + height : Math.min(top + height, u.valToPos(low, "y", true));
      if (lower > upper) ctx.fillRect(from, upper, to - from, lower - upper);
    }
  });
}

/** Dashed, and upright where a limit was moved. */
export function paintLimits(u: uPlot, steps: readonly LimitStep[]): void {
  inside(u, (ctx) => {
    const parts = stretches(u, steps);
    const line = (side: "low" | "high" | "critical_low" | "critical_high", dash: number[], token: string) => {
      ctx.strokeStyle = color(u, token);
      ctx.lineWidth = pixels(u, 1);
      ctx.setLineDash(dash.map((n) => pixels(u, n)));
      ctx.beginPath();
      let isOn = false;
      for (const { step, from, to } of parts) {
        const value = step[side];
        if (value !== null) {
          const y = Math.round(u.valToPos(value, "y", true)) + 0.5;
          if (isOn) ctx.lineTo(Math.round(from) + 0.5, y);
          else ctx.moveTo(from, y);
          ctx.lineTo(to === u.bbox.left + u.bbox.width ? to : Math.round(to) + 0.5, y);
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

/** The part of the plot that a stretch of time takes; null where it is out of sight. */
function across(u: uPlot, { from, to }: Gap): [left: number, right: number] | null {
  const left = Math.max(u.bbox.left, u.valToPos(from, "x", true));
  const right = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, "x", true));
  return right > left ? [left, right] : null;
}

export function paintGaps(u: uPlot, gaps: readonly Gap[]): void {
  inside(u, (ctx) => {
    ctx.fillStyle = color(u, "stale");
    for (const gap of gaps) {
      const place = across(u, gap);
      if (place) ctx.fillRect(place[0], u.bbox.top, place[1] - place[0], u.bbox.height);
    }
  });
}

/** What a shaded stretch is, where it is wide enough to say so; over the grid. */
export function paintGapLabels(u: uPlot, gaps: readonly Gap[], label: string): void {
  inside(u, (ctx) => {
    ctx.font = `${pixels(u, 12)}px "Noto Sans Devanagari", system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const [ground, text] = [color(u, "stale"), color(u, "stale-text")];
    const room = ctx.measureText(label).width + pixels(u, 12);
    for (const gap of gaps) {
      const [left, right] = across(u, gap) ?? [0, 0];
      if (right - left < room) continue;
      const [x, y, half] = [(left + right) / 2, u.bbox.top + u.bbox.height / 2, pixels(u, 10)];
      ctx.fillStyle = ground;
      ctx.fillRect(x - room / 2, y - half, room, 2 * half);
      ctx.fillStyle = text;
      ctx.fillText(label, x, y);
    }
  });
}

/** Hollow crosses where an impossible value came, off the line; at the edge where it lies beyond the scale. */
export function paintCrosses(u: uPlot, marks: readonly Mark[]): void {
  inside(u, (ctx) => {
    const { top, height } = u.bbox;
    const arm = pixels(u, 4);
    for (const { at, value } of marks) {
      const x = u.valToPos(at, "x", true);
      const y = Math.min(top + height - 2 * arm, Math.max(top + 2 * arm, u.valToPos(value, "y", true)));
      const cross = () => {
        ctx.beginPath();
        ctx.moveTo(x - arm, y - arm);
        ctx.lineTo(x + arm, y + arm);
        ctx.moveTo(x + arm, y - arm);
        ctx.lineTo(x - arm, y + arm);
        ctx.stroke();
      };
      ctx.lineWidth = pixels(u, 4);
      ctx.strokeStyle = color(u, "text");
      cross();
      ctx.lineWidth = pixels(u, 2);
      ctx.strokeStyle = color(u, "card");
      cross();
    }
  });
}

/** Along the foot: when an alarm of this vital was on. */
export function paintAlarms(u: uPlot, spans: readonly AlarmSpan[]): void {
  inside(u, (ctx) => {
    const strip = pixels(u, STRIP);
    const { left, top, width, height } = u.bbox;
    for (const { from, to, priority } of spans) {
      const start = Math.max(left, u.valToPos(from, "x", true));
      const end = Math.min(left + width, Math.max(start + pixels(u, 2), u.valToPos(to, "x", true)));
      if (end <= start) continue;
      ctx.fillStyle = color(u, priority);
      ctx.fillRect(start, top + height - strip, end - start, strip);
    }
  });
}
