// The commands of docs/emergency-access.md, as printed, against the served product.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { served } from "./served-product.ts";
import { bash, missingOf } from "./shell.ts";

it("docs/emergency-access.md documents what the service does", async ({ skip }) => {
  const missing = await missingOf(["curl", "jq"]);
  skip(missing.length > 0, `this machine has no ${missing.join(", ")}`);
  const blocks = [...readFileSync("docs/emergency-access.md", "utf8").matchAll(/```bash\n([\s\S]*?)```/g)].map(
    ([, code]) => code,
  );
  expect(blocks).toHaveLength(3);
  const commands = blocks.join("\n").replaceAll("http://localhost:8787", served.shared.url);
  const run = await bash(`set -euo pipefail\n${commands}`);
  expect(run.status, run.stderr + run.stdout).toBe(0);
  expect(run.stdout.trim().split("\n")).toEqual([
    "not_found",
    "Asha",
    "active, second step: false",
    "expires_at ticket url",
    "ended",
    "not_found",
    "not_found",
  ]);
});
