// `npm run logs`: filter and format lines of the local log.
import { existsSync, readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { logFile, requireDevelopment, stateFolder } from "./lib/development.mjs";
import { parseLogLine, withSourcePositions } from "./lib/log-lines.mjs";

const USAGE = `usage: npm run logs -- [options]
  --follow           wait for new lines until Ctrl-C
  --level LEVEL      this level and more severe ones: DEBUG, INFO, WARNING, ERROR, CRITICAL
  --request ID       lines of one request
  --error ID         the line of one error, by the error_id that a response or a page shows
  --json             lines as they are in the file
  --file FILE        a file other than the state folder's log
  --bundle FILE      the deployed bundle of a production log, dist/worker/index.js: positions in src/, from its source map`;
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

requireDevelopment();
const { values } = parseArgs({
  options: {
    follow: { type: "boolean", default: false },
    level: { type: "string", default: "DEBUG" },
    request: { type: "string" },
    error: { type: "string" },
    json: { type: "boolean", default: false },
    file: { type: "string", default: logFile(stateFolder()) },
    bundle: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const least = LEVELS.indexOf(values.level.toUpperCase());

const isWanted = (line) =>
  LEVELS.indexOf(line.levelname) >= least &&
  (values.request === undefined || line.request_id === values.request) &&
  (values.error === undefined || line.error_id === values.error);

function readable({ asctime, name, levelname, message, pathname, lineno, ...fields }) {
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
  return `${asctime} ${levelname.padEnd(8)} ${pathname}:${lineno}  ${[message, ...rest].join("  ")}`;
}

function format(line) {
  const positioned = values.bundle ? withSourcePositions(line, values.bundle) : line;
  return values.json ? JSON.stringify(positioned) : readable(positioned);
}

let position = 0;
/** The size of the file when it was last read: a line written before the first check is not lost. */
let sizeRead = 0;
/** Prints the lines from `position` on; an incomplete line waits for its end. */
function printNew() {
  const bytes = readFileSync(values.file);
  sizeRead = bytes.length;
  // A shorter file belongs to a new state.
  if (bytes.length < position) position = 0;
  const end = bytes.lastIndexOf("\n") + 1;
  for (const text of bytes.subarray(position, end).toString().split("\n")) {
    const line = parseLogLine(text);
    if (line && isWanted(line)) console.log(format(line));
  }
  position = end;
}

function follow() {
  const size = statSync(values.file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === sizeRead) return;
  if (size > 0) return printNew();
  position = 0;
  sizeRead = 0;
}

if (values.help || least < 0) {
  console.error(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else if (!existsSync(values.file) && !values.follow) {
  console.error(`There is no log at ${values.file} yet: \`npm start\` writes it.`);
  process.exitCode = 1;
} else {
  if (existsSync(values.file)) printNew();
  if (values.follow) setInterval(follow, 200);
}
