// When a set that waits is sent, asked about or refused, and how often it is tried.
import { expect, it } from "vitest";
import {
  ASK_AFTER_MS,
  getWaitingState,
  judgeFailure,
  readServerScore,
  retryDelayMs,
  type WaitingSet,
  type WaitingState,
} from "../../portal/src/monitoring/observation-set/waiting-set.ts";

const MEASURED = Date.parse("2026-11-29T10:00:00Z");
const SET: WaitingSet = {
  id: "s1",
  owner: "nurse",
  hospitalId: "h1",
  patientId: "p1",
  body: { effective_at: new Date(MEASURED).toISOString(), samples: [], spo2_scale: 1, confirmed_score: null },
  refusal: null,
};
const REFUSED: WaitingSet = {
  ...SET,
  refusal: { status: 409, code: "conflict", message: "", errorId: null, serverScore: { score: 7, risk: "high" } },
};

it.each<[string, WaitingSet, number, string | null, WaitingState]>([
  ["just entered", SET, 0, "h1", "waiting"],
  ["just before twelve hours", SET, ASK_AFTER_MS - 1, "h1", "waiting"],
  ["after twelve hours", SET, ASK_AFTER_MS, "h1", "ask"],
  ["with a clock a day behind", SET, -2 * ASK_AFTER_MS, "h1", "ask"],
  ["while its owner acts for another hospital", SET, 0, "h2", "other_hospital"],
  ["refused, and old as well", REFUSED, ASK_AFTER_MS, "h2", "refused"],
])("%s", (_, set, after, hospital, expected) => {
  expect(getWaitingState(set, MEASURED + after, hospital)).toBe(expected);
});

it("is tried again only where nothing was decided", () => {
  const verdicts = (statuses: number[]) => statuses.map((status) => judgeFailure(status));
  expect(new Set(verdicts([0, 408, 429, 500, 502, 503, 504]))).toEqual(new Set(["wait"]));
  expect(verdicts([401])).toEqual(["sign_in"]);
  expect(judgeFailure(403, "enrolment_required")).toBe("sign_in");
  expect(new Set(verdicts([400, 403, 404, 409, 410, 412, 413, 422]))).toEqual(new Set(["refused"]));
});

it("waits longer after each failure, up to five minutes and a quarter", () => {
  const delays = [1, 2, 3, 4, 8, 9, 50, 2000].map((failures) => retryDelayMs(failures, 0.5) / 1000);
  expect(delays).toEqual([2, 4, 8, 16, 256, 300, 300, 300]);
  expect([retryDelayMs(9, 0), retryDelayMs(9, 1)]).toEqual([225_000, 375_000]);
});

it.each<[string, unknown, unknown]>([
  ["the score of the service", { score: 7, risk: "high", parts: { spo2: 3 } }, { score: 7, risk: "high" }],
  ["none where NEWS2 does not apply", null, null],
  ["none of another problem", undefined, null],
  ["none that cannot be read", { score: "7", risk: "high" }, null],
])("reads %s", (_, score, expected) => {
  expect(readServerScore({ members: { score } })).toEqual(expected);
});
