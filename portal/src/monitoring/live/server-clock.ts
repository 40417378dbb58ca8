// What time it is at the server. A PC's clock may be an hour off or be set while we look, so none of it counts: only how much
// time has passed (performance.now) since the server told its own.

let offsetMs: number | null = null;

/** A time of the server that arrived just now. It was later at the server by then, so the greatest difference is the best. */
export function syncServerClock(serverTime: number): void {
  const difference = serverTime - performance.now();
  if (offsetMs === null || difference > offsetMs) offsetMs = difference;
}

/** After a sleep the page's own clock may have stood still: begin anew with the next frame. */
export function resetServerClock(): void {
  offsetMs = null;
}

/** Epoch milliseconds of the server. The PC's clock stands in until it has told anything. */
export const serverNow = (): number => (offsetMs === null ? Date.now() : offsetMs + performance.now());
