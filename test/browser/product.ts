// Global set-up: the product with the demo data on its own port and folder, unless EDGECARE_URL is set.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createStateFolder, deleteStateFolder, startServer } from "../node/server.ts";

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

export default async function startProduct(): Promise<(() => Promise<void>) | undefined> {
  if (process.env["EDGECARE_URL"]) return undefined;
  const state = createStateFolder();
  const log = join(state, "server.log");
  const server = await startServer(state, { demo: true, log });
  // A server that a test starts must not rebuild the folder that this one serves.
  process.env["EDGECARE_BUILD"] = "reuse";
  // The workers, which start later, read them.
  process.env["EDGECARE_URL"] = server.url;
  process.env["EDGECARE_LOG"] = log;
  return async () => {
    await server.kill();
    deleteStateFolder(state);
  };
}
