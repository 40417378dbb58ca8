// The product that test/node/served.ts starts. Every file of the served project waits for it: a build reloads servers.
import { existsSync, readFileSync } from "node:fs";
import { inject } from "vitest";

export type Served = {
  /** As `npm start` left it in a new folder; product.test.ts changes it. */
  product: { url: string; state: string; pid: number; startedInMs: number; output: string };
  /** A server with the demo data that tests may read and write, but not stop. */
  shared: { url: string; registry: string };
  /** A folder with the demo data; a test that stops its server makes a copy. */
  demo: string;
};
export type Outcome = { served: Served } | { error: string };

async function findServed(): Promise<Served> {
  const file = inject("servedOutcome");
  // startServer() gives up after some minutes, and then writes why.
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 100));
  const outcome: Outcome = JSON.parse(readFileSync(file, "utf8"));
  if ("error" in outcome) throw new Error(outcome.error);
  return outcome.served;
}

export const served = await findServed();
