// `edgecare simulate`: bedside monitors that do not exist, for demonstrations and for load.

import { SetupError } from "./simulate/nurse-session.ts";
import { parseOptions, SIMULATE_USAGE } from "./simulate/options.ts";
import { ReplayError } from "./simulate/recording.ts";
import { runSimulation, type Terminal } from "./simulate/run.ts";

export { SIMULATE_USAGE };

const REFUSED = 1;
const USAGE = 2;

/** One line that is written over each second; lines below each other where nobody watches. */
function createTerminal(): Terminal {
  const { isTTY } = process.stdout;
  const clear = isTTY ? "\r\u001b[K" : "";
  return {
    logLine: (line) => console.error(clear + line),
    progress: (line) => process.stdout.write(isTTY ? clear + line : `${line}\n`),
    result: (text) => console.log(clear + text),
  };
}

/** @returns the exit code: 0 done or stopped by Ctrl-C, 1 refused or not everything answered for, 2 wrong usage */
export async function runSimulate(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === "string") {
    console.error(`${options}\n\nusage: edgecare simulate …\n\n${SIMULATE_USAGE}`);
    return USAGE;
  }
  const stop = new AbortController();
  const abort = new AbortController();
  const onInterrupt = () => (stop.signal.aborted ? abort : stop).abort();
  process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);
  try {
    return await runSimulation(options, createTerminal(), { stop: stop.signal, abort: abort.signal });
  } catch (error) {
    if (!(error instanceof SetupError || error instanceof ReplayError)) throw error;
    console.error(error.message);
    return REFUSED;
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}
