// Sends a monitor's samples by WebSocket and keeps frames until they are acknowledged.
import { z } from "zod";
import { openWebSocket } from "../web-socket.ts";
import { describeError, isRetryable, pause, retryDelay, sendRequest } from "./http.ts";
import type { QueuedSample, Sender, SenderOptions } from "./sender.ts";
import { toWireSample } from "./sender.ts";
import { addLag, addReason } from "./tally.ts";

const SAMPLES_PER_FRAME = 100;
/** When no new frame was queued for this long, the queue counts as idle. */
const FLUSH_AFTER_MS = 2_000;
/** Maximum number of samples sent without an acknowledgement: the credit of the service. */
const MAX_UNACKED = 3_000;
const OPEN = 1;
const GOING_AWAY = 1000;
/** The close code after which reconnecting cannot help (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;
/** Three times the ten seconds within which the service acknowledges; after that the connection counts as dead. */
const ACK_TIMEOUT_MS = 30_000;

const Ack = z.object({ type: z.literal("ack"), upto: z.number() });
const Beat = z.object({ type: z.literal("beat"), beat: z.number() });
const Refused = z.object({
  type: z.literal("refused"),
  total: z.number().int().nonnegative(),
  reasons: z.record(z.string(), z.number().int().nonnegative()),
});
const ErrorMessage = z.object({ type: z.literal("error"), code: z.string().optional(), detail: z.string().optional() });

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}

export function createSocketSender(options: SenderOptions, ackTimeoutMs = ACK_TIMEOUT_MS): Sender {
  const { base, token, clock, tally, abort, logLine } = options;
  const address = new URL("/api/v1/observations/stream", base);
  const queue: QueuedSample[] = [];
  /** Number of samples at the head of the queue that were sent over the current connection. */
  let unackedCount = 0;
  /** Samples that the service has not stored, by reason; they are among the unacknowledged ones until the next acknowledgement. */
  const refused = { total: 0, reasons: new Map<string, number>() };
  let socket: WebSocket | null = null;
  let failure: string | null = null;
  let closed = false;
  let attempt = 0;
  let lastProgressAt = Date.now();
  let lastSentAt = Date.now();

  function flush(): void {
    while (socket?.readyState === OPEN && unackedCount < Math.min(queue.length, MAX_UNACKED)) {
      if (unackedCount === 0) lastProgressAt = Date.now();
      const frame = queue.slice(unackedCount, unackedCount + SAMPLES_PER_FRAME);
      socket.send(
        JSON.stringify({ type: "samples", samples: frame.map(toWireSample), sent_at: new Date(clock()).toISOString() }),
      );
      unackedCount += frame.length;
      lastSentAt = Date.now();
    }
  }

  function acknowledge(upto: number): void {
    const now = Date.now();
    let n = 0;
    for (let head = queue[n]; head && n < unackedCount && head.seq <= upto; head = queue[n]) {
      addLag(tally.lag, now - head.measured);
      n++;
    }
    queue.splice(0, n);
    unackedCount -= n;
    const refusedCount = Math.min(refused.total, n);
    tally.acknowledged += n - refusedCount;
    tally.rejected += refusedCount;
    refused.total -= refusedCount;
    for (const [reason, count] of refused.reasons) addReason(tally, `refused: ${reason}`, count);
    refused.reasons.clear();
    lastProgressAt = now;
    attempt = 0;
    flush();
  }

  /** A WebSocket does not report why it failed to open; a plain request to the same URL does. */
  async function findRefusal(): Promise<string | null> {
    try {
      const { status } = await sendRequest(address, { token, signal: abort });
      return [401, 403, 404].includes(status) && !isRetryable(status) ? `${status}` : null;
    } catch (error) {
      logLine(describeError(error));
      return null;
    }
  }

  async function onConnectionLost(opened: boolean, code: number): Promise<void> {
    socket = null;
    if (unackedCount > 0) tally.retried++;
    unackedCount = 0;
    // They are sent again, and refused again.
    refused.total = 0;
    refused.reasons.clear();
    if (closed || abort.aborted) return;
    if (attempt === 0) logLine(`connection lost (${code}); reconnecting`);
    failure = code === POLICY_VIOLATION ? `closed with ${code}` : opened ? null : await findRefusal();
    if (failure !== null) return;
    await pause(retryDelay(attempt++), abort);
    if (!closed && !abort.aborted) connect();
  }

  function connect(): void {
    const connection = openWebSocket(address, token);
    let opened = false;
    socket = connection;
    connection.addEventListener("open", () => {
      opened = true;
      flush();
    });
    connection.addEventListener("message", ({ data }) => {
      const message = parseJson(data);
      const { data: ack } = Ack.safeParse(message);
      if (ack && socket === connection) acknowledge(ack.upto);
      const { data: refusal } = Refused.safeParse(message);
      if (refusal && socket === connection) {
        refused.total += refusal.total;
        for (const [reason, n] of Object.entries(refusal.reasons))
          refused.reasons.set(reason, (refused.reasons.get(reason) ?? 0) + n);
      }
      const { data: beat } = Beat.safeParse(message);
      if (beat && connection.readyState === OPEN) connection.send(JSON.stringify(beat));
      const { data: errorMessage } = ErrorMessage.safeParse(message);
      if (errorMessage)
        logLine(
          `error from the service: ${errorMessage.code ?? "error"}${errorMessage.detail ? `: ${errorMessage.detail}` : ""}`,
        );
    });
    connection.addEventListener("close", ({ code }) => {
      if (socket === connection) void onConnectionLost(opened, code);
    });
  }

  /** A peer that disappears does not close the connection: without acknowledgements this side closes it. */
  const watchdog = setInterval(() => {
    // Nothing more to send: request an acknowledgement, since acknowledgements otherwise follow later frames.
    const isTail = unackedCount > 0 && unackedCount === queue.length && Date.now() - lastSentAt > FLUSH_AFTER_MS;
    if (isTail && socket?.readyState === OPEN) socket.send(JSON.stringify({ type: "flush" }));
    const isLate = unackedCount > 0 && Date.now() - lastProgressAt > ackTimeoutMs;
    if (!socket || !isLate) return;
    const staleSocket = socket;
    void onConnectionLost(true, 0);
    staleSocket.close(GOING_AWAY);
  }, ackTimeoutMs / 6);

  function close(): void {
    closed = true;
    clearInterval(watchdog);
    socket?.close(GOING_AWAY);
  }
  abort.addEventListener("abort", close, { once: true });
  connect();
  return {
    push(samples) {
      queue.push(...samples);
      flush();
    },
    waitingCount: () => queue.length,
    failureReason: () => failure,
    close,
  };
}
