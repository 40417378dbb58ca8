// The bounded cache: never exceeds its bound, and keeps recently used entries.
import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/platform/bounded-cache.ts";

describe("a bounded cache", () => {
  it("drops the entry that was used longest ago, and never holds more than its bound", () => {
    const cache = new BoundedCache<string, number>(3);
    for (const [i, key] of ["a", "b", "c"].entries()) cache.set(key, i);
    expect(cache.get("a")).toBe(0);
    cache.set("d", 3);
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.get("d")]).toEqual([0, undefined, 2, 3]);
    for (let i = 0; i < 1000; i++) cache.set(`x${i}`, i);
    expect(cache.size).toBe(3);
    expect(cache.get("x999")).toBe(999);
  });

  it("replaces an entry without dropping another, and deletes", () => {
    const cache = new BoundedCache<string, number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    cache.set("a", 3);
    expect([cache.get("a"), cache.get("b"), cache.size]).toEqual([3, 2, 2]);
    cache.delete("a");
    expect([cache.get("a"), cache.size]).toEqual([undefined, 1]);
  });

  it("bounds the sum of weights, and takes no entry that is heavier alone", () => {
    const cache = new BoundedCache<string, string>(10, (text) => text.length);
    cache.set("a", "xxxx");
    cache.set("b", "xxxx");
    cache.set("c", "xxxxxx");
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.weight]).toEqual([undefined, "xxxx", "xxxxxx", 10]);
    cache.set("c", "x".repeat(11));
    expect([cache.get("c"), cache.size, cache.weight]).toEqual([undefined, 1, 4]);
    cache.delete("b");
    cache.set("d", "x");
    cache.clear();
    expect([cache.size, cache.weight]).toEqual([0, 0]);
  });
});
