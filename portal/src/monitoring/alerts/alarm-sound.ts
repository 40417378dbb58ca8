// Alarm sound: the rules (sound-rules.ts) told to the loudspeaker. One tab of a browser sounds, and only one that may.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { getLivePatient, getWatchedIds, onAlert, subscribeAlerts } from "../live/patient-store.ts";
import { serverNow } from "../live/server-clock.ts";
import { advanceTone, endPauseState, SILENT_STATE, startPause, TONES, type Tone, type ToneState } from "./sound-rules.ts";

/** `blocked`: nobody turned it on here, or the browser does not let it sound. `elsewhere`: another tab sounds. */
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

/** Not the store's list of open alerts: that is told with animation frames, of which a hidden tab has none. */
const listCurrentAlerts = (): AlertView[] => getWatchedIds().flatMap((id) => [...(getLivePatient(id)?.alerts.values() ?? [])]);

function updateTone(): void {
  const { after, burst, hush } = advanceTone(toneState, listCurrentAlerts(), serverNow());
  toneState = after;
  if (hush) stopOscillators();
  if (burst && releaseLock) playTone(burst);
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

/** Rises and falls within hundredths of a second, so that it does not click; with overtones it is found more easily. */
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

/** A tab that may sound asks to be the one that does; one that may not lets another. */
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
      // What goes on is heard from here on.
      toneState = { ...toneState, tone: null };
      updateTone();
    });
  navigator.locks.request(LOCK_NAME, { signal: abort.signal }, onLockGranted).catch(() => undefined);
}

function refreshSound(): void {
  acquireSpeaker();
  updateTone();
}

/** By a click: browsers let nothing sound before one. */
export async function turnOnSound(): Promise<void> {
  audio ??= new AudioContext();
  audio.onstatechange = refreshSound;
  await audio.resume().catch(() => undefined);
  if (audio.state === "running") localStorage.setItem(STORAGE_KEY, "on");
  refreshSound();
}

/** Two minutes without sound; a new high alarm ends it, and nothing that is shown changes. */
export function pauseSound(): void {
  toneState = startPause(toneState, listCurrentAlerts(), serverNow());
  updateTone();
}

export function endPause(): void {
  toneState = endPauseState(toneState);
  updateTone();
}

/** The tone of a high alarm once, also while another tab sounds: to hear that this loudspeaker does. */
export async function testSound(): Promise<void> {
  await turnOnSound();
  playTone("high");
}

/** From when somebody of the staff is signed in. @returns ends it */
export function startSound(): () => void {
  const ticker = new Worker(new URL("../live/heartbeat.worker.ts", import.meta.url), { type: "module" });
  ticker.onmessage = updateTone;
  const recheckTimer = setInterval(refreshSound, RECHECK_MS);
  const unsubscribers = [onAlert(updateTone), subscribeAlerts(updateTone)];
  // Turned on once, it stays on in this browser, as far as that lets it.
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
