// A provider for tests in workerd: a real HTTP server on this machine. The path says how it behaves, and it counts what it accepted.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

/**
 * `/<key>/<behaviour>` with the header `Delivery-Id`. `lost` accepts and closes the connection without an answer; `close` closes it
 * before it accepts; `hang` never answers. `GET /<key>` lists what was accepted, as pairs of id and times in epoch milliseconds.
 */
const BEHAVIOURS: Record<string, (accept: () => void, request: IncomingMessage, response: ServerResponse) => void> = {
  ok: (accept, _, response) => {
    accept();
    response.end("queued");
  },
  500: (_, __, response) => response.writeHead(500).end("internal error"),
  429: (_, __, response) => response.writeHead(429, { "Retry-After": "120" }).end("too many"),
  410: (_, __, response) => response.writeHead(410).end("gone"),
  hang: () => undefined,
  close: (_, request) => request.socket.destroy(),
  lost: (accept, request) => {
    accept();
    request.socket.destroy();
  },
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const accepted = new Map<string, [string, number][]>();
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const [, key = "", behaviour] = (request.url ?? "").split("/");
      if (behaviour === undefined) return void response.end(JSON.stringify(accepted.get(key) ?? []));
      const accept = () => {
        const ofKey = accepted.get(key) ?? [];
        ofKey.push([String(request.headers["delivery-id"]), Date.now()]);
        accepted.set(key, ofKey);
      };
      BEHAVIOURS[behaviour]?.(accept, request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("provider", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
