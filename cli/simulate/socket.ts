// Brings a monitor's samples to the service by WebSocket: frames are kept until they are acknowledged.
import { z } from "zod";
import type { Courier, Errand, Waiting } from "./courier.ts";
import { wired } from "./courier.ts";
import { ask, passes, pause, saidBy, waitBefore } from "./http.ts";
import { addLag } from "./tally.ts";

const FRAME = 100;
/** Without a new frame for this long there is no more for now. */
const TAIL_MS = 2_000;
/** No more than this is under way without an acknowledgement. */
const WINDOW = 5_000;
const OPEN = 1;
const GOING_AWAY = 1000;
/** Of the reasons to close, the one that will be the same next time (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;
/** The service acknowledges every ten seconds; after three times that the connection is taken for dead. */
const ACK_TIMEOUT_MS = 30_000;

const Ack = z.object({ type: z.literal("ack"), upto: z.number() });
const Trouble = z.object({ type: z.literal("error"), code: z.string().optional(), detail: z.string().optional() });

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}

/** Node's WebSocket takes headers as its second argument; the declaration at hand is the browser's, which knows none. */
function openSocket(url: URL, token: string): WebSocket {
  return Reflect.construct(WebSocket, [url.href, { headers: { Authorization: `Bearer ${token}` } }]);
}

export function socketCourier(errand: Errand, ackTimeoutMs = ACK_TIMEOUT_MS): Courier {
  const { base, token, clock, tally, abort, say } = errand;
  const address = new URL("/api/v1/observations/stream", base);
  const socketAddress = new URL(address.href.replace(/^http/, "ws"));
  const queue: Waiting[] = [];
  /** How many at the head of the queue went out over the present connection. */
  let underWay = 0;
  let socket: WebSocket | null = null;
  let giveUp: string | null = null;
  let closed = false;
  let attempt = 0;
  let progress = Date.now();
  let sent = Date.now();

  function flush(): void {
    while (socket?.readyState === OPEN && underWay < Math.min(queue.length, WINDOW)) {
      if (underWay === 0) progress = Date.now();
      const frame = queue.slice(underWay, underWay + FRAME);
      socket.send(JSON.stringify({ type: "samples", samples: frame.map(wired), sent_at: new Date(clock()).toISOString() }));
      underWay += frame.length;
      sent = Date.now();
    }
  }

  function acknowledge(upto: number): void {
    const now = Date.now();
    let n = 0;
    for (let head = queue[n]; head && n < underWay && head.seq <= upto; head = queue[n]) {
      addLag(tally.lag, now - head.measured);
      n++;
    }
    queue.splice(0, n);
    underWay -= n;
    tally.acknowledged += n;
    progress = now;
    attempt = 0;
    flush();
  }

  /** A socket does not tell why it was not opened; a plain request is told. */
  async function refusal(): Promise<string | null> {
    try {
      const { status } = await ask(address, { token, signal: abort });
      return [401, 403, 404].includes(status) && !passes(status) ? `${status}` : null;
    } catch (error) {
      say(saidBy(error));
      return null;
    }
  }

  async function lost(opened: boolean, code: number): Promise<void> {
    socket = null;
    if (underWay > 0) tally.retried++;
    underWay = 0;
    if (closed || abort.aborted) return;
    if (attempt === 0) say(`the connection is gone (${code}); connecting again`);
    giveUp = code === POLICY_VIOLATION ? `closed with ${code}` : opened ? null : await refusal();
    if (giveUp !== null) return;
    await pause(waitBefore(attempt++), abort);
    if (!closed && !abort.aborted) connect();
  }

  function connect(): void {
    const mine = openSocket(socketAddress, token);
    let opened = false;
    socket = mine;
    mine.addEventListener("open", () => {
      opened = true;
      flush();
    });
    mine.addEventListener("message", ({ data }) => {
      const message = parseJson(data);
      const { data: ack } = Ack.safeParse(message);
      if (ack && socket === mine) acknowledge(ack.upto);
      const { data: trouble } = Trouble.safeParse(message);
      if (trouble) say(`the service says ${trouble.code ?? "error"}${trouble.detail ? `: ${trouble.detail}` : ""}`);
    });
    mine.addEventListener("close", ({ code }) => {
      if (socket === mine) void lost(opened, code);
    });
  }

  /** A peer that is gone without a word closes nothing: a connection without an acknowledgement is given up from this side. */
  const watch = setInterval(() => {
    // Nothing more to send: what is under way is asked for, since acknowledgements come with later frames.
    const isTail = underWay > 0 && underWay === queue.length && Date.now() - sent > TAIL_MS;
    if (isTail && socket?.readyState === OPEN) socket.send(JSON.stringify({ type: "flush" }));
    const late = underWay > 0 && Date.now() - progress > ackTimeoutMs;
    if (!socket || !late) return;
    const dead = socket;
    void lost(true, 0);
    dead.close(GOING_AWAY);
  }, ackTimeoutMs / 6);

  function close(): void {
    closed = true;
    clearInterval(watch);
    socket?.close(GOING_AWAY);
  }
  abort.addEventListener("abort", close, { once: true });
  connect();
  return {
    push(samples) {
      queue.push(...samples);
      flush();
    },
    waiting: () => queue.length,
    ended: () => giveUp,
    close,
  };
}
