// `npx edgecare` as the documents name it: on the Node that is installed, which may be older than TypeScript needs.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { installedNode, runInShell } from "./installed-node.ts";

const isInstalled = installedNode !== "";

describe.concurrent("npx edgecare", () => {
  test.skipIf(!isInstalled)("runs with the Node that is first on the PATH of a shell", async ({ expect, annotate }) => {
    await annotate(`the installed Node is ${installedNode}`);
    const help = await runInShell("npx", ["edgecare", "--help"]);
    expect(help).toMatchObject({ status: 0, stderr: expect.stringContaining("usage: edgecare demo") });
    const wrong = await runInShell("npx", ["edgecare", "simulate", "--colour"]);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("--colour") });
  });

  test.skipIf(!isInstalled)(
    "is started by that Node itself as well, and passes on arguments and exit codes",
    async ({ expect }) => {
      const keys = await runInShell("node", ["cli/edgecare.mjs", "keys", "new"]);
      expect(keys).toMatchObject({ status: 0, stdout: expect.stringMatching(/^JWT_KEYS='/) });
      expect(await runInShell("node", ["cli/edgecare.mjs", "keys", "rotate"])).toMatchObject({ status: 2 });
    },
  );
});

test("documents name npx edgecare alone", () => {
  const pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...globSync("docs/**/*.md")];
  for (const page of pages) {
    expect(readFileSync(page, "utf8"), page).not.toMatch(/node (?:\.\/)?cli\/edgecare/);
  }
  for (const page of ["README.md", "CONTRIBUTING.md", "docs/security.md", "docs/vitals.md", "docs/cost.md"]) {
    expect(readFileSync(page, "utf8"), page).not.toMatch(/(?<!npx )\bedgecare (?:demo|keys|simulate|cost)\b/);
  }
});
