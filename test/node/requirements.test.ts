// docs/requirements.md: every item once, every state with its reason, every named test present; codes cited elsewhere exist.
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findProblems, readItems, readTitles } from "../../scripts/lib/requirements.mjs";

/** Without the padding of the formatter, so that the twins can replace whole cells. */
const PAGE = readFileSync("docs/requirements.md", "utf8").replace(/ +\|/g, " |");
const readTest = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : null);
const problemsAfter = (text: string | RegExp, replacement: string) => {
  const changed = PAGE.replace(text, replacement);
  expect(changed).not.toBe(PAGE);
  return findProblems(changed, readTest);
};

/** Codes in brackets, or behind the name of the page: "(M10 to M13)", "docs/requirements.md, S33". */
function findCitations(text: string): string[] {
  const groups = text.matchAll(/\(([ECMDS]\d{1,2}(?:(?:, | to | and )[ECMDS]\d{1,2})*)\)|requirements\.md[,:] ([\w, ]+)/g);
  return [...groups].flatMap(([, inBrackets, behind]) => (inBrackets ?? behind ?? "").match(/\b[ECMDS]\d{1,2}\b/g) ?? []);
}

describe("docs/requirements.md", () => {
  it("has every item once, and names tests that exist", () => {
    expect(findProblems(PAGE, readTest)).toEqual([]);
    expect(readItems(PAGE)).toHaveLength(260);
  });

  it.each<[string, string | RegExp, string, string]>([
    ["a missing item", /^\| E7 .*\n/m, "", "E7 is missing"],
    ["a double item", /^(\| C3 .*\n)/m, "$1$1", "C3 is there twice"],
    ["an unknown item", /^\| M42 /m, "| M43 | x | planned | |\n| M42 ", "M43 is no item of the replaced systems"],
    ["an unknown state", /^\| D55 \| (.*) \| planned /m, "| D55 | $1 | soon ", 'D55: "soon" is no state'],
    ["a built item without a test", /^\| D55 \| (.*) \| planned /m, "| D55 | $1 | built ", "D55 is built but names no test"],
    [
      "a partly built item without a reason",
      /^\| D55 \| (.*) \| planned /m,
      "| D55 | $1 | partly ",
      'D55: "partly" needs a reason',
    ],
    [
      "a test file that is gone",
      "test/worker/main-job.test.ts",
      "test/worker/gone.test.ts",
      "test/worker/gone.test.ts, which does not",
    ],
    ["a file outside the tests", "test/worker/main-job.test.ts", "src/app.ts", "src/app.ts, which does not exist"],
    ["a title that is gone", "› travels from the device", "› flies from the device", 'no test titled "flies from the device'],
  ])("is checked by something that finds %s", (_, text, replacement, problem) => {
    expect(problemsAfter(text, replacement).join("\n")).toContain(problem);
  });

  it("has the items that other files cite", () => {
    const codes = readItems(PAGE).map(({ code }) => code);
    const files = globSync(["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "cli/**/*.ts", "docs/*.md"]).filter(
      (file) => !/requirements\./.test(file),
    );
    const cited = files.flatMap((file) => findCitations(readFileSync(file, "utf8")).map((code) => [code, file] as const));
    for (const [code, file] of cited) expect(codes, `${file} cites ${code}`).toContain(code);
    expect(findCitations("older paths (M15 to M19), docs/requirements.md, S33 and S99; D1 alone")).toEqual([
      "M15",
      "M19",
      "S33",
      "S99",
    ]);
  });

  it("reads titles of tests and blocks only, not other strings", () => {
    const source = `describe("a", () => { it.each([1])("b %s", f); test.skip('c "d"', f); say("e"); expect(x, "f"); });`;
    expect(readTitles(source)).toEqual(["a", "b %s", 'c "d"']);
  });
});
