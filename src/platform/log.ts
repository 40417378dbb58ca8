// Structured logs: one JSON line per event, with an allow-list of fields, so that no name, value or token is logged.
type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
const LEVELS: readonly string[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] satisfies Level[];

/** Fields a line may carry besides its message: ids, codes and numbers of the service. */
export type LogFields = {
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
  /** For an error in a Durable Object: its class, operation and name. */
  object?: string;
  operation?: string;
  object_id?: string;
  /** For a stored document that cannot be read: its name and the position in it. */
  document?: string;
  position?: string;
  /** Names of keys, never key material. */
  kid?: string;
};

/** The minimum level: LOG_LEVEL in any case, INFO when it is not a level. */
function minimumLevelIndex(name = ""): number {
  const found = LEVELS.indexOf(name.trim().toUpperCase());
  return found < 0 ? LEVELS.indexOf("INFO") : found;
}

/** Set by `npm start`: lines are then written as JSON text, because wrangler prints objects over several lines. */
declare const LOG_AS_TEXT: true | undefined;

/**
 * Writes one line with the keys asctime, name, levelname, message, pathname, lineno, colno and `fields`.
 * The position is that of the call to `log`; with `at`, that of the error.
 * `message` is a constant, never input.  @param extraFrames number of wrapper functions between the caller and `log`
 */
export function log(env: { LOG_LEVEL?: string }, level: Level, message: string, fields: LogFields = {}, extraFrames = 0): void {
  if (LEVELS.indexOf(level) < minimumLevelIndex(env.LOG_LEVEL)) return;
  const position = fields.at ? thrownAt(fields.at) : findCallSite(level, message, extraFrames);
  const line = { asctime: new Date().toISOString(), name: "edgecare", levelname: level, message, ...position, ...fields };
  console.log(typeof LOG_AS_TEXT === "undefined" ? line : JSON.stringify(line));
}

type Position = { pathname: string; lineno: number; colno: number };

/** Call sites by message of what any request can cause; only the first in an isolate captures a stack. */
const callSites = new Map<string, Position>();

function findCallSite(level: Level, message: string, extraFrames: number): Position {
  const isFrequent = level === "INFO" || level === "WARNING";
  const known = isFrequent ? callSites.get(message) : undefined;
  if (known) return known;
  const position = positionIn(new Error().stack?.split("\n")[3 + extraFrames] ?? "");
  if (isFrequent) callSites.set(message, position);
  return position;
}

/** The first stack position in EdgeCare's own code, else the first position. */
function thrownAt(stack: string): Position {
  const frames = stack.split(/(?=\bat )/);
  return positionIn(frames.find((frame) => frame.includes("/src/") && !frame.includes("node_modules")) ?? frames[0] ?? "");
}

function positionIn(frame: string): Position {
  const [, path, line = 0, column = 0] = /\(?([^()\s]+):(\d+):(\d+)\)?\s*$/.exec(frame) ?? [];
  return { pathname: path?.replace(/^.*\/src\//, "src/") ?? "unknown", lineno: Number(line), colno: Number(column) };
}
