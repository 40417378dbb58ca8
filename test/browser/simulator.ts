// `edgecare simulate` beside a test: monitors of a hospital's own patients.
import { type ChildProcess, spawn } from "node:child_process";
import type { Login } from "./api.ts";
import { urlOfProduct } from "./product.ts";

export type Simulator = { stop: () => Promise<void>; said: () => string };

/** @param args as the README has them, without the address and the login */
export function simulate(nurse: Login, args: readonly string[]): Simulator {
  const who = ["--url", urlOfProduct(), "--email", nurse.email, "--password", nurse.password];
  const child: ChildProcess = spawn("node", ["cli/edgecare.ts", "simulate", ...args, ...who], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      said += chunk;
    });
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    said: () => said,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
