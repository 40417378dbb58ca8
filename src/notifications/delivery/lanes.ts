// Runs deliveries side by side: few per destination, so that one that hangs leaves connections to the others.

/** An invocation has six connections. Source: https://developers.cloudflare.com/workers/platform/limits/ */
const MAX_AT_ONCE = 6;
const MAX_PER_DESTINATION = 2;

/** Lets at most `count` holders in at once, in the order in which they asked. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/**
 * Runs `work` for each item, at most six at once and two per destination, in the order of the items per destination.
 * `work` must not throw.
 */
export async function runInLanes<T>(
  items: readonly T[],
  destinationOf: (item: T) => string,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const slots = new Slots(MAX_AT_ONCE);
  const queues = Map.groupBy(items, destinationOf);
  const runLane = async (queue: T[]): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const current = item;
      await slots.run(() => work(current));
    }
  };
  const lanes = [...queues.values()].flatMap((queue) => Array.from({ length: MAX_PER_DESTINATION }, () => runLane(queue)));
  await Promise.all(lanes);
}
