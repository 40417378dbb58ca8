// Runs `edgecare simulate` during a test, for patients of the test's hospital.
import { type ChildProcess, spawn } from "node:child_process";
import type { Login } from "./api.ts";
import { productUrl } from "./product.ts";

export type Simulator = { stop: () => Promise<void>; output: () => string };

/** @param args as in the README, without the URL and the login */
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
