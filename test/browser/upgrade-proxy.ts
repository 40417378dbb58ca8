// A proxy between browser and product that refuses WebSockets, as some hospital networks do, until a test lets them pass.
import { connect, createServer } from "node:net";
import { productUrl } from "./product.ts";

export type UpgradeProxy = { url: string; allowUpgrades: () => void; end: () => void };

const REFUSAL = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

export async function startUpgradeProxy(): Promise<UpgradeProxy> {
  const product = new URL(productUrl());
  let refuses = true;
  const server = createServer((browser) => {
    // A browser opens a connection of its own for each WebSocket, so its first bytes tell.
    browser.once("data", (head) => {
      if (refuses && /^upgrade: websocket\r$/im.test(head.toString("latin1"))) return browser.end(REFUSAL);
      const onward = connect(Number(product.port), product.hostname);
      const close = () => {
        browser.destroy();
        onward.destroy();
      };
      onward.on("error", close).on("close", close);
      browser.on("close", close);
      onward.write(head);
      browser.pipe(onward).pipe(browser);
    });
    browser.on("error", () => browser.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://localhost:${typeof address === "object" && address ? address.port : 0}`,
    allowUpgrades() {
      refuses = false;
    },
    end() {
      server.close();
    },
  };
}
