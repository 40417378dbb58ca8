// One back-off for all reads of the portal: as long as the service says, one request first, and no more than that.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  endBackOff,
  getBackOff,
  getWaitMs,
  isTemporary,
  noteReachable,
  sendRead,
} from "../../portal/src/platform/api/back-off.ts";
import { Problem } from "../../portal/src/platform/api/problem.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  endBackOff();
  vi.useRealTimers();
});

const answer = (status: number, retryAfter?: string) => async () =>
  new Response(null, { status, headers: retryAfter === undefined ? {} : { "Retry-After": retryAfter } });
const read = (send: () => Promise<Response>) => sendRead(send, undefined);
/** Sends a read that must not reach the network. */
async function refusedLocally(): Promise<unknown> {
  let sent = 0;
  const error = await read(async () => {
    sent++;
    return new Response();
  }).catch((cause: unknown) => cause);
  expect(sent).toBe(0);
  return error;
}

describe("a read that is refused for its rate", () => {
  it("holds all reads until the time that the service says", async () => {
    expect((await read(answer(429, "30"))).status).toBe(429);
    expect(getBackOff()).toMatchObject({ code: "rate_limited" });
    expect(getWaitMs()).toBeGreaterThanOrEqual(30_000);
    expect(await refusedLocally()).toMatchObject({ status: 429, code: "rate_limited" });
    vi.advanceTimersByTime(29_000);
    expect(isTemporary(await refusedLocally())).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect((await read(answer(200))).status).toBe(200);
    expect(getBackOff()).toBeNull();
  });

  it("is tried again by one read; the others wait for what comes of it", async () => {
    await read(answer(429, "1"));
    const since = getBackOff()?.since;
    vi.advanceTimersByTime(2_000);
    let release: (response: Response) => void = () => undefined;
    const first = read(() => new Promise<Response>((resolve) => (release = resolve)));
    let sent = 0;
    const send = async () => {
      sent++;
      return new Response();
    };
    const others = [1, 2, 3].map(() => read(send).catch((cause: unknown) => cause));
    await Promise.resolve();
    expect(sent).toBe(0);
    release(new Response(null, { status: 429, headers: { "Retry-After": "60" } }));
    await first;
    for (const outcome of await Promise.all(others)) expect(isTemporary(outcome)).toBe(true);
    expect(sent).toBe(0);
    // The screen is old since the first refusal.
    expect(getBackOff()?.since).toBe(since);
    vi.advanceTimersByTime(61_000);
    await read(answer(200));
    await Promise.all([1, 2, 3].map(() => read(send)));
    expect(sent).toBe(3);
  });

  it("without a time waits longer each time, and with a nonsensical one too", async () => {
    const waits: number[] = [];
    for (const retryAfter of [undefined, "soon", "-1", undefined, "0", undefined]) {
      await read(answer(429, retryAfter));
      waits.push(getWaitMs());
      vi.advanceTimersByTime(getWaitMs() + 1);
    }
    expect(waits[0]).toBeLessThan(2_000);
    expect(waits[2]).toBeGreaterThan(waits[0] ?? 0);
    expect(Math.max(...waits)).toBeLessThan(9_000);
    await read(answer(429, "999999"));
    expect(getWaitMs()).toBeLessThan(301_000);
  });
});

describe("a read that nothing answers", () => {
  const fail = () => Promise.reject(new TypeError("Failed to fetch"));

  it("holds all reads, until something else is answered", async () => {
    await expect(read(fail)).rejects.toThrow(TypeError);
    expect(await refusedLocally()).toMatchObject({ status: 0, code: "unreachable" });
    noteReachable();
    expect((await read(answer(200))).status).toBe(200);
    expect(getBackOff()).toBeNull();
  });

  it("holds none when its caller has given it up", async () => {
    await expect(sendRead(fail, AbortSignal.abort())).rejects.toThrow(TypeError);
    expect(getBackOff()).toBeNull();
  });
});

it("other refusals hold nothing", async () => {
  for (const status of [401, 403, 404, 500, 503]) {
    expect((await read(answer(status))).status).toBe(status);
    expect(getBackOff()).toBeNull();
  }
  expect(isTemporary(new Problem(503, "unavailable", "", null))).toBe(false);
});
