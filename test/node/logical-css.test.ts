// The check that the portal's styles use logical properties: what it finds, what it rewrites, and the portal's own files.
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { physicalInCss, physicalInTsx, toLogical } from "../../scripts/logical-css.mjs";

describe("logical CSS", () => {
  it.each([
    ["a{margin-left:1px}", "a{margin-inline-start:1px}"],
    ["a { left: 0; color: red }", "a { inset-inline-start: 0; color: red }"],
    ["a { bottom: 2px; }", "a { inset-block-end: 2px; }"],
    ["a { border-right-color: red !important; }", "a { border-inline-end-color: red !important; }"],
    ["a { border-top-left-radius: 4px; }", "a { border-start-start-radius: 4px; }"],
    ["a { text-align: right; }", "a { text-align: end; }"],
    ["a { float: left; }", "a { float: inline-start; }"],
  ])("finds and rewrites %s", (physical, logical) => {
    expect(physicalInCss(physical)).toHaveLength(1);
    expect(toLogical(physical)).toBe(logical);
    expect(physicalInCss(logical)).toEqual([]);
  });

  it("finds four values with different left and right sides, which need a decision by hand", () => {
    expect(physicalInCss("a { padding: 0 1px 0 calc(2px + 3px); }")).toHaveLength(1);
    expect(physicalInCss("a { padding: 0 1px 2px 1px; }\nb { inset: auto 0 0 0; }")).toEqual([]);
  });

  it("names the line, and reads neither comments nor selectors nor custom properties as declarations", () => {
    const css = "/* left: 1px;\n*/\na:hover { --left: 1px; width: 1px; }\nb { right: 0; }";
    expect(physicalInCss(css)).toEqual([{ line: 4, text: "right: 0" }]);
    expect(toLogical(css)).toBe(css.replace("{ right", "{ inset-inline-end"));
  });

  it("finds physical inline styles and style props of components", () => {
    const tsx =
      '<p\n style={{ marginLeft: 4 }} />\n<p style={{ textAlign: "right" }} mr="xs" />\n<p style={{ insetInlineStart: 4 }} ms="xs" />';
    expect(physicalInTsx(tsx).map(({ line }) => line)).toEqual([2, 3, 3]);
  });

  it("finds nothing in the portal", () => {
    expect(execFileSync(process.execPath, ["scripts/logical-css.mjs"], { encoding: "utf8" })).toBe("");
  });
});
