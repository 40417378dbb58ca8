// Before all tests: the product with the demo world, on a port and in a folder of its own, unless one is named.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createStateFolder, deleteStateFolder, startServer } from "../node/server.ts";

export const productUrl = (): string => {
  const url = process.env["EDGECARE_URL"];
  if (!url) throw new Error("no product is served");
  return url;
};

/** What the server has said so far; null of one that runs already, which keeps it to itself. */
export function readProductLog(): string | null {
  const file = process.env["EDGECARE_LOG"];
  return file ? readFileSync(file, "utf8") : null;
}

export default async function startProduct(): Promise<(() => Promise<void>) | undefined> {
  if (process.env["EDGECARE_URL"]) return undefined;
  const state = createStateFolder();
  const log = join(state, "server.log");
  const server = await startServer(state, { demo: true, log });
  // A server that a test starts beside this one must leave the folder alone that this one serves.
  process.env["EDGECARE_BUILD"] = "reuse";
  // The workers, which start later, find them there.
  process.env["EDGECARE_URL"] = server.url;
  process.env["EDGECARE_LOG"] = log;
  return async () => {
    await server.kill();
    deleteStateFolder(state);
  };
}
