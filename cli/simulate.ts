// `edgecare simulate`: simulated bedside monitors for demonstrations and load tests.

import { SetupError } from "./simulate/nurse-session.ts";
import { parseOptions, SIMULATE_USAGE } from "./simulate/options.ts";
import { ReplayError } from "./simulate/recording.ts";
import { runSimulation, type Terminal } from "./simulate/run.ts";

export { SIMULATE_USAGE };

const REFUSED = 1;
const USAGE = 2;
/** Signals within this time are one Ctrl-C. */
const ONE_INTERRUPT_MS = 500;

/** On a terminal one line that is overwritten every second, otherwise one line after another. */
function createTerminal(): Terminal {
  const { isTTY } = process.stdout;
  const clear = isTTY ? "\r\u001b[K" : "";
  return {
    logLine: (line) => console.error(clear + line),
    progress: (line) => process.stdout.write(isTTY ? clear + line : `${line}\n`),
    result: (text) => console.log(clear + text),
  };
}

/** @returns the exit code: 0 done or stopped by Ctrl-C, 1 refused or responses missing, 2 invalid usage */
export async function runSimulate(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === "string") {
    console.error(`${options}\n\nusage: edgecare simulate …\n\n${SIMULATE_USAGE}`);
    return USAGE;
  }
  const stop = new AbortController();
  const abort = new AbortController();
  let interruptedAt = 0;
  const onInterrupt = () => {
    // A terminal sends Ctrl-C to npx and to this process, and npx passes it on.
    if (stop.signal.aborted && Date.now() - interruptedAt < ONE_INTERRUPT_MS) return;
    (stop.signal.aborted ? abort : stop).abort();
    interruptedAt = Date.now();
  };
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
