// The reasons of the default limits: complete, and the same in the docs.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { NO_LIMITS } from "../../src/monitoring/alarm-rules/no-limits.ts";
import { getDefaultLimits, VITALS } from "../../src/monitoring/vitals/catalogue.ts";
import { listUnexplainedBounds, toReasonRows } from "../../src/monitoring/vitals/limit-reasons.ts";

const adult = getDefaultLimits("adult");
const explained = VITALS.flatMap(({ code, name, display }) => {
  const limits = adult[code];
  return limits ? [{ name, display, limits }] : [];
});

it("every default limit for adults has a reason", () => {
  expect(explained.length).toBeGreaterThan(8);
  for (const { name, limits } of explained) expect(listUnexplainedBounds(name, limits), name).toEqual([]);
  // The twin: a limit that nobody explained.
  expect(listUnexplainedBounds("spo2", { ...NO_LIMITS, high: 99 })).toEqual(["high"]);
});

it("docs/alarms.md has the table of the code", () => {
  const docs = readFileSync("docs/alarms.md", "utf8");
  const inDocs = docs
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join("|"),
    );
  const rows = explained.flatMap(({ name, display, limits }) => toReasonRows(name, display, limits));
  expect(rows.map((cells) => cells.join("|")).filter((row) => !inDocs.includes(row))).toEqual([]);
});
