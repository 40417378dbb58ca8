// WebSockets of devices: evaluates and publishes each frame of samples at once; stores and acknowledges them every ten seconds.
import { z } from "zod";
import { StoredDocumentError, storedDocument } from "../../../platform/stored-document.ts";
import { acceptBeat, BEAT_MS, newUnread, nextBeat, Unread } from "../../heartbeat.ts";
import type { Facts } from "../context/facts.ts";
import type { IncomingBatch, ItemResult, Origin, RecordResult } from "../contract.ts";

const SOCKET_TAG = "device";
/** How long samples wait to be stored; the device keeps samples that are not acknowledged. */
export const ACK_INTERVAL_MS = 10_000;
/** The most samples that a device may send without an acknowledgement. */
export const MAX_UNACKED_SAMPLES = 3_000;
const MAX_FRAME_BYTES = 64 * 1024;
/** Limit per socket; monitors send a few frames per second. */
const MAX_FRAMES_PER_SECOND = 100;

/** Conditions that a device reports about itself: codes, never free text. */
export const Conditions = z
  .array(
    z
      .string()
      .max(40)
      .regex(/^[a-z0-9_]+$/),
  )
  .max(20);

/** A device that has no more samples asks for the acknowledgement. */
const FlushMessage = z.strictObject({ type: z.literal("flush") });

const SamplesMessage = z.strictObject({
  type: z.literal("samples"),
  samples: z.array(z.unknown()).min(1).max(1000),
  sent_at: z.iso.datetime({ offset: true }).optional(),
  conditions: Conditions.optional(),
});

/** The attachment of a device's WebSocket. */
const DeviceSocketState = z.object({
  credential: z.string(),
  // Sockets that were opened before this field existed lack it.
  unread: Unread.default(() => newUnread(0)),
});
type DeviceSocketState = z.infer<typeof DeviceSocketState>;
const socketDocument = storedDocument<DeviceSocketState>("device socket", DeviceSocketState);

/** Samples of a socket that are not stored yet. `upto`: the highest sequence number among them. */
type UnstoredSamples = { upto: number | null; samples: number };

/** Bytes of answers that a device may leave unread: a device that stays connected for long returns each heartbeat. */
export const MAX_UNREAD_BYTES = 256 * 1024;
/** Refused samples of a frame that are listed one by one; all are counted by reason. */
const MAX_LISTED_REFUSALS = 10;

/** A returned heartbeat: all answers up to it were read. */
const BeatMessage = z.strictObject({ type: z.literal("beat"), beat: z.int().min(0) });

/** Waiting samples are stored after this time even when no other frame arrives. Each object alarm is billed, as a request and two rows. */
const MAX_STORE_DELAY_MS = 60_000;

type SocketHost = {
  ctx: DurableObjectState;
  /** Records samples in memory without storing them yet. */
  record(origin: Origin, batch: IncomingBatch): RecordResult;
  /** Stores the recorded samples. */
  save(): void;
  /** Called with the error of an unreadable attachment. */
  report(error: StoredDocumentError): void;
};

export class DeviceSockets {
  readonly #host: SocketHost;
  readonly #waiting = new Map<WebSocket, UnstoredSamples>();
  readonly #rate = new WeakMap<WebSocket, { second: number; frames: number }>();
  /** No timer: it would keep the object awake, and billed, between two frames. */
  #waitingSince: number | null = null;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  accept(credential: string): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    // One socket per device: an older one is half open.
    this.storeAndAcknowledge();
    for (const older of this.#host.ctx.getWebSockets(credential)) older.close(4409, "replaced by a newer socket of this device");
    this.#host.ctx.acceptWebSocket(server, [SOCKET_TAG, credential]);
    const state = { credential, unread: newUnread(Date.now()) };
    this.#send(server, state, { type: "hello", credit: MAX_UNACKED_SAMPLES, ack_seconds: ACK_INTERVAL_MS / 1000 });
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Sends an answer and saves the state, which outlives hibernation; closes a socket whose device does not read. */
  #send(socket: WebSocket, state: DeviceSocketState, answer: object): void {
    const text = JSON.stringify(answer);
    state.unread.bytes += text.length;
    socket.serializeAttachment(socketDocument.wrap(state));
    if (state.unread.bytes > MAX_UNREAD_BYTES) socket.close(1013, "answers are not read");
    else socket.send(text);
  }

  /** With the traffic, at most every 20 seconds: a timer would keep the object awake, and billed. */
  #beat(socket: WebSocket, state: DeviceSocketState): void {
    const now = Date.now();
    if (state.unread.beat !== null || now - state.unread.beatAt < BEAT_MS) return;
    this.#send(socket, state, { type: "beat", beat: nextBeat(state.unread, now) });
  }

  #onBeatAnswer(socket: WebSocket, state: DeviceSocketState, beat: number): void {
    if (acceptBeat(state.unread, beat)) socket.serializeAttachment(socketDocument.wrap(state));
  }

  #isOverFrameRate(socket: WebSocket): boolean {
    const second = Math.floor(Date.now() / 1000);
    const rate = this.#rate.get(socket);
    const frames = rate?.second === second ? rate.frames + 1 : 1;
    this.#rate.set(socket, { second, frames });
    return frames > MAX_FRAMES_PER_SECOND;
  }

  message(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#isOverFrameRate(socket)) {
      socket.close(1008, "too many frames");
      return;
    }
    const state = this.#stateOf(socket);
    if (!state) return;
    this.#beat(socket, state);
    const batch = readFrame(message);
    if (batch === "flush") {
      this.storeAndAcknowledge();
      return;
    }
    if ("beat" in batch) {
      this.#onBeatAnswer(socket, state, batch.beat);
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
    // Before the samples are recorded, which sets the alarm.
    this.#waitingSince ??= Date.now();
    let result: RecordResult;
    try {
      result = this.#host.record({ kind: "device", credential: state.credential }, batch);
    } catch (error) {
      // Nothing was stored or acknowledged, so the device sends all of it again.
      this.closeAll(1011, "not stored");
      throw error;
    }
    if (!result.known) {
      socket.close(4403, "not bound");
      return;
    }
    const rejected = result.results.filter(({ status }) => status !== "stored" && status !== "duplicate");
    if (rejected.length > 0) this.#send(socket, state, toRefusal(rejected));
    this.#waiting.set(socket, { upto: highestSeq(waiting.upto, batch.items), samples: waiting.samples + batch.items.length });
    if (Date.now() - this.#waitingSince >= ACK_INTERVAL_MS) this.storeAndAcknowledge();
  }

  /** Null when the attachment is unreadable: the socket is closed, and the device sends unacknowledged samples again. */
  #stateOf(socket: WebSocket): DeviceSocketState | null {
    try {
      return socketDocument.unwrap(socket.deserializeAttachment());
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      this.#host.report(error);
      this.#waiting.delete(socket);
      socket.close(1011, "connection state lost");
      return null;
    }
  }

  /** The output gate of the platform holds the acknowledgements until the write is durable. */
  storeAndAcknowledge(): void {
    this.#waitingSince = null;
    if (this.#waiting.size === 0) return;
    this.#host.save();
    for (const [socket, { upto }] of this.#waiting) {
      const state = socket.readyState === WebSocket.OPEN ? this.#stateOf(socket) : null;
      if (state) this.#send(socket, state, { type: "ack", upto });
    }
    this.#waiting.clear();
  }

  /** When the waiting samples must be stored, epoch milliseconds; null when there are none. */
  get storeDueAt(): number | null {
    return this.#waitingSince === null ? null : this.#waitingSince + MAX_STORE_DELAY_MS;
  }

  onClose(socket: WebSocket): void {
    if (this.#waiting.has(socket)) this.storeAndAcknowledge();
    this.#waiting.delete(socket);
  }

  /** Closes sockets whose credential is no longer bound to this patient. */
  closeUnbound({ bindings, open }: Facts): void {
    const activeCredentials = new Set(
      open ? bindings.filter(({ until }) => until === null).flatMap(({ credentials }) => Object.keys(credentials)) : [],
    );
    for (const socket of this.#host.ctx.getWebSockets(SOCKET_TAG)) {
      const state = this.#stateOf(socket);
      if (state && !activeCredentials.has(state.credential)) socket.close(4403, "not bound");
    }
  }

  closeAll(code: number, reason: string): void {
    this.#waitingSince = null;
    this.#waiting.clear();
    for (const socket of this.#host.ctx.getWebSockets(SOCKET_TAG)) socket.close(code, reason);
  }
}

/** The first refused samples, and the number of all by reason. */
function toRefusal(refused: readonly ItemResult[]) {
  const counts = new Map<string, number>();
  for (const { reason = "" } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return {
    type: "refused",
    results: refused.slice(0, MAX_LISTED_REFUSALS),
    total: refused.length,
    reasons: Object.fromEntries(counts),
  };
}

type Frame = IncomingBatch | "flush" | { beat: number } | { close: number; reason: string };

function readFrame(message: string | ArrayBuffer): Frame {
  if (typeof message !== "string") return { close: 1003, reason: "text frames only" };
  if (message.length > MAX_FRAME_BYTES) return { close: 1009, reason: "a frame has at most 64 KiB" };
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return { close: 1008, reason: "not JSON" };
  }
  if (FlushMessage.safeParse(value).success) return "flush";
  const beat = BeatMessage.safeParse(value);
  if (beat.success) return { beat: beat.data.beat };
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
