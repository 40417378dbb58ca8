// A bounded map that evicts the least recently used entries.
export class BoundedCache<K, V extends NonNullable<unknown>> {
  readonly #max: number;
  readonly #weigh: (value: V) => number;
  readonly #entries = new Map<K, V>();
  #weight = 0;

  /** @param max bound of the sum of all weights  @param weigh of an entry, which must not change; by default each weighs 1 */
  constructor(max: number, weigh: (value: V) => number = () => 1) {
    this.#max = max;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  get weight(): number {
    return this.#weight;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    // A Map keeps insertion order: a used entry moves to the end.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** An entry heavier than the bound is not stored. */
  set(key: K, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    if (weight > this.#max) return;
    for (const [oldest] of this.#entries) {
      if (this.#weight + weight <= this.#max) break;
      this.delete(oldest);
    }
    this.#entries.set(key, value);
    this.#weight += weight;
  }

  delete(key: K): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
