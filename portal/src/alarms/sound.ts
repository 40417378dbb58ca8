// Alarm sound: the rules (sound-rules.ts) told to the loudspeaker. One tab of a browser sounds, and only one that may.
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { serverNow } from "../live/server-clock.ts";
import { onAlert, patientOf, subscribeAlerts, view } from "../live/store.ts";
import { paused, SILENT, type Sounding, step, TONES, type Tone, unpaused } from "./sound-rules.ts";

/** `blocked`: nobody turned it on here, or the browser does not let it sound. `elsewhere`: another tab sounds. */
export type SoundState = { status: "blocked" | "on" | "elsewhere"; pausedUntil: number | null };

const PLACE = "edgecare.sound";
const LOCK = "edgecare.sound";
const RECHECK_MS = 5_000;
const LOUDNESS = 0.5;

let audio: AudioContext | null = null;
let voices: OscillatorNode[] = [];
let sounding: Sounding = SILENT;
let state: SoundState = { status: "blocked", pausedUntil: null };
let release: (() => void) | null = null;
let waiting: AbortController | null = null;
const listeners = new Set<() => void>();

export const soundState = (): SoundState => state;
export function subscribeSound(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  const status = audio?.state !== "running" ? "blocked" : release ? "on" : "elsewhere";
  const pausedUntil = sounding.pause?.until ?? null;
  if (status === state.status && pausedUntil === state.pausedUntil) return;
  state = { status, pausedUntil };
  for (const listener of listeners) listener();
}

/** Not the store's list of open alerts: that is told with animation frames, of which a hidden tab has none. */
const alertsNow = (): AlertView[] => view().flatMap((id) => [...(patientOf(id)?.alerts.values() ?? [])]);

function look(): void {
  const { after, burst, hush } = step(sounding, alertsNow(), serverNow());
  sounding = after;
  if (hush) silence();
  if (burst && release) play(burst);
  tell();
}

function silence(): void {
  for (const voice of voices) voice.stop();
  voices = [];
}

function play(tone: Tone): void {
  if (audio?.state !== "running") return;
  silence();
  const { pulses, pulseS, hertz } = TONES[tone];
  for (const at of pulses) pulse(audio, audio.currentTime + 0.02 + at, pulseS, hertz);
}

/** Rises and falls within hundredths of a second, so that it does not click; with overtones it is found more easily. */
function pulse(context: AudioContext, start: number, lasts: number, hertz: number): void {
  const loudness = context.createGain();
  loudness.gain.setValueAtTime(0, start);
  loudness.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
  loudness.gain.setValueAtTime(LOUDNESS, start + lasts - 0.03);
  loudness.gain.linearRampToValueAtTime(0, start + lasts);
  loudness.connect(context.destination);
  for (const overtone of [1, 2, 3]) {
    const voice = context.createOscillator();
    const part = context.createGain();
    part.gain.value = 0.5 / overtone;
    voice.frequency.value = hertz * overtone;
    voice.connect(part).connect(loudness);
    voice.start(start);
    voice.stop(start + lasts);
    voice.onended = () => {
      part.disconnect();
      if (overtone === 1) loudness.disconnect();
      voices = voices.filter((other) => other !== voice);
    };
    voices.push(voice);
  }
}

/** A tab that may sound asks to be the one that does; one that may not lets another. */
function claim(): void {
  if (audio?.state !== "running") {
    waiting?.abort();
    waiting = null;
    release?.();
    release = null;
    return;
  }
  if (release || waiting) return;
  const asking = new AbortController();
  waiting = asking;
  const hold = () =>
    new Promise<void>((done) => {
      waiting = null;
      release = done;
      // What goes on is heard from here on.
      sounding = { ...sounding, tone: null };
      look();
    });
  navigator.locks.request(LOCK, { signal: asking.signal }, hold).catch(() => undefined);
}

function check(): void {
  claim();
  look();
}

/** By a click: browsers let nothing sound before one. */
export async function turnOnSound(): Promise<void> {
  audio ??= new AudioContext();
  audio.onstatechange = check;
  await audio.resume().catch(() => undefined);
  if (audio.state === "running") localStorage.setItem(PLACE, "on");
  check();
}

/** Two minutes without sound; a new high alarm ends it, and nothing that is shown changes. */
export function pauseSound(): void {
  sounding = paused(sounding, alertsNow(), serverNow());
  look();
}

export function endPause(): void {
  sounding = unpaused(sounding);
  look();
}

/** The tone of a high alarm once, also while another tab sounds: to hear that this loudspeaker does. */
export async function testSound(): Promise<void> {
  await turnOnSound();
  play("high");
}

/** From when somebody of the staff is signed in. @returns ends it */
export function startSound(): () => void {
  const beat = new Worker(new URL("../live/heartbeat.worker.ts", import.meta.url), { type: "module" });
  beat.onmessage = look;
  const recheck = setInterval(check, RECHECK_MS);
  const unsubscribe = [onAlert(look), subscribeAlerts(look)];
  // Turned on once, it stays on in this browser, as far as that lets it.
  if (localStorage.getItem(PLACE) === "on") void turnOnSound();
  else check();
  return () => {
    beat.terminate();
    clearInterval(recheck);
    for (const stop of unsubscribe) stop();
    silence();
    waiting?.abort();
    waiting = null;
    release?.();
    release = null;
    void audio?.close();
    audio = null;
    sounding = SILENT;
    tell();
  };
}
