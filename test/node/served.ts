// Global set-up: builds and starts the product once for all tests of the served project.
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createStateFolder, deleteStateFolder, killGroupOf, newDemoState, startServer } from "./server.ts";

/** `npm start` in a new folder, as in a fresh clone; then copies of the result, without another build. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = createStateFolder();
  const started = await startServer(state, { demo: true });
  const { url, pid, startedInMs } = started;
  // Copied before the first request, so that the files do not change meanwhile.
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
    // product.test.ts has killed it, if that file was run.
    await killGroupOf(pid, url).catch(() => undefined);
    for (const folder of [state, demo, copy]) deleteStateFolder(folder);
  };
}
