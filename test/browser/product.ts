// Before all tests: the product with the demo world, on a port and in a folder of its own, unless one is named.
import { dropState, newState, startServer } from "../node/server.ts";

export const urlOfProduct = (): string => {
  const url = process.env["EDGECARE_URL"];
  if (!url) throw new Error("no product is served");
  return url;
};

export default async function serve(): Promise<(() => Promise<void>) | undefined> {
  if (process.env["EDGECARE_URL"]) return undefined;
  const state = newState();
  const server = await startServer(state, { demo: true });
  // The workers, which start later, find it there.
  process.env["EDGECARE_URL"] = server.url;
  return async () => {
    await server.kill();
    dropState(state);
  };
}
