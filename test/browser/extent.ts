// Duration of long-running tests: short by default, long with VERIFY=1.

/** Long runs also check durations in seconds, which needs an idle machine. */
export const isLong = process.env["VERIFY"] === "1";

/** For a duration that long runs check; short runs use the default timeout. */
export const within = (ms: number): { timeout?: number } => (isLong ? { timeout: ms } : {});

/** Multiplies the usual timeout of a page on a busy machine. */
const patience = Number(process.env["PATIENCE"] ?? 1);
export const patiently = (ms: number): number => ms * patience;
