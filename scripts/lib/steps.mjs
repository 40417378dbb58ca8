// Runs commands one after another: passes output on, measures the time and extracts key figures.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

const SIGNALS = ["SIGINT", "SIGTERM"];

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} command a shell command
 * @property {Record<string, string>} [env] additional environment variables
 * @property {string[]} [figures] patterns of lines for the table; for each, the last match is shown
 * @property {boolean} [busy] whether one core is kept busy meanwhile
 */

/** Steps from a JSON file instead of the built-in ones. @returns {Step[]} */
export const stepsFrom = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Keeps one core busy until the returned process is killed, or this one ends. */
function busyLoop() {
  const parent = process.pid;
  const loop = `for (let n = 0; ; n++) if (n % 1e8 === 0) try { process.kill(${parent}, 0) } catch { process.exit() }`;
  return spawn(process.execPath, ["-e", loop], { stdio: "ignore" });
}

/** @param {Step} step  @returns {Promise<{ code: number, seconds: number, output: string }>} output without colours */
export async function runStep({ command, env, busy }) {
  const started = performance.now();
  const other = busy ? busyLoop() : null;
  let output = "";
  const stdio = ["ignore", "pipe", "pipe"];
  let child = null;
  const stop = () => {
    other?.kill("SIGKILL");
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    process.exit(130);
  };
  // Before the command starts: a signal that comes with its first output must end it too.
  for (const signal of SIGNALS) process.on(signal, stop);
  // A process group of its own: killing only the shell would leave its children running.
  child = spawn(command, { shell: true, detached: true, env: { ...process.env, ...env }, stdio });
  const pass = (from, to) => {
    from.on("data", (chunk) => {
      output += chunk;
      to.write(chunk);
    });
  };
  pass(child.stdout, process.stdout);
  pass(child.stderr, process.stderr);
  const code = await new Promise((resolve) => child.on("close", (status) => resolve(status ?? 1)));
  for (const signal of SIGNALS) process.off(signal, stop);
  other?.kill("SIGKILL");
  return { code, seconds: (performance.now() - started) / 1000, output: stripVTControlCharacters(output) };
}

/** The last match of each pattern in the output. */
export function figuresIn(output, patterns = []) {
  return patterns.flatMap((pattern) => [...output.matchAll(new RegExp(pattern, "gm"))].at(-1)?.[0].trim() ?? []);
}

/** Names of failed tests as Vitest (`FAIL  |project| file > test`) and Playwright (`  1) file:line:column › test`) print them. */
export function failedTests(output) {
  const found = output.matchAll(/^ *(?:FAIL +|\d+\) (?=\S+:\d+:\d+ › ))(.+?)(?: ─+)?$/gm);
  return [...new Set([...found].map(([, name]) => name?.trim() ?? ""))];
}

export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
