// Global set-up: the product with the demo data on its own port and folder, unless EDGECARE_URL is set.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createStateFolder, deleteStateFolder, newDemoState, startServer } from "../node/server.ts";

export const productUrl = (): string => {
  const url = process.env["EDGECARE_URL"];
  if (!url) throw new Error("no product is served");
  return url;
};

/** The server's output so far; null for a server that was already running. */
export function readProductLog(): string | null {
  const file = process.env["EDGECARE_LOG"];
  return file ? readFileSync(file, "utf8") : null;
}

/** A folder with the demo data, for tests that start a server of their own from a copy. */
export function demoState(): string {
  const folder = process.env["EDGECARE_DEMO_STATE"];
  if (!folder) throw new Error("no folder with the demo data was kept");
  return folder;
}

/** Origins of three ports that nobody listens on now. */
async function findFreeOrigins(): Promise<[string, string, string]> {
  const probes = [1, 2, 3].map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const [first, second, third] = probes.map((probe) => {
    const address = probe.address();
    probe.close();
    if (!address || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }) as [string, string, string];
  return [first, second, third];
}

export default async function startProduct(): Promise<(() => Promise<void>) | undefined> {
  if (process.env["EDGECARE_URL"]) return undefined;
  const state = createStateFolder();
  const log = join(state, "server.log");
  // The services of push.spec.ts, notifications.spec.ts and webhooks.spec.ts, which listen while their tests run.
  const [push, secondPush, webhook] = await findFreeOrigins();
  process.env["PUSH_TEST_ORIGINS"] = `${push},${secondPush}`;
  process.env["WEBHOOK_TEST_ORIGINS"] = webhook;
  const server = await startServer(state, { demo: true, log });
  // Copied before the first request, so that the files do not change meanwhile.
  const demo = newDemoState(state);
  // The workers, which start later, read them.
  process.env["EDGECARE_URL"] = server.url;
  process.env["EDGECARE_LOG"] = log;
  process.env["EDGECARE_DEMO_STATE"] = demo;
  return async () => {
    await server.kill();
    for (const folder of [state, demo]) deleteStateFolder(folder);
  };
}
