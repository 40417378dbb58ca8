// A deadline for a call whose other side may never respond.

/** The result of the work, or an error after `ms` milliseconds; the work itself is not stopped. @throws Error */
export function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no response in time")), ms);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
