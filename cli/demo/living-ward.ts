// A quiet simulator for `npm start`: a few monitored patients of the demo ward, one of whom slowly deteriorates, and a spot patient.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { describeError, pause, sendRequest } from "../simulate/http.ts";
import { logIn, type NurseSession } from "../simulate/nurse-session.ts";
import type { Scenario } from "../simulate/scenarios.ts";
import { createHttpSender, type QueuedSample, type Sender } from "../simulate/sender.ts";
import { createVitalSource, type VitalSource } from "../simulate/source.ts";
import { newTally } from "../simulate/tally.ts";
import { DEMO_PASSWORD } from "./people.ts";

/** Patients of Ward 1 by number. The doctor sees the first four. */
export const LIVING_WARD: readonly { patient: number; scenario: Scenario }[] = [
  { patient: 1, scenario: "stable" },
  { patient: 2, scenario: "deterioration" },
  { patient: 3, scenario: "stable" },
  { patient: 4, scenario: "stable" },
  { patient: 6, scenario: "stable" },
  { patient: 7, scenario: "stable" },
];
/** Build and start take half a minute, on a busy machine several times as long. */
const MAX_START_MS = 10 * 60_000;
const START_POLL_MS = 500;
/** Without a monitor: a nurse enters a set of observations. */
export const SPOT_PATIENT = 8;

const SEED = 1;
const INTERVAL_MS = 8_000;
/** What the charts show at the first start. */
const HISTORY_MS = 6 * 3_600_000;
const HISTORY_STEP_MS = 2 * 60_000;
/** A well patient is due after twelve hours. */
const SPOT_EVERY_MS = 4 * 3_600_000;
/** After this the courses start again, so that no start computes more than a week of them. */
const MAX_COURSE_MS = 7 * 24 * 3_600_000;
/** A monitor that holds more is skipped: the server does not answer. */
const MAX_QUEUED_SAMPLES = 5_000;

const State = z.object({
  began_at: z.number(),
  monitors: z.array(z.object({ patient: z.number(), token: z.string() })),
  spot_set_at: z.number().nullable(),
});
type State = z.infer<typeof State>;

export type LivingWardOptions = {
  base: URL;
  state: string;
  signal: AbortSignal;
  logLine: (line: string) => void;
  now?: () => number;
};

const stateFile = (folder: string) => join(folder, "demo-ward.json");

function readState(folder: string): State | null {
  try {
    return existsSync(stateFile(folder)) ? State.parse(JSON.parse(readFileSync(stateFile(folder), "utf8"))) : null;
  } catch {
    return null;
  }
}

/** The file holds credentials of demo devices, so that a restart of the server neither registers nor logs in anybody. */
function writeState(folder: string, state: State): void {
  const file = `${stateFile(folder)}.${randomUUID()}`;
  writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
  renameSync(file, stateFile(folder));
}

/** Whether the stores still know the monitors: `npm run reset` creates other ones. */
async function areKnown({ base, signal }: LivingWardOptions, { monitors }: State): Promise<boolean> {
  if (monitors.map(({ patient }) => patient).join() !== LIVING_WARD.map(({ patient }) => patient).join()) return false;
  const url = new URL("/api/v1/observations/stream", base);
  // Without the upgrade the answer to a valid credential is 426.
  for (const { token } of monitors) if ((await sendRequest(url, { token, signal })).status === 401) return false;
  return true;
}

/** The server may still be starting. @returns false if it has not answered in time */
async function isServed({ base, signal }: LivingWardOptions): Promise<boolean> {
  const until = Date.now() + MAX_START_MS;
  while (!signal.aborted && Date.now() < until) {
    const answer = await sendRequest(new URL("/health", base), { signal }).catch(() => null);
    if (answer?.status === 200) return true;
    await pause(START_POLL_MS, signal);
  }
  return false;
}

const logInAsNurse = ({ base, signal, logLine }: LivingWardOptions): Promise<NurseSession> =>
  logIn(base, { email: "nurse@demo.com", password: DEMO_PASSWORD }, signal, logLine);

/** Registers the monitors, assigned since before their history begins. */
async function setUpWard(options: LivingWardOptions, now: number): Promise<State> {
  const nurse = await logInAsNurse(options);
  const began_at = now - HISTORY_MS;
  const monitors: State["monitors"] = [];
  for (const { patient } of LIVING_WARD) {
    const { token } = await nurse.setUpReplayMonitor(patient, `Monitor of bed ${patient}`, began_at - HISTORY_STEP_MS);
    monitors.push({ patient, token });
  }
  return { began_at, monitors, spot_set_at: null };
}

type Bed = { source: VitalSource; sender: Sender };

function measure({ source, sender }: Bed, beganAt: number, at: number): void {
  if (sender.waitingCount() > MAX_QUEUED_SAMPLES) return;
  const values = source((at - beganAt) / 1_000);
  sender.push(values.map((value, i): QueuedSample => ({ ...value, seq: at * 100 + i, at, measured: at })));
}

async function enterSpotSet(options: LivingWardOptions, beganAt: number, at: number): Promise<void> {
  const values = createVitalSource(SEED, SPOT_PATIENT, "stable")((at - beganAt) / 1_000);
  await (await logInAsNurse(options)).recordObservationSet(SPOT_PATIENT, at, values);
}

/** Runs until the signal aborts, or until the server refuses the monitors. */
export async function runLivingWard(options: LivingWardOptions): Promise<void> {
  const { base, signal, logLine, now = Date.now } = options;
  if (!(await isServed(options))) return;
  const kept = readState(options.state);
  const isKept = kept !== null && (await areKnown(options, kept));
  const state = isKept ? kept : await setUpWard(options, now());
  if (now() - state.began_at > MAX_COURSE_MS) state.began_at = now() - HISTORY_MS;
  writeState(options.state, state);
  const beds = LIVING_WARD.map(({ patient, scenario }, i): Bed => {
    const token = state.monitors[i]?.token ?? "";
    const sender = createHttpSender({ base, token, clock: now, tally: newTally(), abort: signal, logLine });
    return { sender, source: createVitalSource(SEED, patient, scenario) };
  });
  if (!isKept) {
    for (let at = state.began_at; at < now() - INTERVAL_MS; at += HISTORY_STEP_MS) {
      for (const bed of beds) measure(bed, state.began_at, at);
    }
  }
  while (!signal.aborted && beds.some(({ sender }) => sender.failureReason() === null)) {
    const at = now();
    for (const bed of beds) measure(bed, state.began_at, at);
    if (at - (state.spot_set_at ?? 0) > SPOT_EVERY_MS) {
      state.spot_set_at = at;
      writeState(options.state, state);
      await enterSpotSet(options, state.began_at, at).catch((error) =>
        logLine(`patient ${SPOT_PATIENT}: ${describeError(error)}`),
      );
    }
    await pause(INTERVAL_MS, signal);
  }
  for (const { sender } of beds) sender.close();
}
