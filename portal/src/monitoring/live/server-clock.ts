// Server time estimate. A PC's clock may be wrong or change, so only elapsed time (performance.now) since
// a server timestamp counts.

let offsetMs: number | null = null;

/** Records a server timestamp received just now. Delivery takes time, so the greatest difference is the most accurate. */
export function syncServerClock(serverTime: number): void {
  const difference = serverTime - performance.now();
  if (offsetMs === null || difference > offsetMs) offsetMs = difference;
}

/** After sleep performance.now may have paused: restart the estimate with the next frame. */
export function resetServerClock(): void {
  offsetMs = null;
}

/** Server time, epoch milliseconds; the PC's clock until the first timestamp. */
export const serverNow = (): number => (offsetMs === null ? Date.now() : offsetMs + performance.now());
