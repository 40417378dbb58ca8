// Structured logs: one JSON line each, from an allow-list of keys, so that no name, value or token can reach them.
type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
const LEVELS: Level[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

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
};

/**
 * Writes one line with the keys asctime, name, levelname, message, pathname, lineno (the last two from the call site).
 * `message` is a constant of the code, never input.
 */
export function log(env: { LOG_LEVEL?: string }, level: Level, message: string, fields: Fields = {}): void {
  const wanted = LEVELS.indexOf((env.LOG_LEVEL ?? "INFO").toUpperCase() as Level);
  if (LEVELS.indexOf(level) < Math.max(wanted, 0)) return;
  console.log({
    asctime: new Date().toISOString(),
    name: "edgecare",
    levelname: level,
    message,
    ...callSite(),
    ...fields,
  });
}

function callSite(): { pathname: string; lineno: number } {
  const frame = new Error().stack?.split("\n")[3] ?? "";
  const found = /\(?([^()\s]+):(\d+):\d+\)?$/.exec(frame);
  return { pathname: found?.[1]?.replace(/^.*\/src\//, "src/") ?? "unknown", lineno: Number(found?.[2] ?? 0) };
}
