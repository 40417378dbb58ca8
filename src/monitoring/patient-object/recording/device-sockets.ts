// Sockets of devices: frames of samples in, judged and shown at once, stored and acknowledged together every ten seconds.
import { z } from "zod";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import type { Facts } from "../context/facts.ts";
import type { IncomingBatch, Origin, RecordResult } from "../contract.ts";
import { socketDocument } from "../memory/documents.ts";

const SOCKET_TAG = "device";
/** How long samples wait to be stored; the device keeps what is not acknowledged. */
export const ACK_INTERVAL_MS = 10_000;
/** Samples that a device may have unacknowledged. */
export const MAX_UNACKED_SAMPLES = 3_000;
const MAX_FRAME_BYTES = 64 * 1024;
/** Frames of one socket in a second; monitors send one or a few. */
const MAX_FRAMES_PER_SECOND = 100;

/** What a device says of itself: words of a code, never free text. */
export const Conditions = z
  .array(
    z
      .string()
      .max(40)
      .regex(/^[a-z0-9_]+$/),
  )
  .max(20);

/** A device that has sent its last asks for its acknowledgement. */
const FlushMessage = z.strictObject({ type: z.literal("flush") });

const SamplesMessage = z.strictObject({
  type: z.literal("samples"),
  samples: z.array(z.unknown()).min(1).max(1000),
  sent_at: z.iso.datetime({ offset: true }).optional(),
  conditions: Conditions.optional(),
});

/** What a socket has sent that is not stored yet. */
type UnstoredSamples = { upto: number | null; samples: number };

/** When what waits is stored though nothing more comes. */
const MAX_STORE_DELAY_MS = 30_000;

type SocketHost = {
  ctx: DurableObjectState;
  /** Takes samples in without storing them yet. */
  record(origin: Origin, batch: IncomingBatch): RecordResult;
  /** Stores what was taken. */
  save(): void;
  /** Hears of an attachment that cannot be read. */
  report(error: StoredDocumentError): void;
};

export class DeviceSockets {
  readonly #host: SocketHost;
  readonly #waiting = new Map<WebSocket, UnstoredSamples>();
  readonly #rate = new WeakMap<WebSocket, { second: number; frames: number }>();
  /** Since when samples wait. No timer: one would keep the object awake, and billed, between two frames. */
  #waitingSince: number | null = null;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  accept(credential: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    // One socket a device: the older is half open, or somebody else's.
    this.flush();
    for (const older of this.#host.ctx.getWebSockets(credential)) older.close(4409, "another socket of this device");
    this.#host.ctx.acceptWebSocket(server, [SOCKET_TAG, credential]);
    server.serializeAttachment(socketDocument.wrap({ credential }));
    server.send(JSON.stringify({ type: "hello", credit: MAX_UNACKED_SAMPLES, ack_seconds: ACK_INTERVAL_MS / 1000 }));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** True for a socket that sends more frames than anybody could need. */
  #isFlooding(socket: WebSocket): boolean {
    const second = Math.floor(Date.now() / 1000);
    const rate = this.#rate.get(socket);
    const frames = rate?.second === second ? rate.frames + 1 : 1;
    this.#rate.set(socket, { second, frames });
    return frames > MAX_FRAMES_PER_SECOND;
  }

  message(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#isFlooding(socket)) {
      socket.close(1008, "too many frames");
      return;
    }
    const batch = readFrame(message);
    if (batch === "flush") {
      this.flush();
      return;
    }
    if ("close" in batch) {
      socket.close(batch.close, batch.reason);
      return;
    }
    const waiting = this.#waiting.get(socket) ?? { upto: null, samples: 0 };
    if (waiting.samples + batch.items.length > MAX_UNACKED_SAMPLES) {
      socket.close(1013, "more unacknowledged samples than the credit");
      return;
    }
    const credential = this.#credentialOf(socket);
    if (credential === null) return;
    let result: RecordResult;
    try {
      result = this.#host.record({ kind: "device", credential }, batch);
    } catch (error) {
      // Nothing of it is kept and nothing was acknowledged: the device comes again with all of it.
      this.closeAll(1011, "not stored");
      throw error;
    }
    if (!result.known) {
      socket.close(4403, "not bound");
      return;
    }
    const refused = result.results.filter(({ status }) => status !== "stored" && status !== "duplicate");
    if (refused.length > 0) socket.send(JSON.stringify({ type: "refused", results: refused }));
    this.#waiting.set(socket, { upto: highestSeq(waiting.upto, batch.items), samples: waiting.samples + batch.items.length });
    this.#waitingSince ??= Date.now();
    if (Date.now() - this.#waitingSince >= ACK_INTERVAL_MS) this.flush();
  }

  /** Null for a socket whose attachment cannot be read: it is closed, and the device comes again with all that it has not heard of. */
  #credentialOf(socket: WebSocket): string | null {
    try {
      return socketDocument.unwrap(socket.deserializeAttachment()).credential;
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      this.#host.report(error);
      this.#waiting.delete(socket);
      socket.close(1011, "the connection is not known any more");
      return null;
    }
  }

  /** Stores what waits, then acknowledges it: the output gate holds the frames until it is durable. */
  flush(): void {
    this.#waitingSince = null;
    if (this.#waiting.size === 0) return;
    this.#host.save();
    for (const [socket, { upto }] of this.#waiting) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ack", upto }));
    }
    this.#waiting.clear();
  }

  /** When the object has to store what waits, or null. */
  get storeDueAt(): number | null {
    return this.#waitingSince === null ? null : this.#waitingSince + MAX_STORE_DELAY_MS;
  }

  onClose(socket: WebSocket): void {
    if (this.#waiting.has(socket)) this.flush();
    this.#waiting.delete(socket);
  }

  /** Sockets whose credential is not bound here any more. */
  closeUnbound({ bindings, open }: Facts): void {
    const activeCredentials = new Set(
      open ? bindings.filter(({ until }) => until === null).flatMap(({ credentials }) => Object.keys(credentials)) : [],
    );
    for (const socket of this.#host.ctx.getWebSockets(SOCKET_TAG)) {
      const credential = this.#credentialOf(socket);
      if (credential !== null && !activeCredentials.has(credential)) socket.close(4403, "not bound");
    }
  }

  closeAll(code: number, reason: string): void {
    this.#waitingSince = null;
    this.#waiting.clear();
    for (const socket of this.#host.ctx.getWebSockets(SOCKET_TAG)) socket.close(code, reason);
  }
}

function readFrame(message: string | ArrayBuffer): IncomingBatch | "flush" | { close: number; reason: string } {
  if (typeof message !== "string") return { close: 1003, reason: "text frames only" };
  if (message.length > MAX_FRAME_BYTES) return { close: 1009, reason: "64 KiB a frame" };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { close: 1008, reason: "not JSON" };
  }
  if (FlushMessage.safeParse(value).success) return "flush";
  const frame = SamplesMessage.safeParse(value);
  if (!frame.success) return { close: 1008, reason: "not a frame of samples" };
  const { samples, sent_at, conditions } = frame.data;
  return { items: samples, sent_at: sent_at === undefined ? null : Date.parse(sent_at), conditions: conditions ?? null };
}

function highestSeq(before: number | null, items: readonly unknown[]): number | null {
  let upto = before;
  for (const item of items) {
    const seq = typeof item === "object" && item !== null && "seq" in item ? item.seq : null;
    if (typeof seq === "number" && Number.isSafeInteger(seq) && seq > (upto ?? -1)) upto = seq;
  }
  return upto;
}
