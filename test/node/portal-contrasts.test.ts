// The contrasts in docs/portal.md match the portal's colours and are sufficient.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const css = readFileSync("portal/src/platform/design/tokens.css", "utf8");
const [, light = "", dark = ""] = /:root \{([\s\S]*?)\}[\s\S]*?color-scheme="dark"\] \{([\s\S]*?)\}/.exec(css) ?? [];
const coloursOf = (block: string) =>
  Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, is]) => [name, is]));
const LIGHT: Record<string, string> = coloursOf(light);
const DARK: Record<string, string> = { ...LIGHT, ...coloursOf(dark) };

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(colours: Record<string, string>, one: string, other: string): number {
  const [darker = 0, lighter = 0] = [one, other].map((name) => luminance(colours[name] ?? "")).sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

const shown = (ratio: number) => (Math.floor(ratio * 10) / 10).toFixed(1);

it("the table of contrasts is right, and every text can be read", () => {
  const rows = [
    ...readFileSync("docs/portal.md", "utf8").matchAll(/^\| `([\w-]+)` +\| `([\w-]+)` +\| ([\d.]+) +\| ([\d.]+) +\|$/gm),
  ];
  expect(rows.length).toBeGreaterThan(15);
  for (const [, one = "", other = "", inLight, inDark] of rows) {
    const ratios = [contrast(LIGHT, one, other), contrast(DARK, one, other)];
    expect([one, other, ...ratios.map(shown)]).toEqual([one, other, inLight, inDark]);
    const needed = one === "border" ? 3 : 4.5;
    expect(Math.min(...ratios), `${one} on ${other}`).toBeGreaterThanOrEqual(needed);
  }
});
