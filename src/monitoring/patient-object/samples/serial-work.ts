// Runs asynchronous work one after the other: an object takes further calls while it waits for a store.

export class SerialWork {
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;

  /** Whether work is running or waits. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** Runs the work when all earlier work has ended, however it ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    const result = this.#last.then(work, work).finally(() => this.#running--);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
