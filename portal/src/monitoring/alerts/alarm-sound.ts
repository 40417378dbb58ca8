// Alarm sound: applies sound-rules.ts to Web Audio. Only one tab per browser sounds.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { getLivePatient, getWatchedIds, onAlert, subscribeAlerts } from "../live/patient-store.ts";
import { serverNow } from "../live/server-clock.ts";
import { advanceTone, endPauseState, SILENT_STATE, startPause, TONES, type Tone, type ToneState } from "./sound-rules.ts";

/** `blocked`: not turned on here, or blocked by the browser. `elsewhere`: another tab sounds. */
export type SoundState = { status: "blocked" | "on" | "elsewhere"; pausedUntil: number | null };

const STORAGE_KEY = "edgecare.sound";
const LOCK_NAME = "edgecare.sound";
const RECHECK_MS = 5_000;
const VOLUME = 0.5;

let audio: AudioContext | null = null;
let oscillators: OscillatorNode[] = [];
let toneState: ToneState = SILENT_STATE;
let state: SoundState = { status: "blocked", pausedUntil: null };
let releaseLock: (() => void) | null = null;
let pendingLock: AbortController | null = null;
const listeners = new Set<() => void>();

export const getSoundState = (): SoundState => state;
export function subscribeSound(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publishState(): void {
  const status = audio?.state !== "running" ? "blocked" : releaseLock ? "on" : "elsewhere";
  const pausedUntil = toneState.pause?.until ?? null;
  if (status === state.status && pausedUntil === state.pausedUntil) return;
  state = { status, pausedUntil };
  for (const listener of listeners) listener();
}

/** Not the store's list of open alerts: it updates on animation frames, which hidden tabs do not get. */
const listCurrentAlerts = (): AlertView[] => getWatchedIds().flatMap((id) => [...(getLivePatient(id)?.alerts.values() ?? [])]);

function updateTone(): void {
  const { after, startsTone, stopsTone } = advanceTone(toneState, listCurrentAlerts(), serverNow());
  toneState = after;
  if (stopsTone) stopOscillators();
  if (startsTone && releaseLock) playTone(startsTone);
  publishState();
}

function stopOscillators(): void {
  for (const oscillator of oscillators) oscillator.stop();
  oscillators = [];
}

function playTone(tone: Tone): void {
  if (audio?.state !== "running") return;
  stopOscillators();
  const { pulses, pulseS, hertz } = TONES[tone];
  for (const at of pulses) schedulePulse(audio, audio.currentTime + 0.02 + at, pulseS, hertz);
}

/** Attack and release of some 10 ms avoid clicks; overtones make the tone easier to locate. */
function schedulePulse(context: AudioContext, start: number, durationS: number, hertz: number): void {
  const envelope = context.createGain();
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(VOLUME, start + 0.02);
  envelope.gain.setValueAtTime(VOLUME, start + durationS - 0.03);
  envelope.gain.linearRampToValueAtTime(0, start + durationS);
  envelope.connect(context.destination);
  for (const overtone of [1, 2, 3]) {
    const oscillator = context.createOscillator();
    const overtoneGain = context.createGain();
    overtoneGain.gain.value = 0.5 / overtone;
    oscillator.frequency.value = hertz * overtone;
    oscillator.connect(overtoneGain).connect(envelope);
    oscillator.start(start);
    oscillator.stop(start + durationS);
    oscillator.onended = () => {
      overtoneGain.disconnect();
      if (overtone === 1) envelope.disconnect();
      oscillators = oscillators.filter((other) => other !== oscillator);
    };
    oscillators.push(oscillator);
  }
}

/** A tab that may sound requests the lock; one that may not releases it. */
function acquireSpeaker(): void {
  if (audio?.state !== "running") {
    pendingLock?.abort();
    pendingLock = null;
    releaseLock?.();
    releaseLock = null;
    return;
  }
  if (releaseLock || pendingLock) return;
  const abort = new AbortController();
  pendingLock = abort;
  const onLockGranted = () =>
    new Promise<void>((done) => {
      pendingLock = null;
      releaseLock = done;
      // An ongoing tone continues in this tab.
      toneState = { ...toneState, tone: null };
      updateTone();
    });
  navigator.locks.request(LOCK_NAME, { signal: abort.signal }, onLockGranted).catch(() => undefined);
}

function refreshSound(): void {
  acquireSpeaker();
  updateTone();
}

/** Needs a click: browsers block sound before a user gesture. */
export async function turnOnSound(): Promise<void> {
  audio ??= new AudioContext();
  audio.onstatechange = refreshSound;
  await audio.resume().catch(() => undefined);
  if (audio.state === "running") localStorage.setItem(STORAGE_KEY, "on");
  refreshSound();
}

/** Pauses sound for two minutes; a new high-priority alarm ends the pause. The display does not change. */
export function pauseSound(): void {
  toneState = startPause(toneState, listCurrentAlerts(), serverNow());
  updateTone();
}

export function endPause(): void {
  toneState = endPauseState(toneState);
  updateTone();
}

/** Plays the high-priority tone once, even while another tab sounds, to test the loudspeaker. */
export async function testSound(): Promise<void> {
  await turnOnSound();
  playTone("high");
}

/** Starts the alarm sound for signed-in staff. @returns a function that stops it */
export function startSound(): () => void {
  const ticker = new Worker(new URL("../live/heartbeat.worker.ts", import.meta.url), { type: "module" });
  ticker.onmessage = updateTone;
  const recheckTimer = setInterval(refreshSound, RECHECK_MS);
  const unsubscribers = [onAlert(updateTone), subscribeAlerts(updateTone)];
  // Once turned on, it stays on in this browser, as far as the browser allows.
  if (localStorage.getItem(STORAGE_KEY) === "on") void turnOnSound();
  else refreshSound();
  return () => {
    ticker.terminate();
    clearInterval(recheckTimer);
    for (const stop of unsubscribers) stop();
    stopOscillators();
    pendingLock?.abort();
    pendingLock = null;
    releaseLock?.();
    releaseLock = null;
    void audio?.close();
    audio = null;
    toneState = SILENT_STATE;
    publishState();
  };
}
