// Pure functions for six hours of one vital sign in five-minute points.

/** Points of a history: five minutes each. */
export const POINT_COUNT = 72;

/** Five-minute means, oldest first; null when nothing was measured. */
export type TrendHistory = readonly (number | null)[];

/** Change over the known part of the six hours; null with fewer than two points. */
export function getTrendChange(history: TrendHistory): number | null {
  const measured = history.filter((point) => point !== null);
  const [first, last] = [measured[0], measured.at(-1)];
  return measured.length < 2 || first === undefined || last === undefined ? null : last - first;
}

/** Continuous line segments in drawing coordinates; gaps are never bridged. */
export function toLineSegments(
  history: TrendHistory,
  { low, high }: { low: number; high: number },
  height: number,
): { x: number; y: number }[][] {
  const measured = history.filter((point) => point !== null);
  const bottom = Math.min(low, ...measured);
  const top = Math.max(high, ...measured);
  const segments: { x: number; y: number }[][] = [];
  for (const [x, point] of history.entries()) {
    if (point === null) continue;
    const y = Math.round((1 - (point - bottom) / (top - bottom)) * (height - 2) * 10) / 10 + 1;
    const segment = history[x - 1] == null ? undefined : segments.at(-1);
    if (segment) segment.push({ x, y });
    else segments.push([{ x, y }]);
  }
  return segments;
}
