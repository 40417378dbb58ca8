// Six-hour sparkline, decorative: the change beside it is the text. Renders when its points change, every five minutes.
import { memo } from "react";
import { CODES } from "../alerts/vital-codes.ts";
import classes from "./cells.module.css";
import { POINT_COUNT, type TrendHistory, toLineSegments } from "./trend-history.ts";

const HEIGHT = 26;
/** Fixed range, so that lines are comparable between patients; widened only by measured values. */
const RANGES: Readonly<Record<string, { low: number; high: number }>> = {
  [CODES.heart_rate]: { low: 40, high: 140 },
  [CODES.respiratory_rate]: { low: 5, high: 35 },
  [CODES.spo2]: { low: 84, high: 100 },
  [CODES.systolic]: { low: 70, high: 190 },
  [CODES.temperature]: { low: 35, high: 40 },
};

export const Sparkline = memo(function Sparkline({ history, code }: { history: TrendHistory; code: string }) {
  const segments = toLineSegments(history, RANGES[code] ?? { low: 0, high: 100 }, HEIGHT);
  return (
    <svg
      className={classes.spark}
      viewBox={`0 0 ${POINT_COUNT} ${HEIGHT}`}
      width={POINT_COUNT}
      height={HEIGHT}
      aria-hidden="true"
    >
      {segments.map((segment) => {
        const [start] = segment;
        if (!start) return null;
        return segment.length === 1 ? (
          <circle key={start.x} cx={start.x} cy={start.y} r={1} />
        ) : (
          <polyline key={start.x} points={segment.map(({ x, y }) => `${x},${y}`).join(" ")} />
        );
      })}
    </svg>
  );
});
