// Runs asynchronous work one after the other: an object takes further calls while it waits for a store.

export class SerialWork {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the work when all earlier work has ended, however it ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
