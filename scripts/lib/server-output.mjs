// Output of the local server: JSON log lines with positions in `src/`, on standard output and in the log file.
import { createWriteStream, existsSync, renameSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseLogLine, withSourcePositions } from "./log-lines.mjs";

const MAX_LOG_BYTES = 20 * 1024 * 1024;
/** wrangler's own line per request; EdgeCare's log already has one. */
const REQUEST_LINE = /^\[wrangler:info\] [A-Z]+ \/\S* \d{3} /;

/** wrangler's name of the Worker before each of its lines, since there are two. */
const WORKER_NAME = /^\[edgecare(-render)?\] /;

/** Forwards the output of a server. @param file the log file; a large one is renamed to `<file>.1` first */
export function passOutput(stream, file) {
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  const kept = createWriteStream(file, { flags: "a" });
  createInterface({ input: stream }).on("line", (output) => {
    const text = output.replace(WORKER_NAME, "");
    const line = parseLogLine(text);
    if (line) {
      const json = JSON.stringify(withSourcePositions(line));
      kept.write(`${json}\n`);
      console.log(json);
    } else if (!REQUEST_LINE.test(text)) console.log(text);
  });
}
