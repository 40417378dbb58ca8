// `npm run verify` and `npm run steady` as commands, with steps that end immediately.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "edgecare-proofs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Step = { name: string; command: string; busy?: boolean; figures?: string[]; env?: Record<string, string> };

let files = 0;
function stepsFile(steps: Step[]): string {
  const file = join(folder, `steps-${files++}.json`);
  writeFileSync(file, JSON.stringify(steps));
  return file;
}

function run(script: "verify" | "steady", steps: Step[], ...args: string[]) {
  const { status, stdout, stderr } = spawnSync("node", [`scripts/${script}.mjs`, "--steps", stepsFile(steps), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("npm run verify", () => {
  const good = { name: "good", command: "echo 12 passed, 0 failed", figures: ["^\\d+ passed.*$"] };
  const bad = { name: "bad", command: "echo 1 passed, 2 failed; exit 3", figures: ["^\\d+ passed.*$"] };
  const last = { name: "last", command: 'test "$EXTRA" = yes && echo 40 ms', env: { EXTRA: "yes" }, figures: ["\\d+ ms"] };

  it("continues after a failed step, prints a table of all steps and exits with 1", () => {
    const { status, stdout } = run("verify", [good, bad, last]);
    expect(status).toBe(1);
    const table = stdout.slice(stdout.lastIndexOf("\nstep ")).trim();
    expect(table.replaceAll(/\d+\.\d s/g, "N s").replaceAll(/ +/g, " ")).toBe(
      [
        "step result duration figures",
        "---- ---------- -------- -------------------",
        "good passed N s 12 passed, 0 failed",
        "bad failed (3) N s 1 passed, 2 failed",
        "last passed N s 40 ms",
        "",
        "2 passed, 1 failed, in N s",
      ].join("\n"),
    );
  });

  it("exits with 0 when each step has passed", () => {
    expect(run("verify", [good, last])).toMatchObject({ status: 0, stdout: expect.stringContaining("2 passed, 0 failed, in") });
  });

  it("--only runs the named steps alone; an unknown name is an error", () => {
    const { status, stdout } = run("verify", [good, bad, last], "--only", "last", "--only", "good");
    expect({ status, bad: stdout.includes("2 failed") }).toEqual({ status: 0, bad: false });
    expect(run("verify", [good], "--only", "nothing")).toMatchObject({ status: 2, stderr: expect.stringContaining("nothing") });
  });

  it("--list names every step and runs none", () => {
    const { status, stdout } = spawnSync("node", ["scripts/verify.mjs", "--list"], { encoding: "utf8" });
    expect(status).toBe(0);
    for (const name of [
      "check",
      "test",
      "coverage",
      "browser",
      "axe",
      "torture",
      "audit-torture",
      "fuzz",
      "live",
      "growth",
      "cost",
    ])
      expect(stdout).toMatch(new RegExp(`^${name} +npm `, "m"));
  });
});

describe("npm run steady", () => {
  const newLog = () => join(folder, `steady-${files++}.jsonl`);
  const entriesOf = (log: string) =>
    readFileSync(log, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const pass = { name: "test", command: "echo 3 passed, 0 failed", figures: ["^\\d+ passed.*$"] };
  const busy = { ...pass, busy: true };

  it("runs all, writes each to its log and exits with 0", () => {
    const log = newLog();
    const { status, stdout } = run("steady", [pass, busy], "--log", log);
    expect({ status, last: stdout.trim().split("\n").at(-1) }).toEqual({
      status: 0,
      last: "2 runs in a row without a failure.",
    });
    expect(entriesOf(log)).toMatchObject([
      { run: "test", result: "passed", figures: ["3 passed, 0 failed"] },
      { run: "test, one core busy", result: "passed" },
    ]);
  });

  it.skipIf(!existsSync(`/proc/self/task/${process.pid}/children`))(
    "keeps a core busy beside the runs that ask for it, and ends that",
    () => {
      // Children of this command's parent: the busy loop, if there is one, and this command.
      const children = { name: "children", command: "cat /proc/$PPID/task/$PPID/children", figures: ["^[\\d ]+$"] };
      const log = newLog();
      expect(run("steady", [children, { ...children, busy: true }], "--log", log).status).toBe(0);
      const [alone, beside] = entriesOf(log).map(({ figures }) => String(figures[0]).split(" ").map(Number));
      expect([alone?.length, beside?.length]).toEqual([1, 2]);
      for (const pid of beside ?? []) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    },
  );

  it("continues where it was stopped, and does not repeat runs that passed", async () => {
    const log = newLog();
    const marks = join(folder, `marks-${files++}`);
    const first = { name: "first", command: `echo first >> ${marks}` };
    const second = (command: string) => ({ name: "second", command: `echo second >> ${marks}; ${command}` });
    const file = stepsFile([first, { ...second(`sleep 60; echo too late >> ${marks}`), busy: true }]);
    const child = spawn("node", ["scripts/steady.mjs", "--log", log, "--steps", file], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await expect.poll(() => existsSync(marks) && readFileSync(marks, "utf8"), { timeout: 60_000 }).toBe("first\nsecond\n");
    child.kill("SIGTERM");
    expect(await ended).toBe(130);
    expect(run("steady", [first, second("true")], "--log", log)).toMatchObject({ status: 0 });
    expect(readFileSync(marks, "utf8")).toBe("first\nsecond\nsecond\n");
    expect(entriesOf(log).map(({ run, result }) => `${run} ${result}`)).toEqual(["first passed", "second passed"]);
  });

  it("records the names of failed tests and begins a new count after a failure", () => {
    const log = newLog();
    const output = [
      " \u001b[41m FAIL \u001b[49m |node| test/node/a.test.ts > a file > is read",
      "  1) test/browser/b.spec.ts:12:1 › a page is drawn ─────",
      "12) not a test",
    ];
    const fail = { name: "browser", command: `printf '%s\\n' ${output.map((line) => `'${line}'`).join(" ")}; exit 1` };
    expect(run("steady", [pass, fail, pass], "--log", log).status).toBe(1);
    expect(entriesOf(log).at(-1)).toMatchObject({
      run: "browser",
      result: "failed",
      failed: ["|node| test/node/a.test.ts > a file > is read", "test/browser/b.spec.ts:12:1 › a page is drawn"],
    });
    const { status, stdout } = run("steady", [pass, pass, pass], "--log", log);
    expect(status).toBe(0);
    expect(stdout).toContain("=== run 1 of 3");
    expect(entriesOf(log).map(({ result }) => result)).toEqual(["passed", "failed", "passed", "passed", "passed"]);
  });

  it("reads a log with a truncated last line, prints it with --status and starts over with --again", () => {
    const log = newLog();
    run("steady", [pass, pass], "--log", log);
    const [line = ""] = readFileSync(log, "utf8").split("\n");
    writeFileSync(log, `${line}\n{"at":"2026-`);
    const status = run("steady", [pass, pass], "--log", log, "--status");
    expect(status.stdout.match(/passed/g)).toHaveLength(2);
    expect(run("steady", [pass, pass], "--log", log).stdout).toContain("=== run 2 of 2");
    expect(run("steady", [pass, pass], "--log", log, "--again").stdout).toContain("=== run 1 of 2");
  });
});
