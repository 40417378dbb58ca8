// A proxy between browser and product whose connections a test can cut in the middle of a transfer.
import { connect, createServer } from "node:net";
import { productUrl } from "./product.ts";

export type CuttableProxy = {
  url: string;
  /** Blocks everything after so many bytes: a browser retries a reused connection by itself. */
  cutAfter: (bytes: number) => void;
  mend: () => void;
  end: () => void;
};

/** Delay between two chunks of a request that will be cut: a busy browser has time to report progress to its page. */
const CHUNK_PAUSE_MS = 10;

export async function startProxy(): Promise<CuttableProxy> {
  const product = new URL(productUrl());
  let left = Number.POSITIVE_INFINITY;
  const server = createServer((browser) => {
    const onward = connect(Number(product.port), product.hostname);
    const cut = () => {
      browser.resetAndDestroy();
      onward.destroy();
    };
    browser.on("error", cut).on("close", cut);
    onward.on("error", cut).on("close", cut);
    onward.pipe(browser);
    browser.on("data", (bytes) => {
      left -= bytes.length;
      if (left < 0) return cut();
      onward.write(bytes);
      if (left === Number.POSITIVE_INFINITY) return;
      browser.pause();
      setTimeout(() => browser.resume(), CHUNK_PAUSE_MS);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://localhost:${port}`,
    cutAfter(bytes) {
      left = bytes;
    },
    mend() {
      left = Number.POSITIVE_INFINITY;
    },
    end() {
      server.close();
    },
  };
}
