// The timer for pauses of a stream holds no chunk in memory.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { IdleTimer } from "../../src/http/idle-timer.ts";

const CHUNKS = 50;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Waits for chunks one after another. @returns how many of them are still in memory at the end */
async function countHeld(startWait: () => Promise<never>): Promise<number> {
  const chunks: WeakRef<Uint8Array>[] = [];
  const receive = async () => {
    const chunk = new Uint8Array(100_000);
    chunks.push(new WeakRef(chunk));
    return chunk;
  };
  for (let i = 0; i < CHUNKS; i++) await Promise.race([receive(), startWait()]);
  // A WeakRef holds its target until the end of the task.
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  return chunks.filter((chunk) => chunk.deref() !== undefined).length;
}

it("holds no chunk of a stream; one promise for all waits would hold each", async () => {
  const timer = new IdleTimer(60_000, () => new Error("idle"));
  const { promise } = Promise.withResolvers<never>();
  expect(await countHeld(() => promise)).toBe(CHUNKS);
  expect(await countHeld(() => timer.start())).toBeLessThan(3);
  timer.end();
});
