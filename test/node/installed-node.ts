// Runs commands as a shell does, on the Node that is installed and not on that of the npm package `node`.
import { spawn, spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { text } from "node:stream/consumers";

/** The environment of a shell, without what npm adds for its scripts. */
function shellEnvironment() {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !/node_modules[\\/]\.bin$/.test(folder));
  const env = { ...process.env, PATH: path.join(delimiter) };
  for (const name of Object.keys(env)) if (/^npm_/i.test(name)) Reflect.deleteProperty(env, name);
  return { ...env, npm_config_offline: "true", npm_config_update_notifier: "false" };
}

const env = shellEnvironment();
/** The version of the Node that a shell finds; empty if there is none. */
export const installedNode = spawnSync("node", ["--version"], { env, encoding: "utf8" }).stdout?.trim() ?? "";

/** @param signalAt output at which the process group gets SIGINT, as from a terminal's Ctrl-C */
export function runInShell(command: string, args: string[], signalAt?: RegExp) {
  const child = spawn(command, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  let seen = "";
  const watch = (chunk: Buffer) => {
    const before = signalAt?.test(seen);
    seen += chunk;
    if (signalAt?.test(seen) && !before) process.kill(-(child.pid ?? 0), "SIGINT");
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", watch);
  return Promise.all([code, text(child.stdout), text(child.stderr)]).then(([status, stdout, stderr]) => ({
    status,
    stdout,
    stderr,
  }));
}
