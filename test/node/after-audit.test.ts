// Work that runs in parallel with the audit write: its result is never returned before the event is stored.
import { describe, expect, it } from "vitest";
import { afterAudit } from "../../src/access/audit.ts";

/** The known-bad twin: returns the result as soon as it is available. */
const tooEarly = <T>(_stored: Promise<unknown>, work: Promise<T>): Promise<T> => work;

async function isGivenBeforeStored(answer: typeof afterAudit): Promise<boolean> {
  const stored = Promise.withResolvers<void>();
  let given = false;
  const answered = answer(stored.promise, Promise.resolve("a name")).then(() => {
    given = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const early = given;
  stored.resolve();
  await answered;
  return early;
}

describe("work in parallel with the audit write", () => {
  it("waits until the event is stored, unlike its twin that does not", async () => {
    expect(await isGivenBeforeStored(afterAudit)).toBe(false);
    expect(await isGivenBeforeStored(tooEarly)).toBe(true);
  });

  it("returns nothing when the event was not stored", async () => {
    const failed = Promise.reject(new Error("not stored"));
    await expect(afterAudit(failed, Promise.resolve("a name"))).rejects.toThrow("not stored");
  });

  it("fails as it failed, once the event is stored", async () => {
    const stored = new Promise((resolve) => setTimeout(resolve, 20));
    await expect(afterAudit(stored, Promise.reject(new Error("tampered")))).rejects.toThrow("tampered");
  });
});
