// One run of the simulator: set up monitors, measure and send rows on schedule, report the outcome.
import { basename } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { MAX_SAMPLE_AGE_MS } from "../../src/platform/device-times.ts";
import { describeError, pause } from "./http.ts";
import { logIn, type Monitor, type NurseSession } from "./nurse-session.ts";
import type { Options } from "./options.ts";
import { type RecordedValue, ReplayError, readRecording } from "./recording.ts";
import { generateRows, replayRows, type SimulatedRow } from "./rows.ts";
import { createClockError } from "./scenarios.ts";
import { createHttpSender, type QueuedSample, type Sender, type SenderOptions } from "./sender.ts";
import { createSocketSender } from "./socket-sender.ts";
import { countStored, formatProgress, formatSummary, newTally, storedShare, type Tally } from "./tally.ts";

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

/** An assignment starts this long before the recording, since the clocks of client and service differ. */
const REPLAY_LEAD_MS = 10 * 60_000;
const MAX_NAME_LENGTH = 120;
/** A run of which less was stored has failed. */
const MIN_STORED_SHARE = 0.5;

type Recording = { name: string; values: RecordedValue[] };
type SimulatedBed = { monitor: Monitor; sender: Sender; clock: (now: number) => number; seq: number };

/** @param recording null for simulated values */
async function setUpMonitors(
  staff: NurseSession,
  options: Options,
  recording: Recording | null,
  { stop }: Signals,
  logLine: Terminal["logLine"],
): Promise<Monitor[]> {
  const monitors: Monitor[] = [];
  if (recording) monitors.push(await setUpReplayMonitor(staff, options, recording));
  while (!recording && monitors.length < options.patients && !stop.aborted) {
    monitors.push(await staff.setUpMonitor(options.startId + monitors.length));
  }
  logLine(
    `${monitors.length} monitor${monitors.length === 1 ? "" : "s"} at ${options.base.origin}, from patient ${options.startId}`,
  );
  return monitors;
}

/** What was measured before a device was assigned is quarantined: a recording that ends now needs an assignment from its first value. */
async function setUpReplayMonitor(
  staff: NurseSession,
  { startId, speed }: Options,
  { name, values }: Recording,
): Promise<Monitor> {
  const lengthMs = values.at(-1)?.offset ?? 0;
  if (speed === null && lengthMs + REPLAY_LEAD_MS > MAX_SAMPLE_AGE_MS)
    throw new ReplayError(`${name} is longer than 30 days, and the service takes no older samples; play it with --speed.`);
  const startedAt = speed === null ? Date.now() - lengthMs - REPLAY_LEAD_MS : null;
  return staff.setUpReplayMonitor(startId, `Replay of ${name}`.slice(0, MAX_NAME_LENGTH), startedAt);
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

/** Ends the credentials that the run created. Logs failures, so that an operator can end them by hand. */
async function endMonitors(
  staff: NurseSession,
  monitors: Monitor[],
  abort: AbortSignal,
  logLine: Terminal["logLine"],
): Promise<void> {
  for (const monitor of monitors) {
    if (abort.aborted) return;
    await staff.endMonitor(monitor).catch((error) => logLine(`patient ${monitor.patient}: ${describeError(error)}`));
  }
}

/**
 * @returns 0 when stopped or when every sample got a response; 1 when a monitor was refused, responses are missing, or less
 * than half of what was answered was stored
 * @throws SetupError, ReplayError
 */
export async function runSimulation(options: Options, terminal: Terminal, signals: Signals): Promise<number> {
  const { logLine } = terminal;
  const { stop, abort } = signals;
  const { replay } = options;
  const recording = replay === null ? null : { name: basename(replay), values: readRecording(replay) };
  const staff = await logIn(options.base, options, abort, logLine);
  const monitors = await setUpMonitors(staff, options, recording, signals, logLine);
  const tally = newTally();
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  let rowsBefore = 0;
  const ticker = setInterval(() => {
    terminal.progress(formatProgress(tally, seconds(), tally.rows - rowsBefore));
    rowsBefore = tally.rows;
  }, 1_000);
  const beds = monitors.map((monitor) => createBed(monitor, options, tally, started, abort, logLine));
  const rows = recording ? replayRows(recording.values, options.speed, options.duration) : generateRows(options);
  await playRows(rows, beds, started, tally, stop);
  const measuredFor = seconds();
  await awaitLastAnswers(beds, abort);
  clearInterval(ticker);
  for (const { monitor, sender } of beds) {
    sender.close();
    if (sender.failureReason() !== null)
      logLine(`patient ${monitor.patient}: the service rejected the monitor (${sender.failureReason()})`);
  }
  await endMonitors(staff, monitors, abort, logLine);
  terminal.result(formatSummary(tally, measuredFor));
  const complete = beds.every(({ sender }) => sender.waitingCount() === 0);
  const isStored = tally.sent === 0 || storedShare(tally) >= MIN_STORED_SHARE;
  if (!isStored) logLine(`only ${countStored(tally)} of ${tally.sent} samples were stored; the reasons are above`);
  return isStored && (stop.aborted || (complete && beds.length > 0)) ? OK : FAILED;
}
