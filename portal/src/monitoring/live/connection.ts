// Live WebSocket: one per tab while a user is signed in. It counts as lost after four seconds without a message,
// whatever the browser reports.
import { hc } from "hono/client";
import type { liveTicketRoutes } from "../../../../src/monitoring/live/routes.ts";
import { onToken } from "../../accounts/session/session.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";
import { toProblem } from "../../platform/api/problem.ts";
import { readFrame } from "./frame.ts";
import { applyFrame, clearPatients } from "./patient-store.ts";
import { resetServerClock, serverNow } from "./server-clock.ts";

const api = hc<typeof liveTicketRoutes>(API_BASE, CLIENT_OPTIONS);
const PING_INTERVAL_MS = 2_000;
const SILENCE_TIMEOUT_MS = 4_000;
const ACK_INTERVAL_MS = 1_000;
const MAX_UNACKED_FRAMES = 100;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** Scope to watch: all patients of the caller's hospital, or one patient. */
export type WatchTarget = { patient_id?: string; hospital_id?: string };
/** `since`: server time, epoch milliseconds. `stopped`: reconnecting is of no use. */
export type Connection =
  | { status: "off" | "connecting" | "catching_up" | "live" }
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
  if (next.status === connection.status) return;
  connection = next;
  for (const listener of listeners) listener();
}

let watchTarget: WatchTarget | null = null;
let socket: WebSocket | null = null;
let attempt = 0;
let seq: number | null = null;
let unackedFrames = 0;
let receivedAt = 0;
let pingedAt = 0;
let ackedAt = 0;
let tickedAt = 0;
let retryAt = 0;
let isOpening = false;
let ticker: Worker | null = null;

/** Sets the scope to watch; null stops watching and clears the store. */
export function watchPatients(next: WatchTarget | null): void {
  if (JSON.stringify(next) === JSON.stringify(watchTarget)) return;
  watchTarget = next;
  seq = null;
  closeSocket();
  clearPatients();
  if (next === null) {
    ticker?.terminate();
    ticker = null;
    setConnection({ status: "off" });
    return;
  }
  setConnection({ status: "connecting" });
  attempt = 0;
  retryAt = 0;
  if (!ticker) {
    ticker = new Worker(new URL("./heartbeat.worker.ts", import.meta.url), { type: "module" });
    ticker.onmessage = onTick;
  }
  void openSocket();
}

function closeSocket(): void {
  const old = socket;
  socket = null;
  old?.close(1000);
}

async function openSocket(): Promise<void> {
  if (isOpening || watchTarget === null) return;
  isOpening = true;
  const requestedTarget = watchTarget;
  try {
    const { ticket } = await readData(api.live.tickets.$post({ json: requestedTarget }));
    if (requestedTarget !== watchTarget) return;
    // On the page's own origin, which the policy requires: the ticket's `url` names the service's public origin.
    const url = new URL(`${API_BASE}/live`, window.location.href);
    url.searchParams.set("ticket", ticket);
    if (seq !== null) url.searchParams.set("since", String(seq));
    attachSocket(url.href);
  } catch (error) {
    const { status } = toProblem(error);
    if (requestedTarget !== watchTarget) return;
    if (status === 403 || status === 404) setConnection({ status: "stopped" });
    else onConnectionLost();
  } finally {
    isOpening = false;
    if (requestedTarget !== watchTarget) void openSocket();
  }
}

function attachSocket(url: string): void {
  const newSocket = new WebSocket(url.replace(/^http/, "ws"));
  socket = newSocket;
  receivedAt = performance.now();
  newSocket.onmessage = ({ data }) => {
    if (newSocket === socket) onMessage(String(data));
  };
  newSocket.onclose = ({ code }) => {
    if (newSocket !== socket) return;
    if (code === 4403) {
      socket = null;
      setConnection({ status: "stopped" });
    } else onConnectionLost();
  };
}

function onMessage(data: string): void {
  receivedAt = performance.now();
  if (data === "pong") return;
  const read = readFrame(data);
  if ("damaged" in read) {
    // Messages were lost, so nothing counts as live: the next socket starts with a snapshot.
    reportError(new Error("a frame of the live socket cannot be read"));
    seq = null;
    onConnectionLost();
    return;
  }
  if ("unknown" in read) {
    seq = read.seq;
    unackedFrames += 1;
    return;
  }
  const { frame } = read;
  seq = frame.seq;
  applyFrame(frame);
  if (frame.type === "gap") setConnection({ status: "catching_up" });
  if (frame.type === "view") {
    attempt = 0;
    setConnection({ status: "live" });
  }
  unackedFrames += 1;
  if (frame.type === "beat") sendAck(frame.beat);
  else if (unackedFrames >= MAX_UNACKED_FRAMES) sendAck();
}

/** @param beat the number of a beat, which only a client that reads can return */
function sendAck(beat?: number): void {
  if (socket?.readyState !== WebSocket.OPEN || unackedFrames === 0) return;
  socket.send(JSON.stringify({ type: "ack", seq, beat }));
  unackedFrames = 0;
  ackedAt = performance.now();
}

/** The connection is lost or presumed lost: all values are outdated until it is back. */
function onConnectionLost(): void {
  closeSocket();
  setConnection({ status: "lost", since: serverNow() });
  const delayMs = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** attempt++);
  retryAt = performance.now() + delayMs * (0.5 + Math.random() / 2);
}

function onTick(): void {
  const now = performance.now();
  // The computer slept: all values are outdated.
  if (tickedAt > 0 && now - tickedAt > 10_000) {
    resetServerClock();
    if (socket) onConnectionLost();
  }
  tickedAt = now;
  if (connection.status === "stopped") return;
  if (!socket) {
    if (now >= retryAt) void openSocket();
    return;
  }
  if (now - receivedAt > SILENCE_TIMEOUT_MS) {
    onConnectionLost();
    return;
  }
  if (socket.readyState === WebSocket.OPEN && now - pingedAt >= PING_INTERVAL_MS) {
    socket.send("ping");
    pingedAt = now;
  }
  if (now - ackedAt >= ACK_INTERVAL_MS) sendAck();
}

/** Sends a new access token, which extends the socket's lifetime. */
onToken((token) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "token", access_token: token }));
});
addEventListener("offline", () => {
  if (socket) onConnectionLost();
});
addEventListener("online", () => {
  retryAt = 0;
});
