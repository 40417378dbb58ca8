// Runs deliveries side by side: few per destination, so that one that hangs leaves connections to the others.

/** An invocation has six connections. Source: https://developers.cloudflare.com/workers/platform/limits/ */
export const MAX_AT_ONCE = 6;
/** Of a destination that has not answered in this run, and of one that has. */
export const MAX_PER_DESTINATION = { silent: 2, answering: 4 } as const;

/** `work` must not throw. @returns whether the destination answered; undefined: it was not asked */
export type LaneWork<T> = (item: T) => Promise<boolean | undefined>;
type Entry<T> = { item: T; done: () => void };
type Lane<T> = { queue: Entry<T>[]; active: number; limit: number };

/** Runs the work of each item, at most MAX_AT_ONCE at once, in the order of the items per destination. */
export class Lanes<T> {
  readonly #destinationOf: (item: T) => string;
  readonly #work: LaneWork<T>;
  readonly #lanes = new Map<string, Lane<T>>();
  #active = 0;

  constructor(destinationOf: (item: T) => string, work: LaneWork<T>) {
    this.#destinationOf = destinationOf;
    this.#work = work;
  }

  /** Adds items behind those that are under way or wait. @returns when the work of these items has ended */
  async run(items: readonly T[]): Promise<void> {
    const ended = items.map((item) => {
      const lane = this.#laneOf(this.#destinationOf(item));
      return new Promise<void>((done) => lane.queue.push({ item, done }));
    });
    this.#startNext();
    await Promise.all(ended);
  }

  #laneOf(destination: string): Lane<T> {
    const lane = this.#lanes.get(destination) ?? { queue: [], active: 0, limit: MAX_PER_DESTINATION.silent };
    this.#lanes.set(destination, lane);
    return lane;
  }

  /** Starts what may start, one item per destination in turn: none takes all connections. */
  #startNext(): void {
    for (const [destination, lane] of this.#lanes) {
      if (this.#active >= MAX_AT_ONCE) return;
      const entry = lane.active < lane.limit ? lane.queue.shift() : undefined;
      if (!entry) continue;
      // To the end, where the iteration comes to it again.
      this.#lanes.delete(destination);
      this.#lanes.set(destination, lane);
      void this.#start(lane, entry);
    }
  }

  async #start(lane: Lane<T>, { item, done }: Entry<T>): Promise<void> {
    lane.active += 1;
    this.#active += 1;
    const hasAnswered = await this.#work(item);
    if (hasAnswered !== undefined) lane.limit = hasAnswered ? MAX_PER_DESTINATION.answering : MAX_PER_DESTINATION.silent;
    lane.active -= 1;
    this.#active -= 1;
    done();
    this.#startNext();
  }
}
