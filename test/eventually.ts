import { vi } from "vitest";

/** Repeats a check until it holds: the limit is for a busy machine, and no test of speed. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000, interval: 50 });
