// The product as `npm start` serves it, with its own folder and port; stopped with its whole process group.
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../../bench/free-port.ts";

export type Server = {
  url: string;
  state: string;
  pid: number;
  startedInMs: number;
  kill: () => Promise<void>;
  output: () => string;
};

/** Build and start take half a minute; a busy machine may need several times as long. */
const PATIENCE = 300_000;

export function createStateFolder(): string {
  return mkdtempSync(join(tmpdir(), "edgecare-test-"));
}

export function deleteStateFolder(state: string): void {
  rmSync(state, { recursive: true, force: true });
}

export async function isReachable(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
}

/** A separate folder with the demo data. */
export function newDemoState(demo: string): string {
  const state = createStateFolder();
  cpSync(demo, state, { recursive: true });
  return state;
}

type Options = {
  demo: boolean;
  /** Simulates patients of the demo ward, as `npm start` does. */
  ward?: boolean;
  /** False if dist/ exists: a build makes every running server reload. */
  build?: boolean;
  port?: number;
  /** Folder in which wrangler registers running servers by name. */
  registry?: string;
  /** A project folder with secrets of its own; otherwise this one. */
  cwd?: string;
  /** A file for all output, for readers other than the parent process. */
  log?: string;
};

const STARTS = 3;

/** Starts the server and waits until it responds. @param state a folder that keeps the stores between starts */
export async function startServer(state: string, options: Options): Promise<Server> {
  for (let start = 1; ; start++) {
    try {
      return await startOnce(state, options, options.port ?? (await findFreePort()));
    } catch (error) {
      // A port that was free may have been taken before the server listened.
      const isPortTaken = options.port === undefined && String(error).includes("Address already in use");
      if (!isPortTaken || start === STARTS) throw error;
    }
  }
}

async function startOnce(state: string, options: Options, port: number): Promise<Server> {
  const url = `http://localhost:${port}`;
  const started = Date.now();
  let output = "";
  const child: ChildProcess = spawn("node", ["scripts/start.mjs"], {
    detached: true,
    ...(options.cwd && { cwd: options.cwd }),
    env: {
      ...process.env,
      PORT: String(port),
      EDGECARE_STATE: state,
      EDGECARE_DEMO: options.demo ? "on" : "off",
      // Its values would be among those that tests count.
      EDGECARE_DEMO_WARD: options.ward ? "on" : "off",
      EDGECARE_CRON: "off",
      EDGECARE_BUILD: options.build === false ? "off" : (process.env["EDGECARE_BUILD"] ?? "on"),
      ...(options.registry && { WRANGLER_REGISTRY_PATH: options.registry }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
      if (options.log) appendFileSync(options.log, chunk);
    });
  }
  while (!(await isReachable(url))) {
    if (child.exitCode !== null || Date.now() - started > PATIENCE) {
      await killGroup(child, url);
      throw new Error(`the server did not start:\n${output.slice(-4000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url,
    state,
    pid: child.pid ?? 0,
    startedInMs: Date.now() - started,
    kill: () => killGroup(child, url),
    output: () => output,
  };
}

/** kill -9 of the whole group: killing only the parent leaves a workerd that keeps the port. */
export async function killGroup(child: ChildProcess, url: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await killGroupOf(child.pid, url);
}

/** Kills a server that another process has started. */
export async function killGroupOf(pid: number, url: string): Promise<void> {
  process.kill(-pid, "SIGKILL");
  while (await isReachable(url)) await new Promise((resolve) => setTimeout(resolve, 50));
}
