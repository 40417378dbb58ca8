// `npm run guards`: each guard of the list is in the source once, and one that no test misses fails the command.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { GUARDS, removeGuard } from "../../scripts/lib/guards.mjs";

const [first] = GUARDS;
/** Runs the command for one guard, with a command of this test instead of vitest. */
const run = (script: string) =>
  promisify(execFile)(process.execPath, [
    "scripts/guards.mjs",
    ...["--only", first?.name ?? "", "--command", `${process.execPath} -e '${script}' --`],
  ]).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout) }),
  );

describe("the guards of access", () => {
  it.for(GUARDS)("$name: is in the source once, and its tests exist", (guard) => {
    const source = readFileSync(guard.file, "utf8");
    expect(removeGuard(guard, source)).not.toBe(source);
    expect(guard.tests.filter((file) => !existsSync(file))).toEqual([]);
  });

  it("have names of their own", () => {
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  });

  it("are each named with the test that missed it; one that none missed, or whose tests do not load, fails the command", async () => {
    const missed = await run('console.log(" FAIL  worker a.test.ts > a read is refused"); process.exit(1)');
    expect([missed.code, missed.stdout]).toEqual([0, expect.stringContaining("a read is refused")]);
    for (const script of ["process.exit(0)", "process.exit(1)"]) {
      const unmissed = await run(script);
      expect([unmissed.code, unmissed.stdout]).toEqual([1, expect.stringContaining("1 missed by no test")]);
    }
  });
});
