// Sockets of devices: frames of samples in, judged and shown at once, stored and acknowledged together every ten seconds.
import { z } from "zod";
import { StoredDocumentError } from "../stored-document.ts";
import type { Batch, Origin, RecordAnswer } from "./contract.ts";
import { socketDocument } from "./documents.ts";
import type { Facts } from "./facts.ts";

const TAG = "device";
/** How long samples wait to be stored; the device keeps what is not acknowledged. */
export const ACK_MS = 10_000;
/** Samples that a device may have unacknowledged. */
export const CREDIT = 3_000;
const MOST_BYTES = 64 * 1024;
/** Frames of one socket in a second; monitors send one or a few. */
const MOST_FRAMES = 100;

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
const Flush = z.strictObject({ type: z.literal("flush") });

const Frame = z.strictObject({
  type: z.literal("samples"),
  samples: z.array(z.unknown()).min(1).max(1000),
  sent_at: z.iso.datetime({ offset: true }).optional(),
  conditions: Conditions.optional(),
});

/** What a socket has sent that is not stored yet. */
type Waiting = { upto: number | null; samples: number };

/** When what waits is stored though nothing more comes. */
const TAIL_MS = 30_000;

type Host = {
  ctx: DurableObjectState;
  /** Takes samples in without storing them yet. */
  take(origin: Origin, batch: Batch): RecordAnswer;
  /** Stores what was taken. */
  save(): void;
  /** Hears of an attachment that cannot be read. */
  report(error: StoredDocumentError): void;
};

export class DeviceSockets {
  readonly #host: Host;
  readonly #waiting = new Map<WebSocket, Waiting>();
  readonly #pace = new WeakMap<WebSocket, { second: number; frames: number }>();
  /** Since when samples wait. No timer: one would keep the object awake, and billed, between two frames. */
  #since: number | null = null;

  constructor(host: Host) {
    this.#host = host;
  }

  accept(credential: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    // One socket a device: the older is half open, or somebody else's.
    this.flush();
    for (const older of this.#host.ctx.getWebSockets(credential)) older.close(4409, "another socket of this device");
    this.#host.ctx.acceptWebSocket(server, [TAG, credential]);
    server.serializeAttachment(socketDocument.wrap({ credential }));
    server.send(JSON.stringify({ type: "hello", credit: CREDIT, ack_seconds: ACK_MS / 1000 }));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** True for a socket that sends more frames than anybody could need. */
  #floods(socket: WebSocket): boolean {
    const second = Math.floor(Date.now() / 1000);
    const pace = this.#pace.get(socket);
    const frames = pace?.second === second ? pace.frames + 1 : 1;
    this.#pace.set(socket, { second, frames });
    return frames > MOST_FRAMES;
  }

  message(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#floods(socket)) {
      socket.close(1008, "too many frames");
      return;
    }
    const batch = readFrame(message);
    if (batch === "flush") {
      this.flush();
      return;
    }
    if ("close" in batch) {
      socket.close(batch.close, batch.why);
      return;
    }
    const waiting = this.#waiting.get(socket) ?? { upto: null, samples: 0 };
    if (waiting.samples + batch.items.length > CREDIT) {
      socket.close(1013, "more unacknowledged samples than the credit");
      return;
    }
    const credential = this.#credentialOf(socket);
    if (credential === null) return;
    let answer: RecordAnswer;
    try {
      answer = this.#host.take({ kind: "device", credential }, batch);
    } catch (error) {
      // Nothing of it is kept and nothing was acknowledged: the device comes again with all of it.
      this.closeAll(1011, "not stored");
      throw error;
    }
    if (!answer.known) {
      socket.close(4403, "not bound");
      return;
    }
    const refused = answer.results.filter(({ status }) => status !== "stored" && status !== "duplicate");
    if (refused.length > 0) socket.send(JSON.stringify({ type: "refused", results: refused }));
    this.#waiting.set(socket, { upto: highest(waiting.upto, batch.items), samples: waiting.samples + batch.items.length });
    this.#since ??= Date.now();
    if (Date.now() - this.#since >= ACK_MS) this.flush();
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
    this.#since = null;
    if (this.#waiting.size === 0) return;
    this.#host.save();
    for (const [socket, { upto }] of this.#waiting) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ack", upto }));
    }
    this.#waiting.clear();
  }

  /** When the object has to store what waits, or null. */
  get due(): number | null {
    return this.#since === null ? null : this.#since + TAIL_MS;
  }

  closed(socket: WebSocket): void {
    if (this.#waiting.has(socket)) this.flush();
    this.#waiting.delete(socket);
  }

  /** Sockets whose credential is not bound here any more. */
  dropUnbound({ bindings, open }: Facts): void {
    const live = new Set(
      open ? bindings.filter(({ until }) => until === null).flatMap(({ credentials }) => Object.keys(credentials)) : [],
    );
    for (const socket of this.#host.ctx.getWebSockets(TAG)) {
      const credential = this.#credentialOf(socket);
      if (credential !== null && !live.has(credential)) socket.close(4403, "not bound");
    }
  }

  closeAll(code: number, why: string): void {
    this.#since = null;
    this.#waiting.clear();
    for (const socket of this.#host.ctx.getWebSockets(TAG)) socket.close(code, why);
  }
}

function readFrame(message: string | ArrayBuffer): Batch | "flush" | { close: number; why: string } {
  if (typeof message !== "string") return { close: 1003, why: "text frames only" };
  if (message.length > MOST_BYTES) return { close: 1009, why: "64 KiB a frame" };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { close: 1008, why: "not JSON" };
  }
  if (Flush.safeParse(value).success) return "flush";
  const frame = Frame.safeParse(value);
  if (!frame.success) return { close: 1008, why: "not a frame of samples" };
  const { samples, sent_at, conditions } = frame.data;
  return { items: samples, sent_at: sent_at === undefined ? null : Date.parse(sent_at), conditions: conditions ?? null };
}

function highest(before: number | null, items: readonly unknown[]): number | null {
  let upto = before;
  for (const item of items) {
    const seq = typeof item === "object" && item !== null && "seq" in item ? item.seq : null;
    if (typeof seq === "number" && Number.isSafeInteger(seq) && seq > (upto ?? -1)) upto = seq;
  }
  return upto;
}
