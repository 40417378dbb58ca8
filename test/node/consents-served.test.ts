// The commands of docs/consents.md, as printed, against the served product.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { served } from "./served-product.ts";
import { bash, missingOf } from "./shell.ts";

it("docs/consents.md documents what the service does", async ({ skip }) => {
  const missing = await missingOf(["curl", "jq"]);
  skip(missing.length > 0, `this machine has no ${missing.join(", ")}`);
  const blocks = [...readFileSync("docs/consents.md", "utf8").matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks.length).toBe(4);
  const run = await bash(`set -euo pipefail\n${blocks.join("\n").replaceAll("http://localhost:8787", served.shared.url)}`);
  expect(run.status, run.stderr + run.stdout).toBe(0);
  expect(run.stdout.trim().split("\n")).toEqual([
    "true",
    "Chest pain, earlier ECGs wanted",
    "granted: report:ecg",
    "ecg",
    "not_found",
    "used",
    "true",
    "kind",
    "revoked",
    "revoked",
    "revoked",
    "conflict",
  ]);
});
