// Background work of requests whose test did not wait for it. It must not run into the emptied stores of the next test file.

const MAX_WAIT_MS = 2_000;
const running = new Set<Promise<unknown>>();

/** Failures count for nobody: the test has injected them. */
export function leaveInBackground(work: Promise<unknown>): void {
  const settled = work.catch(() => undefined).finally(() => running.delete(settled));
  running.add(settled);
}

/** Waits for what is left, except for calls that never return. */
export async function awaitBackground(): Promise<void> {
  await Promise.race([Promise.all(running), scheduler.wait(MAX_WAIT_MS)]);
  running.clear();
}
