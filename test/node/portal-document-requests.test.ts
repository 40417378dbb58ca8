// The steps that the portal shows of a document request, for the states that end it by the clock or by the person.
import { describe, expect, it } from "vitest";
import { type CourseRequest, listCourse } from "../../portal/src/document-requests/request-course.ts";
import { findFaults, newDraft, toRequest } from "../../portal/src/document-requests/request-draft.ts";

const AT = "2026-11-30T10:00:00.000Z";
const ENDED = "2026-12-30T10:00:00.000Z";
const REQUEST: CourseRequest = {
  status: "requested",
  direction: "out",
  requesting_hospital: { name: "City Hospital" },
  created_at: AT,
  decided_at: null,
  answered_at: null,
  ended_at: null,
  reason: null,
  document_ids: [],
};

/** Shows keys instead of texts. */
const t = ((key: string) => key) as unknown as Parameters<typeof listCourse>[2];
const course = (change: Partial<CourseRequest>) =>
  listCourse({ ...REQUEST, ...change }, ENDED, t).map(({ key, state, text, at }) => [key, state, text, at]);

describe("the steps of a request", () => {
  it("wait for the person first, and nothing after it is reached", () => {
    expect(course({})).toEqual([
      ["asked", "done", "City Hospital", AT],
      ["consent", "waiting", "requests.step.until", undefined],
      ["answer", "not_reached", "", undefined],
      ["documents", "not_reached", "", undefined],
    ]);
  });

  it("stop at the consent when nobody has answered in time, and say that the time is not known before it is written", () => {
    const steps = (ended_at: string | null) => course({ status: "expired", ended_at })[1];
    expect(steps(null)).toEqual(["consent", "stopped", "requests.step.expired", null]);
    expect(steps(ENDED)).toEqual(["consent", "stopped", "requests.step.expired", ENDED]);
  });

  it.each([
    ["expired", "requests.step.expired"],
    ["revoked", "requests.step.revoked"],
    ["cancelled", "requests.step.cancelled"],
  ] as const)("that is %s after the consent stop at what was waited for", (status, text) => {
    const unanswered = course({ status, decided_at: AT, ended_at: ENDED });
    expect(unanswered.slice(1)).toEqual([
      ["consent", "done", "requests.step.consented", AT],
      ["answer", "stopped", text, ENDED],
      ["documents", "not_reached", "", undefined],
    ]);
    const approved = course({ status, decided_at: AT, answered_at: AT, ended_at: ENDED });
    expect(approved.slice(2)).toEqual([
      ["answer", "done", "requests.step.approved", AT],
      ["documents", "stopped", text, ENDED],
    ]);
  });

  it("of a fulfilled request do not count documents that cannot be seen any more", () => {
    const fulfilled = { status: "fulfilled", decided_at: AT, answered_at: AT, ended_at: ENDED } as const;
    expect(course({ ...fulfilled, document_ids: ["d"] })[3]).toEqual(["documents", "done", "requests.step.shared", ENDED]);
    expect(course(fulfilled)[3]).toEqual(["documents", "done", "requests.step.shared_before", ENDED]);
  });

  it("tell a person of what they did themselves", () => {
    expect(course({ direction: null, status: "denied", decided_at: AT })[1]).toEqual([
      "consent",
      "stopped",
      "requests.my_step.denied",
      AT,
    ]);
  });
});

describe("a request that staff enters", () => {
  const today = "2026-11-30";
  const draft = { ...newDraft(today), description: " ECG ", purpose: "CAREMGT" as const };

  it("is sent with the days of the hospital's zone, both included", () => {
    expect(toRequest("p", { ...draft, from: "2026-05-01", until: "2026-05-31" }, "Asia/Kolkata")).toEqual({
      ...{ patient_id: "p", description: "ECG", purpose: "CAREMGT", expires_at: "2027-02-28T18:29:59.999Z" },
      ...{ date_from: "2026-04-30T18:30:00.000Z", date_to: "2026-05-31T18:30:00.000Z" },
    });
  });

  it.each([
    [{}, []],
    [{ description: "EC" }, ["description"]],
    [{ purpose: "" as const }, ["purpose"]],
    [{ from: "2026-05-02", until: "2026-05-01" }, ["date_to"]],
    [{ expires: "2026-11-29" }, ["expires_at"]],
    [{ expires: "2036-11-29" }, ["expires_at"]],
    [{ expires: "" }, ["expires_at"]],
  ])("with %o has faults at %o", (change, fields) => {
    expect(Object.keys(findFaults({ ...draft, ...change }, today))).toEqual(fields);
  });
});
