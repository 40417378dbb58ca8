// The live socket: one a tab, kept up as long as somebody is signed in. A line that says nothing for four seconds is lost,
// whatever the browser thinks of it.
import { hc } from "hono/client";
import type { liveTicketRoutes } from "../../../src/live/routes.ts";
import { API, dataOf, OPTIONS } from "../api/client.ts";
import { asProblem } from "../api/problem.ts";
import { onToken } from "../session/session.ts";
import { readFrame } from "./frame.ts";
import { doubt, serverNow } from "./server-clock.ts";
import { forgetAll, take } from "./store.ts";

const api = hc<typeof liveTicketRoutes>(API, OPTIONS);
const PING_MS = 2_000;
const SILENT_MS = 4_000;
const ACK_MS = 1_000;
const ACK_FRAMES = 100;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Whom to watch: everybody of the caller's hospital, or one patient. */
export type Watched = { patient_id?: string; hospital_id?: string };
/** `since`: server's time, epoch milliseconds. `stopped`: coming back is of no use. */
export type Link =
  | { status: "off" | "connecting" | "catching_up" | "live" }
  | { status: "lost"; since: number }
  | { status: "stopped" };

let link: Link = { status: "off" };
const listeners = new Set<() => void>();
export const linkState = (): Link => link;
export function subscribeLink(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
function become(next: Link): void {
  if (next.status === link.status) return;
  link = next;
  for (const listener of listeners) listener();
}

let watched: Watched | null = null;
let socket: WebSocket | null = null;
let attempt = 0;
let seq: number | null = null;
let unread = 0;
let heardAt = 0;
let pingedAt = 0;
let ackedAt = 0;
let beatAt = 0;
let retryAt = 0;
let opening = false;
let beat: Worker | null = null;

/** Watches these from now on; null: nobody, and what was known is forgotten. */
export function watch(next: Watched | null): void {
  if (JSON.stringify(next) === JSON.stringify(watched)) return;
  watched = next;
  seq = null;
  hangUp();
  forgetAll();
  if (next === null) {
    beat?.terminate();
    beat = null;
    become({ status: "off" });
    return;
  }
  become({ status: "connecting" });
  attempt = 0;
  retryAt = 0;
  if (!beat) {
    beat = new Worker(new URL("./heartbeat.worker.ts", import.meta.url), { type: "module" });
    beat.onmessage = onBeat;
  }
  void open();
}

function hangUp(): void {
  const old = socket;
  socket = null;
  old?.close(1000);
}

async function open(): Promise<void> {
  if (opening || watched === null) return;
  opening = true;
  const asked = watched;
  try {
    const { url } = await dataOf(api.live.tickets.$post({ json: asked }));
    if (asked !== watched) return;
    connect(seq === null ? url : `${url}&since=${seq}`);
  } catch (error) {
    const { status } = asProblem(error);
    if (asked !== watched) return;
    if (status === 403 || status === 404) become({ status: "stopped" });
    else lose();
  } finally {
    opening = false;
    if (asked !== watched) void open();
  }
}

function connect(url: string): void {
  const made = new WebSocket(url.replace(/^http/, "ws"));
  socket = made;
  heardAt = performance.now();
  made.onmessage = ({ data }) => {
    if (made === socket) onMessage(String(data));
  };
  made.onclose = ({ code }) => {
    if (made !== socket) return;
    if (code === 4403) {
      socket = null;
      become({ status: "stopped" });
    } else lose();
  };
}

function onMessage(data: string): void {
  heardAt = performance.now();
  if (data === "pong") return;
  const read = readFrame(data);
  if ("damaged" in read) {
    // What it said is lost, so nothing that is shown counts as live: the next socket begins with a snapshot.
    reportError(new Error("a frame of the live socket cannot be read"));
    seq = null;
    lose();
    return;
  }
  if ("unknown" in read) {
    seq = read.seq;
    unread += 1;
    return;
  }
  const { frame } = read;
  seq = frame.seq;
  take(frame);
  if (frame.type === "gap") become({ status: "catching_up" });
  if (frame.type === "view") {
    attempt = 0;
    become({ status: "live" });
  }
  if (++unread >= ACK_FRAMES) acknowledge();
}

function acknowledge(): void {
  if (socket?.readyState !== WebSocket.OPEN || unread === 0) return;
  socket.send(JSON.stringify({ type: "ack", seq }));
  unread = 0;
  ackedAt = performance.now();
}

/** The line is gone, or as good as gone: everything shown is old until it is back. */
function lose(): void {
  hangUp();
  become({ status: "lost", since: serverNow() });
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt++);
  retryAt = performance.now() + wait * (0.5 + Math.random() / 2);
}

function onBeat(): void {
  const now = performance.now();
  // The machine slept: whatever is shown is of before.
  if (beatAt > 0 && now - beatAt > 10_000) {
    doubt();
    if (socket) lose();
  }
  beatAt = now;
  if (link.status === "stopped") return;
  if (!socket) {
    if (now >= retryAt) void open();
    return;
  }
  if (now - heardAt > SILENT_MS) {
    lose();
    return;
  }
  if (socket.readyState === WebSocket.OPEN && now - pingedAt >= PING_MS) {
    socket.send("ping");
    pingedAt = now;
  }
  if (now - ackedAt >= ACK_MS) acknowledge();
}

/** A newer token moves the end of the socket. */
onToken((token) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "token", access_token: token }));
});
addEventListener("offline", () => {
  if (socket) lose();
});
addEventListener("online", () => {
  retryAt = 0;
});
