// Renewals in any order of lost responses, and with a thief: the session, and two rules that fail where it does not.
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { API, newHospital, newPerson, readJson, sendRequest } from "../world.ts";

let hospitalId: string;
beforeAll(async () => {
  hospitalId = await newHospital();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A session: renews a token at a time; null when it is refused. */
type Session = { first: string; renew: (token: string, at: number) => Promise<string | null> };

async function openSession(): Promise<Session> {
  const { refresh } = await newPerson("nurse", hospitalId);
  const start = Date.now();
  const renew = async (refreshToken: string, at: number) => {
    vi.setSystemTime(start + at);
    const response = await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: refreshToken } });
    expect([200, 401]).toContain(response.status);
    return response.status === 200 ? (await readJson(response)).data.refresh_token : null;
  };
  return { first: refresh, renew };
}

/** A known-bad twin: accepts the previous token within `grace`, with the same successor. */
function openTwin(grace: number): Promise<Session> {
  let [generation, rotatedAt, hasEnded] = [1, 0, false];
  const renew = async (token: string, at: number) => {
    if (!hasEnded && Number(token) === generation) {
      generation++;
      rotatedAt = at;
    } else if (Number(token) !== generation - 1 || at - rotatedAt >= grace) hasEnded = true;
    return hasEnded ? null : String(generation);
  };
  return Promise.resolve({ first: "1", renew });
}
const openTenSecondTwin = () => openTwin(10_000);
const openForgivingTwin = () => openTwin(Number.POSITIVE_INFINITY);

const gap = fc.oneof(fc.nat(9_999), fc.integer({ min: 10_000, max: 60_000 }), fc.integer({ min: 60_000, max: 7_200_000 }));
const attempts = fc.array(fc.record({ gap, arrives: fc.boolean(), tabs: fc.constantFrom(1, 1, 2) }), {
  minLength: 1,
  maxLength: 12,
});

/** A client that stores what arrives and tries again with what it has. @returns false when a renewal is refused */
async function survives(open: () => Promise<Session>, plan: { gap: number; arrives: boolean; tabs: number }[]): Promise<boolean> {
  const { first, renew } = await open();
  let [held, at] = [first, 0];
  for (const { gap: wait, arrives, tabs } of [...plan, { gap: 15_000, arrives: true, tabs: 1 }]) {
    at += wait;
    const replies = await Promise.all(Array.from({ length: tabs }, () => renew(held, at)));
    if (replies.includes(null)) return false;
    const [reply] = replies;
    if (arrives && reply) held = reply;
  }
  return true;
}

/**
 * A thief copies what the client holds after `copiedAfter` renewals, and both renew in turn, more than ten seconds apart.
 * @returns whether both are refused in the end
 */
async function endsForBoth(open: () => Promise<Session>, plan: { copiedAfter: number; turns: boolean[] }): Promise<boolean> {
  const { first, renew } = await open();
  let at = 0;
  const held: (string | null)[] = [first, null];
  for (let i = 0; i < plan.copiedAfter; i++) {
    at += 900_000;
    held[0] = await renew(held[0] ?? "", at);
  }
  held[1] = held[0] ?? null;
  // Whoever begins, each has a turn after the other's.
  for (const isThief of [...plan.turns, true, false, true, false]) {
    at += 60_000;
    const who = isThief ? 1 : 0;
    if (held[who]) held[who] = await renew(held[who], at);
  }
  return held.every((token) => token === null);
}
const thefts = fc.record({ copiedAfter: fc.nat(3), turns: fc.array(fc.boolean(), { maxLength: 6 }) });

const firstFailure = async <T>(arbitrary: fc.Arbitrary<T>, holds: (plan: T) => Promise<boolean>) =>
  (await fc.check(fc.asyncProperty(arbitrary, holds), { numRuns: 60 })).failed;

describe("renewals", () => {
  it("survive any order of lost responses and of two tabs", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await fc.assert(
      fc.asyncProperty(attempts, (plan) => survives(openSession, plan)),
      { numRuns: 12 },
    );
    expect(await firstFailure(attempts, (plan) => survives(openTenSecondTwin, plan))).toBe(true);
  });

  it("with a stolen token end for both, whoever renews first", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await fc.assert(
      fc.asyncProperty(thefts, (plan) => endsForBoth(openSession, plan)),
      { numRuns: 12 },
    );
    expect(await firstFailure(thefts, (plan) => endsForBoth(openForgivingTwin, plan))).toBe(true);
  });
});
