// What time it is at the server. A PC's clock may be an hour off or be set while we look, so none of it counts: only how much
// time has passed (performance.now) since the server told its own.

let ahead: number | null = null;

/** A time of the server that arrived just now. It was later at the server by then, so the greatest difference is the best. */
export function heard(serverTime: number): void {
  const difference = serverTime - performance.now();
  if (ahead === null || difference > ahead) ahead = difference;
}

/** After a sleep the page's own clock may have stood still: begin anew with the next frame. */
export function doubt(): void {
  ahead = null;
}

/** Epoch milliseconds of the server. The PC's clock stands in until it has told anything. */
export const serverNow = (): number => (ahead === null ? Date.now() : ahead + performance.now());
