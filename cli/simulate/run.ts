// A run of the simulator: monitors are set up, rows are measured and sent at their time, and what became of them is told.
import { setImmediate as turn } from "node:timers/promises";
import { type Courier, type Errand, httpCourier, type Waiting } from "./courier.ts";
import { pause, saidBy } from "./http.ts";
import type { Options } from "./options.ts";
import { readRecording } from "./replay.ts";
import { type Row, recordedRows, simulatedRows } from "./rows.ts";
import { clockErrorOf } from "./scenarios.ts";
import { socketCourier } from "./socket.ts";
import { logIn, type Monitor, type Staff } from "./staff.ts";
import { newTally, progressLine, summary, type Tally } from "./tally.ts";

export type Terminal = { say: (line: string) => void; progress: (line: string) => void; result: (text: string) => void };
/** `stop` ends the measuring and waits for answers; `abort` waits for nothing. */
export type Signals = { stop: AbortSignal; abort: AbortSignal };

const OK = 0;
const FAILED = 1;
/** Longer than the ten seconds after which a socket's samples are acknowledged at the latest. */
const LAST_ANSWERS_MS = 15_000;
/** What a monitor remembers without an answer, in samples; a row that does not fit is not measured, and counted. */
const MEMORY = 200_000;
/** A recording does not run away: it is read on when there is room. */
const AHEAD = 5_000;
const GLANCE_MS = 20;

type Bed = { monitor: Monitor; courier: Courier; clock: (now: number) => number; seq: number };

async function setUp(staff: Staff, options: Options, { stop }: Signals, say: Terminal["say"]): Promise<Monitor[]> {
  const monitors: Monitor[] = [];
  const count = options.replay === null ? options.patients : 1;
  while (monitors.length < count && !stop.aborted) {
    monitors.push(await staff.monitorOf(options.startId + monitors.length));
  }
  say(`${monitors.length} monitor${monitors.length === 1 ? "" : "s"} at ${options.base.origin}, from patient ${options.startId}`);
  return monitors;
}

function bedOf(monitor: Monitor, options: Options, tally: Tally, started: number, abort: AbortSignal, say: Terminal["say"]): Bed {
  const scenario = monitor.patient === options.startId ? options.scenario : "stable";
  const error = clockErrorOf(scenario, monitor.patient);
  const clock = (now: number) => now + error((now - started) / 1_000);
  const errand: Errand = {
    base: options.base,
    token: monitor.token,
    clock: () => clock(Date.now()),
    tally,
    abort,
    say: (line) => say(`patient ${monitor.patient}: ${line}`),
  };
  const courier = options.socket ? socketCourier(errand) : httpCourier(errand);
  // A number is never used twice by one device, not by the next run either: no run measures a million samples a second.
  return { monitor, courier, clock, seq: started * 1_000 };
}

/** Puts the row into its monitor's memory. */
function measure(bed: Bed, row: Row, started: number, tally: Tally): void {
  if (bed.courier.waiting() + row.values.length > MEMORY) {
    tally.skipped++;
    return;
  }
  const measured = started + Math.max(0, row.due);
  const at = bed.clock(started + row.at);
  const samples = row.values.map((value): Waiting => ({ ...value, seq: bed.seq++, at, measured }));
  tally.rows++;
  tally.sent += samples.length;
  bed.courier.push(samples);
}

/** @returns when every row was measured, a stop came, or no monitor is left that may send */
async function play(rows: Iterable<Row>, beds: Bed[], started: number, tally: Tally, stop: AbortSignal): Promise<void> {
  for (const row of rows) {
    const early = started + row.due - Date.now();
    await (early > 0 ? pause(early, stop) : turn());
    const bed = beds[row.monitor];
    while (row.at < 0 && bed && bed.courier.waiting() > AHEAD && !stop.aborted) await pause(GLANCE_MS, stop);
    if (stop.aborted || beds.every(({ courier }) => courier.ended() !== null)) return;
    if (bed && bed.courier.ended() === null) measure(bed, row, started, tally);
  }
}

async function lastAnswers(beds: Bed[], abort: AbortSignal): Promise<void> {
  const until = Date.now() + LAST_ANSWERS_MS;
  const open = () => beds.some(({ courier }) => courier.waiting() > 0 && courier.ended() === null);
  while (open() && Date.now() < until && !abort.aborted) await pause(GLANCE_MS, abort);
}

/** Keys that nobody needs any more; what fails is said, for somebody may want to end them by hand. */
async function withdrawAll(staff: Staff, monitors: Monitor[], abort: AbortSignal, say: Terminal["say"]): Promise<void> {
  for (const monitor of monitors) {
    if (abort.aborted) return;
    await staff.withdraw(monitor).catch((error) => say(`patient ${monitor.patient}: ${saidBy(error)}`));
  }
}

/**
 * @returns 0 when it was stopped, or when everything was answered for; 1 when a monitor was refused or answers are missing
 * @throws SetupError, ReplayError
 */
export async function run(options: Options, terminal: Terminal, signals: Signals): Promise<number> {
  const { say } = terminal;
  const { stop, abort } = signals;
  const recording = options.replay === null ? null : readRecording(options.replay);
  const staff = await logIn(options.base, options, abort, say);
  const monitors = await setUp(staff, options, signals, say);
  const tally = newTally();
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  let rowsBefore = 0;
  const ticker = setInterval(() => {
    terminal.progress(progressLine(tally, seconds(), tally.rows - rowsBefore));
    rowsBefore = tally.rows;
  }, 1_000);
  const beds = monitors.map((monitor) => bedOf(monitor, options, tally, started, abort, say));
  const rows = recording ? recordedRows(recording, options.speed, options.duration) : simulatedRows(options);
  await play(rows, beds, started, tally, stop);
  const measuredFor = seconds();
  await lastAnswers(beds, abort);
  clearInterval(ticker);
  for (const { monitor, courier } of beds) {
    courier.close();
    if (courier.ended() !== null) say(`patient ${monitor.patient}: the monitor may not send any more (${courier.ended()})`);
  }
  await withdrawAll(staff, monitors, abort, say);
  terminal.result(summary(tally, measuredFor));
  const complete = beds.every(({ courier }) => courier.waiting() === 0);
  return stop.aborted || (complete && beds.length > 0) ? OK : FAILED;
}
