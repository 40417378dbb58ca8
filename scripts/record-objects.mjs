// Records Durable Object fixtures of the current code for tests of later migrations. Usage: npm run record:objects -- <version>
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const version = process.argv[2] ?? "";
if (!/^[1-9]\d*$/.test(version)) {
  console.error("Usage: npm run record:objects -- <number of migrations of PatientMonitor>");
  process.exit(2);
}
if (existsSync(`test/fixtures/objects/PatientMonitor-${version}.json`)) {
  console.error(`A fixture of version ${version} exists. Fixtures of earlier versions must not be recorded again.`);
  process.exit(2);
}
execFileSync("vitest", ["run", "--config", "scripts/record-objects.config.ts", "--update"], {
  stdio: "inherit",
  env: { ...process.env, RECORDING: version },
});
