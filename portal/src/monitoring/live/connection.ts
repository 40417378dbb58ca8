// Live connection: one per tab while a user is signed in. It decides which transport carries the view and when to try again, and
// counts as lost after some seconds of silence, whatever the browser reports.
import { onToken } from "../../accounts/session/session.ts";
import { noteReachable } from "../../platform/api/back-off.ts";
import { readFrame } from "./frame.ts";
import { signalNotifications } from "./notification-signal.ts";
import { applyFrame, applyPolledState, clearPatients } from "./patient-store.ts";
import { openPoll } from "./poll-transport.ts";
import { resetServerClock, serverNow } from "./server-clock.ts";
import { openSocket } from "./socket-transport.ts";
import { openStream } from "./stream-transport.ts";
import type { EndReason, Transport, TransportEvents, TransportRequest, WatchTarget } from "./transport.ts";
import { chooseAfterFailure, FIRST_CHOICE, probeDelayMs, retryDelayMs, type TransportKind } from "./transport-choice.ts";

const ACK_INTERVAL_MS = 1_000;
const MAX_UNACKED_FRAMES = 100;
/** A first connection may take so long, with another transport if need be, before it is called lost. */
const MAX_CONNECTING_MS = 5_000;

const OPENERS: Readonly<Record<TransportKind, (request: TransportRequest, events: TransportEvents) => Transport>> = {
  socket: openSocket,
  stream: openStream,
  poll: openPoll,
};

/**
 * `since`: server time, epoch milliseconds. `everyMs`: time between two updates, null when they arrive at once.
 * `stopped`: reconnecting is of no use.
 */
export type Connection =
  | { status: "off" | "connecting" | "catching_up" }
  | { status: "live"; everyMs: number | null }
  | { status: "lost"; since: number }
  | { status: "stopped" };

let connection: Connection = { status: "off" };
const listeners = new Set<() => void>();
export const getConnection = (): Connection => connection;
export function subscribeConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
function setConnection(next: Connection): void {
  const isSameRate = !(next.status === "live" && connection.status === "live") || next.everyMs === connection.everyMs;
  if (next.status === connection.status && isSameRate) return;
  connection = next;
  for (const listener of listeners) listener();
}

let watchTarget: WatchTarget | null = null;
let watchedSince = 0;
let transport: Transport | null = null;
/** Kept for the next target: the same network lets the same transports pass. */
let choice = FIRST_CHOICE;
let attempt = 0;
let wasLive = false;
let seq: number | null = null;
let unackedFrames = 0;
/** When something last arrived; null until it may be expected. */
let receivedAt: number | null = null;
let ackedAt = 0;
let tickedAt = 0;
let retryAt = 0;
let ticker: Worker | null = null;
/** A socket that is tried beside another transport that works. */
let probe: Transport | null = null;
let probes = 0;
let probeAt = 0;

/** Sets the scope to watch; null stops watching and clears the store. */
export function watchPatients(next: WatchTarget | null): void {
  if (JSON.stringify(next) === JSON.stringify(watchTarget)) return;
  watchTarget = next;
  seq = null;
  closeTransports();
  clearPatients();
  if (next === null) {
    ticker?.terminate();
    ticker = null;
    setConnection({ status: "off" });
    return;
  }
  setConnection({ status: "connecting" });
  watchedSince = performance.now();
  attempt = 0;
  retryAt = 0;
  if (!ticker) {
    ticker = new Worker(new URL("./heartbeat.worker.ts", import.meta.url), { type: "module" });
    ticker.onmessage = onTick;
  }
  openTransport(next);
}

function closeTransports(): void {
  for (const one of [transport, probe]) one?.close();
  transport = null;
  probe = null;
}

function openTransport(target: WatchTarget): void {
  receivedAt = null;
  wasLive = false;
  unackedFrames = 0;
  transport = OPENERS[choice.kind](
    { target, since: seq },
    {
      onAlive: () => {
        receivedAt = performance.now();
      },
      onFrame: receiveFrame,
      onPolled: (state) => {
        // The next socket starts with a snapshot: its numbers say nothing about what was polled.
        seq = null;
        applyPolledState(state);
        becomeLive();
      },
      onEnd: onConnectionLost,
    },
  );
}

function becomeLive(): void {
  attempt = 0;
  choice = { kind: choice.kind, failures: 0 };
  if (!wasLive && choice.kind !== "socket") scheduleProbe();
  wasLive = true;
  noteReachable();
  setConnection({ status: "live", everyMs: transport?.everyMs() ?? null });
}

function receiveFrame(data: string): void {
  const read = readFrame(data);
  if ("damaged" in read) {
    // Messages were lost, so nothing counts as live: the next connection starts with a snapshot.
    reportError(new Error("a frame of the live view cannot be read"));
    seq = null;
    onConnectionLost("failed");
    return;
  }
  if ("notifications" in read) {
    signalNotifications();
    return;
  }
  unackedFrames += 1;
  if ("unknown" in read) {
    seq = read.seq;
    return;
  }
  const { frame } = read;
  seq = frame.seq;
  applyFrame(frame);
  if (frame.type === "gap") setConnection({ status: "catching_up" });
  if (frame.type === "view") becomeLive();
  if (frame.type === "beat") sendAck(frame.beat);
  else if (unackedFrames >= MAX_UNACKED_FRAMES) sendAck();
}

function sendAck(beat?: number): void {
  if (unackedFrames === 0 || seq === null) return;
  transport?.acknowledge(seq, beat);
  unackedFrames = 0;
  ackedAt = performance.now();
}

/** The connection is lost or presumed lost: all values are outdated until it is back. */
function onConnectionLost(reason: EndReason, waitMs = 0): void {
  closeTransports();
  if (reason === "stopped") {
    setConnection({ status: "stopped" });
    return;
  }
  if (!wasLive && reason === "failed") choice = chooseAfterFailure(choice);
  const now = performance.now();
  if (connection.status !== "connecting" || now - watchedSince > MAX_CONNECTING_MS)
    setConnection({ status: "lost", since: serverNow() });
  retryAt = now + Math.max(retryDelayMs(attempt++, Math.random()), waitMs);
}

function scheduleProbe(): void {
  probeAt = performance.now() + probeDelayMs(probes, Math.random());
}

/** Opens a socket beside the transport that works; with its first frame it takes over and replays what it missed. */
function openProbe(target: WatchTarget): void {
  let probedAt: number | null = null;
  const giveUp = () => {
    probe?.close();
    probe = null;
    probes += 1;
    scheduleProbe();
  };
  const opened = openSocket(
    { target, since: seq },
    {
      onAlive: () => {
        if (transport === opened) receivedAt = performance.now();
        else probedAt ??= performance.now();
      },
      onFrame: (data) => {
        if (transport !== opened) {
          transport?.close();
          transport = opened;
          probe = null;
          probes = 0;
          choice = FIRST_CHOICE;
          wasLive = true;
          unackedFrames = 0;
          receivedAt = performance.now();
        }
        receiveFrame(data);
      },
      onPolled: () => undefined,
      onEnd: (reason, waitMs) => (transport === opened ? onConnectionLost(reason, waitMs) : giveUp()),
    },
  );
  probe = {
    ...opened,
    tick(now) {
      if (probedAt !== null && now - probedAt > opened.silenceMs()) giveUp();
    },
  };
}

function onTick(): void {
  const now = performance.now();
  // The computer slept: all values are outdated.
  if (tickedAt > 0 && now - tickedAt > 10_000) {
    resetServerClock();
    if (transport) onConnectionLost("unreachable");
  }
  tickedAt = now;
  if (connection.status === "stopped" || watchTarget === null) return;
  if (!transport) {
    if (now >= retryAt) openTransport(watchTarget);
    return;
  }
  if (receivedAt !== null && now - receivedAt > transport.silenceMs()) {
    onConnectionLost("failed");
    return;
  }
  transport.tick(now);
  if (now - ackedAt >= ACK_INTERVAL_MS) sendAck();
  probe?.tick(now);
  if (!probe && wasLive && transport.kind !== "socket" && now >= probeAt) openProbe(watchTarget);
}

/** Sends a new access token, which extends the socket's lifetime. */
onToken((token) => transport?.renew(token));
addEventListener("offline", () => {
  if (transport) onConnectionLost("unreachable");
});
addEventListener("online", () => {
  retryAt = 0;
});
