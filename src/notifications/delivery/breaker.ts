// Skips a destination that does not answer, so that it uses no connection and no time of the others.

const MAX_TIMEOUTS = 2;
export const OPEN_MS = 10_000;
/** Destinations that are remembered; the oldest is forgotten. */
const MAX_DESTINATIONS = 1_000;

type State = { timeouts: number; openUntil: number };

/** Counts timeouts in a row per destination, in the memory of an isolate. Times are epoch milliseconds. */
export class Breaker {
  readonly #states = new Map<string, State>();

  /** When the destination may be tried again; 0: now. */
  openUntil(destination: string, now: number): number {
    const until = this.#states.get(destination)?.openUntil ?? 0;
    return until > now ? until : 0;
  }

  recordAnswer(destination: string): void {
    this.#states.delete(destination);
  }

  recordTimeout(destination: string, now: number): void {
    const timeouts = (this.#states.get(destination)?.timeouts ?? 0) + 1;
    this.#states.delete(destination);
    // One more timeout after the pause opens it again.
    this.#states.set(destination, { timeouts, openUntil: timeouts >= MAX_TIMEOUTS ? now + OPEN_MS : 0 });
    const [oldest] = this.#states.keys();
    if (this.#states.size > MAX_DESTINATIONS && oldest !== undefined) this.#states.delete(oldest);
  }
}
