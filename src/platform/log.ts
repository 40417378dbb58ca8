// Structured logs: one JSON line each, from an allow-list of keys, so that no name, value or token can reach them.
type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";
const LEVELS: readonly string[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] satisfies Level[];

/** What a line may carry besides its message: ids, codes and numbers made by us. */
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
function minimumLevelIndex(name = ""): number {
  const found = LEVELS.indexOf(name.trim().toUpperCase());
  return found < 0 ? LEVELS.indexOf("INFO") : found;
}

/** Set by `npm start`: the line is then written as JSON text, because wrangler prints objects over several lines. */
declare const LOG_AS_TEXT: true | undefined;

/**
 * Writes one line with the keys asctime, name, levelname, message, pathname and lineno, and with `fields`.
 * The position is where `log` was called; with `at`, where the error was thrown.
 * `message` is a constant of the code, never input.  @param extraFrames how many functions only pass the call on
 */
export function log(env: { LOG_LEVEL?: string }, level: Level, message: string, fields: LogFields = {}, extraFrames = 0): void {
  if (LEVELS.indexOf(level) < minimumLevelIndex(env.LOG_LEVEL)) return;
  const { colno, ...position } = fields.at ? thrownAt(fields.at) : findCallSite(level, message, extraFrames);
  const line = { asctime: new Date().toISOString(), name: "edgecare", levelname: level, message, ...position, ...fields };
  console.log(typeof LOG_AS_TEXT === "undefined" ? line : JSON.stringify({ ...line, colno }));
}

type Position = { pathname: string; lineno: number; colno: number };

/** Call sites of INFO lines by message. Production writes one per request; only the first in an isolate reads a stack. */
const callSites = new Map<string, Position>();

function findCallSite(level: Level, message: string, extraFrames: number): Position {
  const known = level === "INFO" ? callSites.get(message) : undefined;
  if (known) return known;
  const position = positionIn(new Error().stack?.split("\n")[3 + extraFrames] ?? "");
  if (level === "INFO") callSites.set(message, position);
  return position;
}

/** The first position of a stack in EdgeCare's own code, else the first of all. */
function thrownAt(stack: string): Position {
  const frames = stack.split(/(?=\bat )/);
  return positionIn(frames.find((frame) => frame.includes("/src/") && !frame.includes("node_modules")) ?? frames[0] ?? "");
}

function positionIn(frame: string): Position {
  const [, path, line = 0, column = 0] = /\(?([^()\s]+):(\d+):(\d+)\)?\s*$/.exec(frame) ?? [];
  return { pathname: path?.replace(/^.*\/src\//, "src/") ?? "unknown", lineno: Number(line), colno: Number(column) };
}
