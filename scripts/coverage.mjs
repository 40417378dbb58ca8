// `npm run coverage`: run the tests in workerd and on Node, print lines and branches by folder, fail below the minimums.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { createCoverageMap, createCoverageSummary } from "@vitest/istanbul-lib-coverage";

/** Minimum shares of covered lines in percent: for all of src/ and verifier/, and for the most critical folders. */
const FLOOR = 80;
const STRICT_FLOOR = 95;
const STRICT = /(^|\/)(access|crypto|alerts|alarm-rules)(\.ts$|\/)/;

/** Runs the tests of a project. Uses Istanbul because v8 coverage does not see code that workerd evaluates. */
function covered(project) {
  const folder = `coverage/${project}`;
  rmSync(folder, { recursive: true, force: true });
  const options = { provider: "istanbul", include: "{src,verifier}/**/*.ts", reporter: "json", reportsDirectory: folder };
  const args = Object.entries(options).map(([name, value]) => `--coverage.${name}=${value}`);
  const { status } = spawnSync("vitest", ["run", "--project", project, "--coverage.enabled", ...args], { stdio: "inherit" });
  const file = `${folder}/coverage-final.json`;
  if (status !== 0 || !existsSync(file)) throw new Error(`The tests of project ${project} failed; nothing was measured`);
  return createCoverageMap(JSON.parse(readFileSync(file, "utf8")));
}

/** Relative to src/; a file of another folder with that folder's name. */
const nameOf = (path) => relative("src", path).replace(/^\.\.\//, "");
/** The folder of a file, at most two levels deep, or the file itself if it is directly in src/. */
const folderOf = (path) => nameOf(path).split("/").slice(0, -1).slice(0, 2).join("/") || nameOf(path);

function summaryOf(map, belongs) {
  const summary = createCoverageSummary();
  for (const path of map.files().filter(belongs)) summary.merge(map.fileCoverageFor(path).toSummary());
  return summary;
}

const percent = ({ pct }) => (typeof pct === "number" ? pct.toFixed(1) : "-").padStart(6);
const columns = (maps, belongs) =>
  maps.map((map) => summaryOf(map, belongs)).map((one) => `${percent(one.lines)} ${percent(one.branches)}`);

const [workerd, node] = ["worker", "node"].map(covered);
const both = createCoverageMap({});
for (const map of [workerd, node]) both.merge(JSON.parse(JSON.stringify(map)));
const maps = [workerd, node, both];

console.log("Coverage in percent, lines and branches:      in workerd       on Node          both");
const print = (name, belongs) => console.log(`${name.padEnd(40)} ${columns(maps, belongs).join("   ")}`);
for (const folder of [...new Set(both.files().map(folderOf))].sort()) print(folder, (path) => folderOf(path) === folder);
print("all", () => true);
print("access, crypto, alerts, alarm rules", (path) => STRICT.test(nameOf(path)));

const failures = [
  ["all", FLOOR, () => true],
  ["access, crypto, alerts, alarm rules", STRICT_FLOOR, (path) => STRICT.test(nameOf(path))],
]
  .map(([name, floor, belongs]) => ({ name, floor, share: summaryOf(both, belongs).lines.pct }))
  .filter(({ floor, share }) => !(share >= floor));
for (const { name, floor, share } of failures)
  console.error(`${share} % of the lines of ${name} are covered, less than ${floor} %`);
process.exitCode = failures.length > 0 ? 1 : 0;
