// docs/performance.md has a row per operation with its bound and a test that exists; every list of the API pages.
import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  BUDGET,
  findBoundProblems,
  findUnpagedLists,
  listBounds,
  renderBounds,
  replaceTable,
} from "../../scripts/lib/bounds.mjs";
import { readTitles } from "../../scripts/lib/requirements.mjs";
import { app } from "../../src/app.ts";
import { buildOpenApiDocument } from "../../src/service/openapi-routes.ts";
import { findRoutesWithoutCase } from "../resource-steps.ts";

const DOCUMENT = buildOpenApiDocument(app);
const ROWS = listBounds();
const PAGE = readFileSync("docs/performance.md", "utf8");
const titlesOf = (file: string) => (existsSync(file) ? readTitles(readFileSync(file, "utf8")) : null);
const changedDocument = (change: (document: typeof DOCUMENT) => void) => {
  const copy = structuredClone(DOCUMENT);
  change(copy);
  return copy;
};

describe("the table of bounds", () => {
  it("has every operation once, and names tests that exist", () => {
    expect(findBoundProblems(DOCUMENT, ROWS, titlesOf)).toEqual([]);
    expect(ROWS.length).toBeGreaterThan(140);
  });

  it("names the budget of operations that have a case among the budgets", () => {
    const sources = globSync("test/worker/budgets*.ts").map((file) => readFileSync(file, "utf8"));
    const budgeted = ROWS.filter(({ test }) => test === BUDGET).map(({ operation }) => operation);
    expect(budgeted.length).toBeGreaterThan(40);
    expect(findRoutesWithoutCase(budgeted, sources, [], "budget in test/worker/budgets-*.ts")).toEqual([]);
    const unknown = findRoutesWithoutCase([...budgeted, "GET /bananas"], sources, [], "budget");
    expect(unknown).toEqual(["GET /bananas has no budget"]);
  });

  it("is written by npm run docs:bounds, and not by hand", () => {
    expect(replaceTable(PAGE, renderBounds(DOCUMENT)) === PAGE, "docs/performance.md is stale: npm run docs:bounds").toBe(true);
    const edited = PAGE.replace("a page of 100 rows ", "a page of 999 rows ");
    expect(edited).not.toBe(PAGE);
    expect(replaceTable(edited, renderBounds(DOCUMENT))).toBe(PAGE);
    expect(() => replaceTable("no place", "")).toThrow("no place");
  });

  it("is checked by something that sees what is missing", () => {
    const problems = (rows: typeof ROWS) => findBoundProblems(DOCUMENT, rows, titlesOf).join("\n");
    const [first, ...rest] = ROWS;
    if (!first) throw new Error("no rows");
    expect(problems(rest)).toContain(`${first.operation} has no bound`);
    expect(problems([...ROWS, first])).toContain(`${first.operation} has two bounds`);
    expect(problems([...ROWS, { ...first, operation: "GET /bananas" }])).toContain(
      "GET /bananas has a bound but is no operation",
    );
    expect(problems([{ ...first, test: "test/worker/gone.test.ts › x" }, ...rest])).toContain(
      "gone.test.ts, which does not exist",
    );
    expect(problems([{ ...first, test: "test/worker/budgets.test.ts › nothing" }, ...rest])).toContain(
      'no test titled "nothing"',
    );
    expect(problems([{ ...first, test: "test/worker/budgets.test.ts" }, ...rest])).toContain('no test titled ""');
  });
});

describe("every list", () => {
  it("pages with meta.pagination and a cursor", () => {
    expect(findUnpagedLists(DOCUMENT)).toEqual([]);
  });

  it("is named when it does not", () => {
    const path = "/api/v1/patients/{patient_id}/intake";
    const without = changedDocument((document) => {
      const properties = JSON.parse(JSON.stringify(document.paths?.[path]?.get?.responses?.["200"]));
      delete properties.content["application/json"].schema.properties.meta.properties.pagination;
      Object.assign(document.paths?.[path]?.get?.responses ?? {}, { "200": properties });
    });
    expect(findUnpagedLists(without)).toEqual([`GET ${path}: data is an array without meta.pagination`]);
    const withoutCursor = changedDocument((document) => {
      const operation = document.paths?.[path]?.get;
      if (!operation) throw new Error("no operation");
      operation.parameters = (operation.parameters ?? []).filter(
        (parameter) => !("name" in parameter && parameter.name === "cursor"),
      );
    });
    expect(findUnpagedLists(withoutCursor)).toEqual([`GET ${path}: data is an array, but there is no parameter cursor`]);
    const batch = "/api/v1/reports/batch";
    const unbounded = changedDocument((document) => {
      const response = JSON.parse(JSON.stringify(document.paths?.[batch]?.post?.responses?.["200"]));
      delete response.content["application/json"].schema.properties.data.maxItems;
      Object.assign(document.paths?.[batch]?.post?.responses ?? {}, { "200": response });
    });
    expect(findUnpagedLists(unbounded)).toEqual([`POST ${batch}: the array in data has no maxItems`]);
  });
});
