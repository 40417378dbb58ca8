// Paths, npm scripts, links and functions that the documentation names exist.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md")];
const ROOTS = "src|portal|test|scripts|cli|bench|migrations|docs|lint";
/** The reader writes this file from the example in CONTRIBUTING.md. */
const EXAMPLES = ["test/worker/example.test.ts"];

const packageJson: { scripts: Record<string, string> } = JSON.parse(readFileSync("package.json", "utf8"));

/** Paths from the root of the repository; patterns such as `budgets-*.ts` and `<class>-<version>` are left out. */
function findPaths(text: string): string[] {
  const found = text.matchAll(new RegExp(`(?<![\\w./-])(?:${ROOTS})/[\\w./*<>{}…-]+`, "g"));
  return [...found]
    .map(([path]) => path.replace(/[./]+$/, ""))
    .filter((path) => !/[*<>{}…]/.test(path) && !EXAMPLES.includes(path));
}

const findScripts = (text: string) =>
  [...text.matchAll(/npm run ([a-z][\w:-]*)/g)].flatMap(([, name = ""]) => (name in packageJson.scripts ? [] : [name]));

/** Relative links, from the page's own folder. */
const findLinks = (text: string) =>
  [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);

test.each(PAGES)("%s names files, scripts and pages that exist", (page) => {
  const text = readFileSync(page, "utf8");
  expect(findPaths(text).filter((path) => !existsSync(path))).toEqual([]);
  expect(findScripts(text)).toEqual([]);
  expect(findLinks(text).filter((target) => !existsSync(join(dirname(page), target)))).toEqual([]);
});

test("links to headings lead to a heading", () => {
  for (const page of PAGES) {
    for (const [, target = "", heading = ""] of readFileSync(page, "utf8").matchAll(/\]\(([\w./-]*)#([\w-]+)\)/g)) {
      const file = target === "" ? page : join(dirname(page), target);
      const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replace(/[^\w\s-]/g, "")
          .replace(/\s/g, "-"),
      );
      expect(headings, `${page}: ${target}#${heading}`).toContain(heading);
    }
  }
});

test("the functions that ARCHITECTURE.md and CONTRIBUTING.md name are in the code", () => {
  const code = globSync(["src/**/*.ts", "portal/src/**/*.{ts,tsx}", "test/world.ts"])
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  for (const page of ["ARCHITECTURE.md", "CONTRIBUTING.md"]) {
    const names = new Set([...readFileSync(page, "utf8").matchAll(/\b([a-z]\w+)\(\)/g)].map(([, name = ""]) => name));
    expect(names.size).toBeGreaterThan(4);
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b(?:\\(|<|:| =)`).test(code))).toEqual([]);
  }
});

test("a path, a script and a link that are gone are found", () => {
  expect(findPaths("see `src/gone.ts`, `test/worker/budgets-*.ts` and [x](docs/none.md).")).toEqual([
    "src/gone.ts",
    "docs/none.md",
  ]);
  expect(findScripts("`npm run nothing`, `npm run check`")).toEqual(["nothing"]);
  expect(findLinks("[a](docs/x.md#y) and [b](https://example.org)")).toEqual(["docs/x.md"]);
});
