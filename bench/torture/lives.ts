// One server after another on the same stores: started, killed with SIGKILL, started again.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../free-port.ts";
import { readObjects } from "../server.ts";
import type { ServeOptions } from "./serve.ts";
import type { World } from "./world.ts";

/** A running server; `url` ends with `/api/v1`. */
export type Life = { child: ChildProcess; url: string };
export type LivesOptions = Pick<ServeOptions, "main" | "patients" | "rateLimit">;
export type Lives = {
  /** The folder of the stores. */
  state: string;
  /** The users and patients that the first start has created. */
  readWorld(): World;
  start(): Promise<Life>;
};

/** Calls `run` with stores of their own; kills the last server and deletes the stores after it. */
export async function withLives<T>(options: LivesOptions, run: (lives: Lives) => Promise<T>): Promise<T> {
  const state = mkdtempSync(join(tmpdir(), "edgecare-torture-"));
  const served = { ...options, state, port: await findFreePort(), objects: await readObjects() };
  let last: Life | null = null;
  const start = async (): Promise<Life> => {
    last = await startServer(served);
    return last;
  };
  try {
    return await run({ state, start, readWorld: () => JSON.parse(readFileSync(join(state, "world.json"), "utf8")) });
  } finally {
    if (last) await killServer(last);
    rmSync(state, { recursive: true, force: true });
  }
}

async function startServer(options: ServeOptions): Promise<Life> {
  const args = ["bench/torture/serve.ts", JSON.stringify(options)];
  const child = spawn("node", args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => String(chunk).includes("ready") && resolve());
    child.on("exit", (code) => reject(new Error(`the server exited with ${code}`)));
  });
  return { child, url: `http://127.0.0.1:${options.port}/api/v1` };
}

/** Kills the whole group and waits until the port refuses: an orphan would answer the requests to the next server. */
export async function killServer({ child, url }: Life): Promise<void> {
  child.removeAllListeners("exit");
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
  for (;;) {
    const alive = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      () => true,
      (error) => error?.cause?.code !== "ECONNREFUSED",
    );
    if (!alive) return;
  }
}
