// Deadlines of calls that may never return.

export class DeadlineError extends Error {
  override name = "DeadlineError";
}

/** Rejects with DeadlineError unless the work settles in time. The work itself continues. */
export function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} did not respond within ${ms} ms`)), ms);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
