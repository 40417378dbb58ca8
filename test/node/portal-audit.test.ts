// The portal's audit log: verification of a whole log part by part, reading on in lists with short pages, and reasons in words.
import { describe, expect, it } from "vitest";

import { addPart, type LogCheck, type Verification, verifyLog } from "../../portal/src/audit/verification.ts";
import { accessReasonKeys, groupAccessEvents, type LoggedAccess } from "../../portal/src/patients/own-record/access-log.ts";
import { Problem } from "../../portal/src/platform/api/problem.ts";
import { readStreamedFile } from "../../portal/src/platform/api/streamed-file.ts";
import { needsAnotherPage } from "../../portal/src/platform/design/older-pages.ts";
import { readCatalogues } from "../../scripts/portal-messages.mjs";
import { PROBLEM_KINDS } from "../../verifier/source.ts";

const PART: LogCheck = {
  hospital_id: null,
  is_intact: true,
  problem: null,
  checked: { events: 100, segments: 2, checkpoints: 2, first_seq: 0, end_seq: 100, open_events: 7 },
  pruned_up_to: null,
  next_cursor: "second",
};
const SECOND: LogCheck = {
  ...PART,
  checked: { events: 50, segments: 1, checkpoints: 1, first_seq: 100, end_seq: 150, open_events: 9 },
  pruned_up_to: 40,
  next_cursor: null,
};
const BAD: LogCheck = { ...SECOND, is_intact: false, problem: { seq: 120, kind: "edited", detail: "leaf hash" } };

/** Gives the answers in order: an error is thrown. */
function runVerification(answers: (LogCheck | Error)[], cancel = new AbortController()) {
  const cursors: (string | null)[] = [];
  const progress: Verification[] = [];
  const waits: number[] = [];
  const done = verifyLog({
    readPart: async (cursor) => {
      cursors.push(cursor);
      const answer = answers[cursors.length - 1];
      if (answer instanceof Error || answer === undefined) throw answer ?? new Error("asked too often");
      return answer;
    },
    signal: cancel.signal,
    onProgress: (verification) => progress.push(verification),
    wait: async (ms) => void waits.push(ms),
  });
  return { done, cursors, progress, waits };
}

describe("a verification", () => {
  it("reads to the end and adds up what was checked", async () => {
    const { done, cursors, progress } = runVerification([PART, SECOND]);
    expect(await done).toEqual({
      state: "passed",
      checked: { events: 150, segments: 3, checkpoints: 3, first_seq: 0, end_seq: 150, open_events: 16 },
      prunedUpTo: 40,
      problem: null,
    });
    expect(cursors).toEqual([null, "second"]);
    expect(progress.map(({ state }) => state)).toEqual(["running", "passed"]);
  });

  it("ends at the first problem, with what was checked until then", async () => {
    const { done, cursors } = runVerification([{ ...BAD, next_cursor: "third" }, SECOND]);
    expect(await done).toMatchObject({ state: "problem", problem: { seq: 120, kind: "edited" } });
    expect(cursors).toHaveLength(1);
  });

  it("never passes a part that is not intact, even without a named problem", () => {
    expect(addPart(null, { ...SECOND, is_intact: false })).toMatchObject({ state: "problem", problem: { seq: null } });
  });

  it("waits as long as a busy service asks, and goes on where it was", async () => {
    const busy = new Problem(429, "rate_limited", "", null, [], {}, 3_000);
    const { done, cursors, waits } = runVerification([PART, busy, SECOND]);
    expect(await done).toMatchObject({ state: "passed" });
    expect(cursors).toEqual([null, "second", "second"]);
    expect(waits).toEqual([expect.any(Number)]);
    expect(waits[0]).toBeGreaterThanOrEqual(3_000);
  });

  it("gives up on a service that stays busy, and at once on a refusal", async () => {
    const busy = new Problem(429, "rate_limited", "", null);
    await expect(runVerification(Array.from({ length: 20 }, () => busy)).done).rejects.toBe(busy);
    const refusal = new Problem(403, "forbidden", "", null);
    const { done, waits } = runVerification([refusal]);
    await expect(done).rejects.toBe(refusal);
    expect(waits).toEqual([]);
  });

  it("ends when it is cancelled, and does not follow a cursor that stands still", async () => {
    const cancel = new AbortController();
    cancel.abort();
    await expect(runVerification([PART, SECOND], cancel).done).rejects.toThrow();
    await expect(runVerification([PART, PART, PART]).done).rejects.toMatchObject({ code: "unexpected" });
  });
});

it("has words for each kind of problem", async () => {
  const { en } = (await readCatalogues())["audit/messages.ts"];
  for (const kind of PROBLEM_KINDS) expect(en[`audit.problem.${kind}`]).toBeTypeOf("string");
});

it("reads further pages while little is shown, up to a number of pages", () => {
  const goal = { pages: 5, shown: 10 };
  expect(needsAnotherPage(1, 0, goal)).toBe(true);
  expect(needsAnotherPage(4, 9, goal)).toBe(true);
  expect(needsAnotherPage(5, 0, goal)).toBe(false);
  expect(needsAnotherPage(1, 10, goal)).toBe(false);
  expect(needsAnotherPage(0, 0, goal)).toBe(false);
});

describe("a streamed file", () => {
  const encode = (text: string) => new Uint8Array(new TextEncoder().encode(text));
  const send = (body: ReadableStream<Uint8Array<ArrayBuffer>>) => async () =>
    new Response(body, { headers: { "Content-Type": "text/csv" } });

  it("is whole, of the type that the service names", async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const text of ["a,b\r\n", "1,2\r\n"]) controller.enqueue(encode(text));
        controller.close();
      },
    });
    const file = await readStreamedFile(send(body), new AbortController().signal);
    expect([await file.text(), file.type]).toEqual(["a,b\r\n1,2\r\n", "text/csv"]);
  });

  it("is none when it breaks off", async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (sent++ === 0) controller.enqueue(encode("a,b\r\n"));
        else controller.error(new Error("cut"));
      },
    });
    await expect(readStreamedFile(send(body), new AbortController().signal)).rejects.toMatchObject({ code: "unreachable" });
  });

  it("is none when the service refuses it", async () => {
    const refuse = async () => Response.json({ code: "forbidden" }, { status: 403 });
    await expect(readStreamedFile(refuse, new AbortController().signal)).rejects.toMatchObject({
      code: "forbidden",
      status: 403,
    });
  });
});

const PATIENT = "u-patient";
const READ: LoggedAccess & { id: string } & Record<string, unknown> = {
  id: "e1",
  log: "h1",
  seq: 1,
  recorded: "2026-11-21T08:00:00.000Z",
  event: "patient.read",
  action: "R",
  outcome: "success",
  reason: null,
  actor: { kind: "user", id: "u-nurse", role: "nurse" },
  hospital_id: "h1",
  actor_hospital_id: null,
  basis: "staff",
  purpose: "TREAT",
  entity: null,
  request_id: "r1",
  ip: null,
  detail: null,
};

describe("the reason of an access", () => {
  it.each<[string, Partial<LoggedAccess>, string[]]>([
    ["of staff", {}, ["me.why.purpose.treatment", "me.why.basis.staff"]],
    ["of the care team", { basis: "care_team" }, ["me.why.purpose.treatment", "me.why.basis.care_team"]],
    ["of a list", { basis: null }, ["me.why.purpose.treatment"]],
    ["without a purpose", { purpose: null, basis: null }, ["me.why.purpose_unknown"]],
    ["for a purpose without words", { purpose: "x", basis: "y" }, ["me.why.purpose_other"]],
    ["that was denied", { outcome: "denied" }, ["me.why.denied"]],
    ["of one's own", { actor: { kind: "user", id: PATIENT, role: "patient" }, basis: null }, ["me.why.own"]],
    ["of one's own, denied", { actor: { kind: "user", id: PATIENT, role: null }, outcome: "denied" }, ["me.why.own"]],
  ])("%s is in words", (_, change, keys) => {
    expect(accessReasonKeys({ ...READ, ...change }, PATIENT)).toEqual(keys);
  });

  it("says of a change that was only begun that it has no result, and hides a begin with one", () => {
    const begin = { ...READ, id: "b1", event: "observation.amend_begin", action: "U" as const };
    const end = { ...begin, id: "e1", event: "observation.amend" };
    const words = (events: LoggedAccess[]) =>
      groupAccessEvents(events, PATIENT, "Asia/Kolkata").map(({ messageKey }) => messageKey);
    expect(words([begin])).toEqual(["me.access.begun"]);
    expect(words([begin, end])).toEqual(["me.access.corrected"]);
    expect(words([begin, { ...end, outcome: "failed" }])).toHaveLength(1);
    expect(words([begin, { ...end, request_id: "r2" }])).toEqual(["me.access.begun", "me.access.corrected"]);
  });

  it("separates the rows of a day; what is the same is one row with all of its entries", () => {
    const events = [
      { ...READ, id: "e4", recorded: "2026-11-21T10:00:00.000Z" },
      { ...READ, id: "e3", purpose: "BTG", recorded: "2026-11-21T09:00:00.000Z" },
      { ...READ, id: "e2" },
      { ...READ, id: "e1", recorded: "2026-11-20T08:00:00.000Z" },
    ];
    const groups = groupAccessEvents(events, PATIENT, "Asia/Kolkata");
    expect(groups.map(({ events }) => events.map(({ id }) => id))).toEqual([["e4", "e2"], ["e3"], ["e1"]]);
  });
});
