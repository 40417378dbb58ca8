// A timer for the pauses of a stream, such as those between the chunks of a body.

/** Ends each of many waits that takes too long. One timer of the platform serves all waits that are over in time. */
export class IdleTimer {
  readonly #limitMs: number;
  readonly #toError: () => Error;
  #expiry = Promise.withResolvers<never>();
  #waitingSince: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limitMs: number, toError: () => Error) {
    this.#limitMs = limitMs;
    this.#toError = toError;
  }

  /** Begins a wait. @returns a promise of this wait alone: one that outlives it would hold every chunk raced against it */
  start(): Promise<never> {
    this.#expiry = Promise.withResolvers<never>();
    this.#waitingSince = Date.now();
    this.#timer ??= this.#checkIn(this.#limitMs);
    return this.#expiry.promise;
  }

  stop(): void {
    this.#waitingSince = null;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #checkIn(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#check(), ms);
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#waitingSince === null) return;
    const remaining = this.#waitingSince + this.#limitMs - Date.now();
    if (remaining <= 0) this.#expiry.reject(this.#toError());
    else this.#timer = this.#checkIn(remaining);
  }
}
