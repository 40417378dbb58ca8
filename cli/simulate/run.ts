// One run of the simulator: set up monitors, measure and send rows on schedule, report the outcome.
import { setImmediate as turn } from "node:timers/promises";
import { describeError, pause } from "./http.ts";
import { logIn, type Monitor, type NurseSession } from "./nurse-session.ts";
import type { Options } from "./options.ts";
import { readRecording } from "./recording.ts";
import { generateRows, replayRows, type SimulatedRow } from "./rows.ts";
import { createClockError } from "./scenarios.ts";
import { createHttpSender, type QueuedSample, type Sender, type SenderOptions } from "./sender.ts";
import { createSocketSender } from "./socket-sender.ts";
import { formatProgress, formatSummary, newTally, type Tally } from "./tally.ts";

export type Terminal = { logLine: (line: string) => void; progress: (line: string) => void; result: (text: string) => void };
/** `stop` ends measuring and waits for pending responses; `abort` waits for nothing. */
export type Signals = { stop: AbortSignal; abort: AbortSignal };

const OK = 0;
const FAILED = 1;
/** Longer than the ten seconds within which the service acknowledges samples from a socket. */
const MAX_LAST_ANSWERS_MS = 15_000;
/** Samples that a monitor holds without a response. A row that does not fit is not measured, but counted as skipped. */
const MAX_QUEUED_SAMPLES = 200_000;
/** Samples of a replay that may be queued: the replay pauses until there is room. */
const MAX_REPLAY_AHEAD = 5_000;
const POLL_MS = 20;

type SimulatedBed = { monitor: Monitor; sender: Sender; clock: (now: number) => number; seq: number };

async function setUpMonitors(
  staff: NurseSession,
  options: Options,
  { stop }: Signals,
  logLine: Terminal["logLine"],
): Promise<Monitor[]> {
  const monitors: Monitor[] = [];
  const count = options.replay === null ? options.patients : 1;
  while (monitors.length < count && !stop.aborted) {
    monitors.push(await staff.setUpMonitor(options.startId + monitors.length));
  }
  logLine(
    `${monitors.length} monitor${monitors.length === 1 ? "" : "s"} at ${options.base.origin}, from patient ${options.startId}`,
  );
  return monitors;
}

function createBed(
  monitor: Monitor,
  options: Options,
  tally: Tally,
  started: number,
  abort: AbortSignal,
  logLine: Terminal["logLine"],
): SimulatedBed {
  const scenario = monitor.patient === options.startId ? options.scenario : "stable";
  const error = createClockError(scenario, monitor.patient);
  const clock = (now: number) => now + error((now - started) / 1_000);
  const senderOptions: SenderOptions = {
    base: options.base,
    token: monitor.token,
    clock: () => clock(Date.now()),
    tally,
    abort,
    logLine: (line) => logLine(`patient ${monitor.patient}: ${line}`),
  };
  const sender = options.socket ? createSocketSender(senderOptions) : createHttpSender(senderOptions);
  // Sequence numbers must be unique per device across runs: no run measures a million samples per second.
  return { monitor, sender, clock, seq: started * 1_000 };
}

/** Adds the row to the queue of its monitor. */
function measureRow(bed: SimulatedBed, row: SimulatedRow, started: number, tally: Tally): void {
  if (bed.sender.waitingCount() + row.values.length > MAX_QUEUED_SAMPLES) {
    tally.skipped++;
    return;
  }
  const measured = started + Math.max(0, row.due);
  const at = bed.clock(started + row.at);
  const samples = row.values.map((value): QueuedSample => ({ ...value, seq: bed.seq++, at, measured }));
  tally.rows++;
  tally.sent += samples.length;
  bed.sender.push(samples);
}

/** @returns when every row was measured, on `stop`, or when no monitor is allowed to send any more */
async function playRows(
  rows: Iterable<SimulatedRow>,
  beds: SimulatedBed[],
  started: number,
  tally: Tally,
  stop: AbortSignal,
): Promise<void> {
  for (const row of rows) {
    const waitMs = started + row.due - Date.now();
    await (waitMs > 0 ? pause(waitMs, stop) : turn());
    const bed = beds[row.monitor];
    while (row.at < 0 && bed && bed.sender.waitingCount() > MAX_REPLAY_AHEAD && !stop.aborted) await pause(POLL_MS, stop);
    if (stop.aborted || beds.every(({ sender }) => sender.failureReason() !== null)) return;
    if (bed && bed.sender.failureReason() === null) measureRow(bed, row, started, tally);
  }
}

async function awaitLastAnswers(beds: SimulatedBed[], abort: AbortSignal): Promise<void> {
  const until = Date.now() + MAX_LAST_ANSWERS_MS;
  const hasUnanswered = () => beds.some(({ sender }) => sender.waitingCount() > 0 && sender.failureReason() === null);
  while (hasUnanswered() && Date.now() < until && !abort.aborted) await pause(POLL_MS, abort);
}

/** Revokes the credentials that the run created. Logs failures, so that an operator can revoke them by hand. */
async function revokeCredentials(
  staff: NurseSession,
  monitors: Monitor[],
  abort: AbortSignal,
  logLine: Terminal["logLine"],
): Promise<void> {
  for (const monitor of monitors) {
    if (abort.aborted) return;
    await staff.revokeCredential(monitor).catch((error) => logLine(`patient ${monitor.patient}: ${describeError(error)}`));
  }
}

/**
 * @returns 0 when stopped or when every sample got a response; 1 when a monitor was refused or responses are missing
 * @throws SetupError, ReplayError
 */
export async function runSimulation(options: Options, terminal: Terminal, signals: Signals): Promise<number> {
  const { logLine } = terminal;
  const { stop, abort } = signals;
  const recording = options.replay === null ? null : readRecording(options.replay);
  const staff = await logIn(options.base, options, abort, logLine);
  const monitors = await setUpMonitors(staff, options, signals, logLine);
  const tally = newTally();
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  let rowsBefore = 0;
  const ticker = setInterval(() => {
    terminal.progress(formatProgress(tally, seconds(), tally.rows - rowsBefore));
    rowsBefore = tally.rows;
  }, 1_000);
  const beds = monitors.map((monitor) => createBed(monitor, options, tally, started, abort, logLine));
  const rows = recording ? replayRows(recording, options.speed, options.duration) : generateRows(options);
  await playRows(rows, beds, started, tally, stop);
  const measuredFor = seconds();
  await awaitLastAnswers(beds, abort);
  clearInterval(ticker);
  for (const { monitor, sender } of beds) {
    sender.close();
    if (sender.failureReason() !== null)
      logLine(`patient ${monitor.patient}: the service rejected the monitor (${sender.failureReason()})`);
  }
  await revokeCredentials(staff, monitors, abort, logLine);
  terminal.result(formatSummary(tally, measuredFor));
  const complete = beds.every(({ sender }) => sender.waitingCount() === 0);
  return stop.aborted || (complete && beds.length > 0) ? OK : FAILED;
}
