// What is drawn around a chart's lines: limits, stretches without data, impossible values, alarms. In the colours of tokens.css.
import type uPlot from "uplot";
import type { Priority } from "../design/priority.tsx";
import type { Gap } from "./series.ts";

export type LimitLines = { low: number | null; high: number | null; critical_low: number | null; critical_high: number | null };
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

/** Between the limits is where the value should be. */
export function paintBand(u: uPlot, { low, high }: LimitLines): void {
  if (low === null && high === null) return;
  inside(u, (ctx) => {
    const { left, top, width, height } = u.bbox;
    const upper = high === null ? top : Math.max(top, u.valToPos(high, "y", true));
    const lower = low === null ? top + height : Math.min(top + height, u.valToPos(low, "y", true));
    ctx.fillStyle = color(u, "band");
    if (lower > upper) ctx.fillRect(left, upper, width, lower - upper);
  });
}

export function paintLimits(u: uPlot, limits: LimitLines): void {
  inside(u, (ctx) => {
    const { left, width } = u.bbox;
    const line = (value: number | null, dash: number[], token: string) => {
      if (value === null) return;
      const y = Math.round(u.valToPos(value, "y", true)) + 0.5;
      ctx.strokeStyle = color(u, token);
      ctx.lineWidth = pixels(u, 1);
      ctx.setLineDash(dash.map((n) => pixels(u, n)));
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    };
    line(limits.low, [6, 4], "muted");
    line(limits.high, [6, 4], "muted");
    line(limits.critical_low, [2, 3], "high");
    line(limits.critical_high, [2, 3], "high");
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
