// Builds and starts the product once for all tests of the served project.
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createStateFolder, deleteStateFolder, killGroupOf, newDemoState, startServer } from "./server.ts";

/** `npm start` in a new folder, as a newcomer's; then copies of what it made, without another build. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = createStateFolder();
  const started = await startServer(state, { demo: true });
  const { url, pid, startedInMs } = started;
  // Nobody has asked it for anything yet, so that its files do not change while they are copied.
  const demo = createStateFolder();
  cpSync(state, demo, { recursive: true });
  const copy = newDemoState(demo);
  const registry = join(demo, "registry");
  const shared = await startServer(copy, { demo: false, build: false, registry });
  project.provide("served", {
    product: { url, state, pid, startedInMs, output: started.output() },
    shared: { url: shared.url, registry },
    demo,
  });
  return async () => {
    await shared.kill();
    // product.test.ts has killed it, unless it was not run.
    await killGroupOf(pid, url).catch(() => undefined);
    for (const folder of [state, demo, copy]) deleteStateFolder(folder);
  };
}
