// Six hours of one vital in points of five minutes, and which way they go. Nothing here needs a browser.

const POINT_MS = 300_000;
export const POINTS = 72;
export const SPAN_MS = POINT_MS * POINTS;

/** Means of each five minutes, oldest first; null where nothing was measured. */
export type History = readonly (number | null)[];

/** @param from when the first point begins, epoch milliseconds */
export function historyOf(buckets: readonly { from: string; mean: number }[], from: number): History {
  const points: (number | null)[] = new Array(POINTS).fill(null);
  for (const bucket of buckets) {
    const index = Math.floor((Date.parse(bucket.from) - from) / POINT_MS + 0.01);
    if (index >= 0 && index < POINTS) points[index] = bucket.mean;
  }
  return points;
}

/** How much it rose or fell over what is known of the six hours; null where there are not two points. */
export function changeOf(history: History): number | null {
  const known = history.filter((point) => point !== null);
  const [first, last] = [known[0], known.at(-1)];
  return known.length < 2 || first === undefined || last === undefined ? null : last - first;
}

/** Unbroken pieces of the line as points of a drawing; a gap is never bridged. */
export function piecesOf(
  history: History,
  { low, high }: { low: number; high: number },
  height: number,
): { x: number; y: number }[][] {
  const known = history.filter((point) => point !== null);
  const bottom = Math.min(low, ...known);
  const top = Math.max(high, ...known);
  const pieces: { x: number; y: number }[][] = [];
  for (const [x, point] of history.entries()) {
    if (point === null) continue;
    const y = Math.round((1 - (point - bottom) / (top - bottom)) * (height - 2) * 10) / 10 + 1;
    const piece = history[x - 1] == null ? undefined : pieces.at(-1);
    if (piece) piece.push({ x, y });
    else pieces.push([{ x, y }]);
  }
  return pieces;
}
