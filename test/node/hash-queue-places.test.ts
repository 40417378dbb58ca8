// Places of the hash queue with the numbers of production; the worker tests run it with others.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HashCaller, withHashSlot } from "../../src/accounts/passwords/hash-queue.ts";
import { ApiError } from "../../src/platform/errors.ts";

let release: () => void = () => {};
let gate = new Promise<void>(() => {});
const running: Promise<void>[] = [];
let callers = 0;

/** Asks for places that are kept until the end of the test. @returns how many were given */
async function ask(kind: HashCaller["kind"], count: number, key?: string): Promise<number> {
  let refused = 0;
  for (let n = 0; n < count; n++) {
    const place = withHashSlot({ kind, key: key ?? `${kind}:${callers++}` }, () => gate);
    running.push(
      place.catch((error: unknown) => {
        expect(error).toBeInstanceOf(ApiError);
        expect(error).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
        refused += 1;
      }),
    );
  }
  await new Promise((resolve) => setTimeout(resolve));
  return count - refused;
}

beforeEach(() => {
  gate = new Promise((resolve) => {
    release = resolve;
  });
});
afterEach(async () => {
  release();
  await Promise.all(running.splice(0));
});

describe("the hash queue of an isolate", () => {
  it("has 16 places, of which staff alone can take all", async () => {
    expect(await ask("staff", 20)).toBe(16);
    expect(await ask("unknown", 1)).toBe(0);
  });

  it("keeps three for staff and three for known callers when unknown ones flood it", async () => {
    expect(await ask("unknown", 30)).toBe(10);
    expect(await ask("known", 30)).toBe(3);
    expect(await ask("staff", 30)).toBe(3);
  });

  it("keeps seven for unknown callers when known ones flood it", async () => {
    expect(await ask("known", 30)).toBe(6);
    expect(await ask("unknown", 30)).toBe(7);
    expect(await ask("staff", 30)).toBe(3);
  });

  it("gives one caller four", async () => {
    expect(await ask("staff", 10, "user:one")).toBe(4);
    expect(await ask("staff", 1)).toBe(1);
  });
});
