// Structured logs: one JSON line each, from an allow-list of keys, so that no name, value or token can reach them.
type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
const LEVELS: readonly string[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] satisfies Level[];

/** What a line may carry besides its message: ids, codes and numbers made by us. */
export type Fields = {
  request_id?: string;
  error_id?: string;
  actor?: string;
  route?: string;
  method?: string;
  status?: number;
  duration_ms?: number;
  code?: string;
  cause?: string;
  at?: string | undefined;
  variable?: string;
  count?: number;
  action?: string;
  basis?: string;
  role?: string;
  reason?: string;
  /** Of an error in a Durable Object: its class, what it was doing, and its name. */
  object?: string;
  operation?: string;
  object_id?: string;
  /** Of a stored document that cannot be read: its name and the place in it. */
  document?: string;
  position?: string;
  /** Names of keys, never keys. */
  kid?: string;
};

/** The least level that is written: LOG_LEVEL in any case, INFO for what is no level. */
function threshold(name = ""): number {
  const found = LEVELS.indexOf(name.trim().toUpperCase());
  return found < 0 ? LEVELS.indexOf("INFO") : found;
}

/**
 * Writes one line with the keys asctime, name, levelname, message, pathname, lineno (the last two from the call site).
 * `message` is a constant of the code, never input.  @param through how many functions the call came that only pass it on
 */
export function log(env: { LOG_LEVEL?: string }, level: Level, message: string, fields: Fields = {}, through = 0): void {
  if (LEVELS.indexOf(level) < threshold(env.LOG_LEVEL)) return;
  console.log({
    asctime: new Date().toISOString(),
    name: "edgecare",
    levelname: level,
    message,
    ...callSite(through),
    ...fields,
  });
}

function callSite(through: number): { pathname: string; lineno: number } {
  const frame = new Error().stack?.split("\n")[3 + through] ?? "";
  const found = /\(?([^()\s]+):(\d+):\d+\)?$/.exec(frame);
  return { pathname: found?.[1]?.replace(/^.*\/src\//, "src/") ?? "unknown", lineno: Number(found?.[2] ?? 0) };
}
