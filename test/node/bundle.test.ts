// The deployed bundle: its size, and no tests, seeds or demo people in it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD, FIRST_HOSPITAL, STAFF } from "../../cli/demo/people.ts";

const out = mkdtempSync(join(tmpdir(), "edgecare-bundle-"));
let bundle = "";

beforeAll(() => {
  execFileSync("wrangler", ["deploy", "--dry-run", "--outdir", out], { env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  bundle = readFileSync(join(out, "index.js"), "utf8");
}, 120_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("the production bundle", () => {
  it("is at most 1 MB gzipped", () => {
    expect(bundle.length).toBeGreaterThan(100_000);
    expect(gzipSync(bundle).length).toBeLessThan(1_048_576);
  });

  it("contains no demo person, no test hook and no development secret", () => {
    const words = [
      // As a literal: the list of breached passwords contains the word, to reject it.
      `"${DEMO_PASSWORD}"`,
      FIRST_HOSPITAL,
      ...STAFF.map(({ email }) => email),
      "injected fault",
      "test-world",
      "demo-world",
      "loadDemo",
    ];
    expect(words.filter((word) => bundle.includes(word))).toEqual([]);
    // Control: a word of the product is found.
    expect(bundle).toContain("care_team");
  });

  it("hashes passwords at production's cost only", () => {
    const costs = [...bundle.matchAll(/\{\s*N: (\d+),\s*r: (\d+),\s*p: (\d+)\s*\}/g)].map(([, N, r, p]) => [N, r, p].join(" "));
    expect(costs).toEqual(["16384 8 5"]);
  });

  it("loads nothing from other hosts in its documentation pages", () => {
    for (const file of ["swagger-ui-bundle.js", "redoc.standalone.js", "docs.js", "redoc.js", "swagger-ui.css"]) {
      const text = readFileSync(join("dist/public/assets", file), "utf8");
      expect(text.match(/https?:\/\/[a-z0-9.-]*cdn[a-z0-9.-]*\/[^"'\s)]*/gi) ?? []).toEqual([]);
    }
  });
});
