// Error handling of the portal: API problems, no response, and exceptions in the page, whose text is never shown.
import { describe, expect, it } from "vitest";
import { Problem, parseProblem, throwUnreachable, toProblem } from "../../portal/src/platform/api/problem.ts";
import { queryClient } from "../../portal/src/platform/api/query-client.ts";

const thrownBy = (act: () => never): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};
const silence = thrownBy(() => throwUnreachable(new TypeError("Failed to fetch")));
const ownError = new TypeError("Cannot read properties of Asha Verma");

describe("a problem", () => {
  it('is "no response" when nothing answered', () => {
    expect(silence).toMatchObject({ status: 0, code: "unreachable", errorId: null });
  });

  it('of the page itself is not "no response", and its text is not shown', () => {
    const problem = toProblem(ownError);
    expect(problem).toMatchObject({ status: 0, code: "unexpected", errorId: null, message: "" });
    expect(JSON.stringify({ ...problem })).not.toContain("Asha");
    expect(toProblem("a word")).toMatchObject({ code: "unexpected", message: "" });
  });

  it("from the API is returned unchanged", async () => {
    const said = await parseProblem({ status: 409, json: async () => ({ code: "conflict", detail: "Why", error_id: "e" }) });
    expect(toProblem(said)).toBe(said);
    expect(thrownBy(() => throwUnreachable(said))).toBe(said);
    expect(said).toMatchObject({ status: 409, code: "conflict", message: "Why", errorId: "e", errors: [] });
  });
});

it("is asked again where nothing answered or the rate was refused, and never for anything else", () => {
  const { retry } = queryClient.getDefaultOptions().queries ?? {};
  if (typeof retry !== "function") throw new Error("whether to ask again is decided by the error");
  const times = (error: unknown) => [0, 1, 2].map((failures) => retry(failures, toProblem(error)));
  expect(times(silence)).toEqual([true, true, true]);
  expect(times(new Problem(429, "rate_limited", "", "e"))).toEqual([true, true, true]);
  expect(times(ownError)).toEqual([false, false, false]);
  expect(times(new Problem(500, "internal_error", "", "e"))).toEqual([false, false, false]);
});
