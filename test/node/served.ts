// Global set-up of the served project: builds and starts the product once, in the background while other tests run.
import { cpSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { VERIFY } from "../long.ts";
import type { Outcome, Served } from "./served-product.ts";
import { createStateFolder, deleteStateFolder, killGroupOf, newDemoState, type Server, startServer } from "./server.ts";

/** Provides a file that will hold the outcome; test/node/served-product.ts waits for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = createStateFolder();
  const demo = createStateFolder();
  const outcomeFile = join(createStateFolder(), "outcome.json");
  const servers: Server[] = [];
  const serving = serve(state, demo, servers).then(
    (served): Outcome => ({ served }),
    (error): Outcome => ({ error: String(error) }),
  );
  let isSettled = false;
  const written = serving.then((outcome) => {
    writeFileSync(`${outcomeFile}.new`, JSON.stringify(outcome));
    // A reader finds all of it, or nothing.
    renameSync(`${outcomeFile}.new`, outcomeFile);
    isSettled = true;
  });
  project.provide("servedOutcome", outcomeFile);
  // The time until `npm start` responds is checked only there.
  if (VERIFY) await written;
  // Other tests would write the same file at the same time.
  while (!existsSync(".dev.vars") && !isSettled) await new Promise((resolve) => setTimeout(resolve, 100));
  return async () => {
    await written;
    // product.test.ts has killed the first one, if that file was run.
    for (const { pid, url } of servers) await killGroupOf(pid, url).catch(() => undefined);
    for (const folder of [state, demo, join(outcomeFile, ".."), ...servers.map((server) => server.state)])
      deleteStateFolder(folder);
  };
}

/** `npm start` in a new folder, as in a fresh clone; then copies of the result, without another build. */
async function serve(state: string, demo: string, servers: Server[]): Promise<Served> {
  const product = await startServer(state, { demo: true });
  servers.push(product);
  const { url, pid, startedInMs } = product;
  // Copied before the first request, so that the files do not change meanwhile.
  cpSync(state, demo, { recursive: true });
  const registry = join(demo, "registry");
  const shared = await startServer(newDemoState(demo), { demo: false, build: false, registry });
  servers.push(shared);
  return {
    product: { url, state, pid, startedInMs, output: product.output() },
    shared: { url: shared.url, registry },
    demo,
  };
}
