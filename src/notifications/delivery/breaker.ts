// Skips a destination that does not answer, so that it uses no connection and no time of the others.

const MAX_TIMEOUTS = 2;
export const OPEN_MS = 10_000;
/** While it may still answer: short, so that an alarm by a provider that is only slow leaves within its five seconds. */
export const SLOW_MS = 2_000;
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

  /** An attempt is under way for long; `recordAnswer` or `recordTimeout` follows. */
  recordSlow(destination: string, now: number): void {
    this.#record(destination, this.#countOf(destination) + 1, now + SLOW_MS);
  }

  /** @param wasSlow whether `recordSlow` has counted the attempt */
  recordTimeout(destination: string, now: number, wasSlow = false): void {
    this.#record(destination, this.#countOf(destination) + (wasSlow ? 0 : 1), now + OPEN_MS);
  }

  #countOf(destination: string): number {
    return this.#states.get(destination)?.timeouts ?? 0;
  }

  #record(destination: string, timeouts: number, pauseUntil: number): void {
    this.#states.delete(destination);
    // One more timeout after the pause opens it again.
    this.#states.set(destination, { timeouts, openUntil: timeouts >= MAX_TIMEOUTS ? pauseUntil : 0 });
    const [oldest] = this.#states.keys();
    if (this.#states.size > MAX_DESTINATIONS && oldest !== undefined) this.#states.delete(oldest);
  }
}
