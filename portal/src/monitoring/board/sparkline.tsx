// Six-hour sparkline, decorative: the change beside it is the text. Renders when its points change, every five minutes.
import { memo } from "react";
import { findUsualRange } from "../vitals/chart-catalogue.ts";
import classes from "./cells.module.css";
import { POINT_COUNT, type TrendHistory, toLineSegments } from "./trend-history.ts";

const HEIGHT = 26;
export const Sparkline = memo(function Sparkline({ history, code }: { history: TrendHistory; code: string }) {
  // The range of the vital's chart, so that lines of all patients compare; widened only by what was measured.
  const [low, high] = findUsualRange(code) ?? [0, 100];
  const segments = toLineSegments(history, { low, high }, HEIGHT);
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
