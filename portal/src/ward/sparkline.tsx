// Six hours as a line, for the eye; the change beside it is the text. It is drawn anew when its points are, every five minutes.
import { memo } from "react";
import { CODES } from "../alarms/vital-codes.ts";
import classes from "./cells.module.css";
import { type History, POINTS, piecesOf } from "./history.ts";

const HEIGHT = 26;
/** So that a line looks the same at every patient: ordinary values, widened only by what was measured. */
const RANGES: Readonly<Record<string, { low: number; high: number }>> = {
  [CODES.heart_rate]: { low: 40, high: 140 },
  [CODES.respiratory_rate]: { low: 5, high: 35 },
  [CODES.spo2]: { low: 84, high: 100 },
  [CODES.systolic]: { low: 70, high: 190 },
  [CODES.temperature]: { low: 35, high: 40 },
};

export const Sparkline = memo(function Sparkline({ history, code }: { history: History; code: string }) {
  const pieces = piecesOf(history, RANGES[code] ?? { low: 0, high: 100 }, HEIGHT);
  return (
    <svg className={classes.spark} viewBox={`0 0 ${POINTS} ${HEIGHT}`} width={POINTS} height={HEIGHT} aria-hidden="true">
      {pieces.map((piece) => {
        const [start] = piece;
        if (!start) return null;
        return piece.length === 1 ? (
          <circle key={start.x} cx={start.x} cy={start.y} r={1} />
        ) : (
          <polyline key={start.x} points={piece.map(({ x, y }) => `${x},${y}`).join(" ")} />
        );
      })}
    </svg>
  );
});
