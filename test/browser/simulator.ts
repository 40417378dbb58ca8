// `edgecare simulate` beside a test: monitors of a hospital's own patients.
import { type ChildProcess, spawn } from "node:child_process";
import type { Login } from "./api.ts";
import { productUrl } from "./product.ts";

export type Simulator = { stop: () => Promise<void>; output: () => string };

/** @param args as the README has them, without the address and the login */
export function startSimulator(nurse: Login, args: readonly string[]): Simulator {
  const who = ["--url", productUrl(), "--email", nurse.email, "--password", nurse.password];
  const child: ChildProcess = spawn("node", ["cli/edgecare.ts", "simulate", ...args, ...who], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    output: () => output,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
