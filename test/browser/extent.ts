// How long soaks last: short in every run, long with VERIFY=1.

/** Long runs also hold what is promised in seconds, which takes a machine that does nothing else. */
export const isLong = process.env["VERIFY"] === "1";

/** For what has to be seen so soon: held in long runs, and waited for as usual in short ones. */
export const within = (ms: number): { timeout?: number } => (isLong ? { timeout: ms } : {});

/** Times more than usual that a page may take, on a machine that does something else too. */
const patience = Number(process.env["PATIENCE"] ?? 1);
export const patiently = (ms: number): number => ms * patience;
