// Shared parts of the development commands: the refusal in production, the state folder and the server that uses it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readDevVars } from "../dev-secrets.mjs";

/** The folder of the local stores, the log and the entry of the running server. */
export const stateFolder = () => process.env.EDGECARE_STATE ?? ".wrangler/state";
export const logFile = (state) => `${state}/edgecare.log`;
export const runningFile = (state) => `${state}/running.json`;

/** Why a development command must not run here, or null. A folder without settings is a fresh clone, so development. */
export function productionReason(args = []) {
  if (args.some((arg) => /^--(remote|env)\b/.test(arg))) return "Refused: this command works on local data only.";
  const config = existsSync("wrangler.toml") ? readFileSync("wrangler.toml", "utf8") : "";
  if (/^\s*(experimental_)?remote\s*=\s*true/m.test(config)) return "Refused: wrangler.toml names a remote binding.";
  const fromFile = Object.fromEntries(readDevVars()).ENVIRONMENT;
  const named = [process.env.ENVIRONMENT, fromFile].find((name) => name !== undefined && !/^(development|test)$/.test(name));
  return named === undefined ? null : `Refused: this command is for development; ENVIRONMENT is ${named || "empty"}.`;
}

/** Exits if the command must not run here. */
export function requireDevelopment(args = process.argv.slice(2)) {
  const reason = productionReason(args);
  if (!reason) return;
  console.error(reason);
  process.exit(1);
}

/** The entry that `npm start` wrote for the server on this state folder; null if that process has ended. */
export function runningServer(state) {
  try {
    const entry = JSON.parse(readFileSync(runningFile(state), "utf8"));
    process.kill(entry.pid, 0);
    return entry;
  } catch {
    return null;
  }
}

/** The version of the package, and the commit of the folder if git knows it. */
export function versionHere() {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty", "--abbrev=10"], { encoding: "utf8" });
  return { version, commit: status === 0 ? stdout.trim() : "unknown" };
}
