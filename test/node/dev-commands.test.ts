// Development commands: refused in production; their output and effect on local state.
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { withSourcePositions } from "../../scripts/lib/log-lines.mjs";
import { VERIFY } from "../long.ts";

const root = mkdtempSync(join(tmpdir(), "edgecare-commands-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

type Options = { state?: string; cwd?: string; env?: Record<string, string> };

function run(command: string, args: string[], { state = newFolder(), cwd, env }: Options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    // Nothing listens on this port.
    env: { ...process.env, PORT: "9", EDGECARE_STATE: state, ...env },
    ...(cwd && { cwd }),
  });
  return { status, stdout, stderr };
}

/** A script of package.json as npm runs it, without the second that npm needs itself. */
const npm = (script: string, args: string[] = [], options?: Options) => run("node", ["--run", script, "--", ...args], options);

/** A local database with one table, where Miniflare would store it. */
function newDatabase(state: string): void {
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, "0123.sqlite"));
  // biome-ignore lint/plugin: a constant; the rule does not read template strings without values.
  database.exec(`CREATE TABLE users (id TEXT, demo INTEGER); INSERT INTO users VALUES ('a', 1), ('b', 0);
    CREATE TABLE d1_migrations (name TEXT); INSERT INTO d1_migrations VALUES ('0000_foundation.sql');
    CREATE TABLE _cf_METADATA (x)`);
  database.close();
}

describe("development commands in production", () => {
  const commands = [["scripts/reset.mjs"], ["scripts/status.mjs"], ["scripts/logs.mjs"], ["scripts/db-browse.mjs"]];
  const demo = ["--recreate", "--live"].map((flag) => ["cli/edgecare.ts", "demo", flag]);

  it.each([...commands, ...demo])(
    "%s %s is refused by ENVIRONMENT, --remote, .dev.vars and a remote binding",
    (path = "", ...args) => {
      const state = newFolder();
      newDatabase(state);
      const script = resolve(path);
      const file = (name: string, text: string) => {
        const cwd = newFolder();
        writeFileSync(join(cwd, name), text);
        return cwd;
      };
      const attempts = [
        [args, { env: { ENVIRONMENT: "production" } }],
        [args, { env: { ENVIRONMENT: "" } }],
        [[...args, "--remote"], {}],
        [args, { cwd: file(".dev.vars", "ENVIRONMENT='production'\n") }],
        [args, { cwd: file("wrangler.toml", '[[d1_databases]]\nbinding = "DB"\nremote = true\n') }],
      ] as const;
      for (const [given, options] of attempts) {
        const { status, stdout, stderr } = run("node", [script, ...given], { state, ...options });
        expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: expect.stringMatching(/^Refused: .+\n$/) });
      }
      expect(existsSync(join(state, "v3"))).toBe(true);
    },
  );
});

describe("npm run reset", () => {
  it("is refused while a server uses the state", () => {
    const state = newFolder();
    newDatabase(state);
    writeFileSync(join(state, "running.json"), JSON.stringify({ pid: process.pid, url: "http://localhost:9" }));
    expect(npm("reset", [], { state })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("http://localhost:9 serves"),
    });
    expect(existsSync(join(state, "v3"))).toBe(true);
  });

  it("deletes the stores and the log, and recreates the database and the demo data", () => {
    const state = newFolder();
    newDatabase(state);
    writeFileSync(join(state, "edgecare.log"), "an old line\n");
    writeFileSync(join(state, "notes.txt"), "not the product's");
    const env = { EDGECARE_DEMO: VERIFY ? "on" : "off" };
    const { status, stdout, stderr } = npm("reset", [], { state, env });
    expect(status, stdout + stderr).toBe(0);
    if (VERIFY) expect(stdout).toContain("doc@demo.com");
    expect([existsSync(join(state, "edgecare.log")), existsSync(join(state, "notes.txt"))]).toEqual([false, true]);
    const report = npm("status", [], { state }).stdout;
    expect(report).toMatch(/^Migrations +\d+ applied, none pending$/m);
    expect(report).toMatch(VERIFY ? /^Demo data +loaded$/m : /^Demo data +not loaded$/m);
    const { stdout: count } = npm("db:browse", ["SELECT count(*) AS n FROM users", "--json"], { state });
    expect(count).toBe(VERIFY ? '{"n":5}\n' : '{"n":0}\n');
  }, 300_000);
});

describe("npm run status", () => {
  it("reports an empty state", () => {
    const state = join(newFolder(), "none");
    const { status, stdout } = npm("status", [], { state });
    expect(status).toBe(0);
    for (const line of [/^Product +down$/m, /^State .*, missing$/m, /^Migrations +no database yet$/m, /^Demo data +not loaded$/m])
      expect(stdout).toMatch(line);
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(stdout).toMatch(new RegExp(`^Version +${version}, commit \\S+$`, "m"));
  });

  it("lists pending migrations, and ignores a server that has stopped", () => {
    const state = newFolder();
    newDatabase(state);
    const { pid } = spawnSync("true");
    writeFileSync(join(state, "running.json"), JSON.stringify({ pid, url: "http://localhost:9" }));
    const { stdout } = npm("status", [], { state });
    expect(stdout).toMatch(/^Product +down$/m);
    expect(stdout).toMatch(/^Migrations +1 applied, pending: 0001_built_in\.sql, /m);
    expect(stdout).toMatch(/^Demo data +loaded$/m);
  });
});

describe("npm run db:browse", () => {
  const state = newFolder();
  newDatabase(state);

  it("lists the tables with their rows, or the rows of a query", () => {
    expect(npm("db:browse", [], { state }).stdout.replaceAll(/ +/g, " ")).toBe(
      "table rows\n------------- ----\nd1_migrations 1\nusers 2\n",
    );
    expect(npm("db:browse", ["SELECT * FROM users WHERE demo = 1"], { state }).stdout.replaceAll(/ +/g, " ")).toBe(
      "id demo\n-- ----\na 1\n",
    );
    expect(npm("db:browse", ["SELECT * FROM users WHERE demo = 2"], { state }).stdout).toBe("No rows.\n");
  });

  it.each(["DELETE FROM users", "CREATE TABLE x (y)", "UPDATE users SET demo = 0 RETURNING id"])("writes nothing: %s", (sql) => {
    expect(npm("db:browse", [sql], { state })).toMatchObject({ status: 1, stderr: expect.stringContaining("readonly database") });
    expect(npm("db:browse", ["SELECT count(*) AS n FROM users WHERE demo = 1", "--json"], { state }).stdout).toBe('{"n":1}\n');
  });

  it("says what is wrong with a query, and that there is no database", () => {
    expect(npm("db:browse", ["SELECT * FROM nobody"], { state })).toMatchObject({ status: 1, stderr: "no such table: nobody\n" });
    expect(npm("db:browse")).toMatchObject({ status: 1, stderr: expect.stringContaining("There is no database") });
  });
});

describe("npm run logs", () => {
  const line = (levelname: string, fields: Record<string, unknown>) =>
    `${JSON.stringify({ asctime: "2026-11-01T10:00:00.000Z", name: "edgecare", levelname, message: "m", pathname: "src/a.ts", lineno: 7, ...fields })}\n`;
  const state = newFolder();
  const log = join(state, "edgecare.log");
  const request = line("INFO", { request_id: "r1", status: 404 });
  const warning = line("WARNING", { request_id: "r1", error_id: "e1" });
  const error = line("ERROR", { request_id: "r2", error_id: "e2" });
  writeFileSync(log, request + warning + error);
  const json = (...args: string[]) => npm("logs", ["--json", ...args], { state }).stdout;

  it("filters by level, request and error", () => {
    expect(json()).toBe(request + warning + error);
    expect(json("--level", "warning")).toBe(warning + error);
    expect(json("--request", "r1")).toBe(request + warning);
    expect(json("--error", "e2")).toBe(error);
    expect(json("--request", "r1", "--level", "ERROR")).toBe("");
    // `node --run` has 1 for every failure.
    expect(run("npm", ["run", "--silent", "logs", "--", "--level", "LOUD"], { state }).status).toBe(2);
  });

  it("prints lines for people, with the position first", () => {
    expect(npm("logs", ["--request", "r1", "--level", "INFO"], { state }).stdout.split("\n")[0]).toBe(
      "2026-11-01T10:00:00.000Z INFO     src/a.ts:7  m  request_id=r1  status=404",
    );
    expect(npm("logs")).toMatchObject({ status: 1, stderr: expect.stringContaining("There is no log") });
  });

  it("--follow prints whole lines as they come, those of a new file too", async () => {
    const own = newFolder();
    const file = join(own, "edgecare.log");
    const child = spawn("node", ["scripts/logs.mjs", "--follow", "--json"], { env: { ...process.env, EDGECARE_STATE: own } });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const printed = (text: string) => expect.poll(() => output, { timeout: 60_000 }).toBe(text);
    try {
      writeFileSync(file, request + warning.slice(0, 20));
      await printed(request);
      appendFileSync(file, warning.slice(20) + error);
      await printed(request + warning + error);
      writeFileSync(file, error);
      await printed(request + warning + error + error);
    } finally {
      child.kill();
    }
  });
});

describe("positions in log lines", () => {
  it("are those of the source: of the call, and of the first own frame of an error", () => {
    const folder = newFolder();
    const bundle = join(folder, "index.js");
    const sources = ["src/a.ts", "node_modules/b/b.js"].map((path) => resolve(path));
    // Bundle line 3, column 3 is line 7 of src/a.ts; line 4, column 1 is line 1 of the package.
    writeFileSync(`${bundle}.map`, JSON.stringify({ version: 3, names: [], sources, mappings: ";;EAMA;ACNA" }));
    const line = { name: "edgecare", pathname: `file://${bundle}`, lineno: 3, colno: 3, message: "m" };
    expect(withSourcePositions(line)).toEqual({ name: "edgecare", pathname: "src/a.ts", lineno: 7, message: "m" });
    const at = `at f (file://${bundle}:4:1) at async g (file://${bundle}:3:5)`;
    expect(withSourcePositions({ ...line, lineno: 4, colno: 1, at })).toEqual({
      name: "edgecare",
      pathname: "src/a.ts",
      lineno: 7,
      message: "m",
      at: "at f (node_modules/b/b.js:1) at async g (src/a.ts:7)",
    });
    const deployed = { ...line, pathname: "file:///nowhere/index.js" };
    expect(withSourcePositions(deployed)).toMatchObject({ lineno: 3 });
    expect(withSourcePositions(deployed, bundle)).toMatchObject({ pathname: "src/a.ts", lineno: 7 });
    expect(withSourcePositions({ ...deployed, pathname: "file:///nowhere/other.js" }, bundle)).toMatchObject({ lineno: 3 });
  });
});
