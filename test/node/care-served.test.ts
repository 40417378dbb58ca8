// The commands of docs/appointments.md and docs/intake.md, as printed, against the served product.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { served } from "./served-product.ts";
import { bash, missingOf } from "./shell.ts";

it.for([
  ["docs/appointments.md", 3, ["30", "booked, scheduled, 30 minutes", "slot_taken", "cancelled: Called off"]],
  ["docs/intake.md", 2, ["Do you smoke?", "received_at", "link_expired", "Cough", "no", "conflict"]],
] as const)("%s documents what the service does", async ([page, count, printed], { skip }) => {
  const missing = await missingOf(["curl", "jq"]);
  skip(missing.length > 0, `this machine has no ${missing.join(", ")}`);
  const blocks = [...readFileSync(page, "utf8").matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks.length).toBe(count);
  const run = await bash(`set -euo pipefail\n${blocks.join("\n").replaceAll("http://localhost:8787", served.shared.url)}`);
  expect(run.status, run.stderr + run.stdout).toBe(0);
  expect(run.stdout.trim().split("\n")).toEqual([...printed]);
});
