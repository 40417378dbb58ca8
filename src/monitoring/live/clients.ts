// State of a live socket (kept in its attachment through hibernation), client messages and close codes.
import { z } from "zod";
import { storedDocument } from "../../platform/stored-document.ts";
import { newUnread, Unread } from "../heartbeat.ts";
import { Subscription } from "./visibility.ts";

/** Close codes and reasons; docs/live.md describes them. */
export const CLOSE_REASONS = {
  binary: [1003, "text messages only"],
  policy: [1008, "invalid message"],
  flood: [1008, "too many messages"],
  too_large: [1009, "a message has at most 4 KB"],
  lost: [1011, "connection state lost"],
  behind: [1013, "frames were not acknowledged"],
  ended: [4401, "the token, the session or the role has ended"],
  unrecorded: [1013, "the audit log is not available"],
  gone: [4403, "no access to any patient of this view"],
} as const;
export type CloseReason = (typeof CLOSE_REASONS)[keyof typeof CLOSE_REASONS];

export const MAX_UNACKED_FRAMES = 500;
/**
 * UTF-16 units of JSON, snapshots and beats included: the memory that a client who reads nothing can hold. More than 50 frames of a
 * busy ward, after which clients acknowledge.
 */
export const MAX_UNACKED_BYTES = 384 * 1024;
/** After so much a beat is due before its time. */
export const BEAT_AFTER_BYTES = MAX_UNACKED_BYTES;
/**
 * UTF-16 units sent since the newest beat that the client returned. Numbers of frames can be learned from another view, so that a
 * client who reads nothing could acknowledge all; the number in a beat cannot.
 */
export const MAX_UNREAD_BYTES = 2 * MAX_UNACKED_BYTES;
const MAX_MESSAGE_BYTES = 4096;
const MAX_MESSAGES_PER_SECOND = 50;

/** The attachment: about 800 bytes; the platform allows 16 KB. */
export const ClientState = z.strictObject({
  ...Subscription.shape,
  hospitalId: z.string(),
  /** Epoch milliseconds; null when the credential does not expire. */
  expires: z.int().nullable(),
  /** The last `seq` sent, and the unacknowledged frames and bytes up to it. */
  sent: z.int(),
  frames: z.int(),
  bytes: z.int(),
  /** Whether frames were withheld because too many are unacknowledged. */
  isLagging: z.boolean().default(false),
  // Sockets that were opened before this field existed lack it.
  unread: Unread.default(() => newUnread(0)),
  /** Identifies the screen in audit events, with the request that opened the connection. */
  screen: z.string().default(() => crypto.randomUUID()),
  requestId: z.string().default("feed"),
  ip: z.string().nullable().default(null),
});
export type ClientState = z.infer<typeof ClientState>;
export const clientDocument = storedDocument<ClientState>("live socket", ClientState);

/** The authorized caller and view of a new socket, sent by the Worker to the feed. */
export const Handshake = z.strictObject({
  subscription: Subscription,
  hospitalId: z.string(),
  requested: z.array(z.string()).nullable(),
  expires: z.int().nullable(),
  since: z.int().min(0).nullable(),
  requestId: z.string().default("feed"),
  ip: z.string().nullable().default(null),
});
export type Handshake = z.infer<typeof Handshake>;

/** The state of a new connection, before anything is sent. */
export function newClientState(handshake: Handshake, screen: string, now: number): ClientState {
  const { subscription, hospitalId, expires, requestId, ip } = handshake;
  const counts = { sent: 0, frames: 0, bytes: 0, isLagging: false, unread: newUnread(now) };
  return { ...subscription, hospitalId, expires, ...counts, screen, requestId, ip };
}

/** Unacknowledged frames; after hibernation one entry represents all of them. */
export type UnackedFrames = { seq: number; frames: number; bytes: number }[];

export function toUnacked({ sent, frames, bytes }: ClientState): UnackedFrames {
  return frames > 0 ? [{ seq: sent, frames, bytes }] : [];
}

/** Removes acknowledged frames from `unacked` and the client's totals. */
export function acknowledgeFrames(client: ClientState, unacked: UnackedFrames, seq: number): void {
  while (unacked[0] && unacked[0].seq <= seq) {
    client.frames -= unacked[0].frames;
    client.bytes -= unacked[0].bytes;
    unacked.shift();
  }
}

/** Whether one more frame of this size is within the limits. A client who has acknowledged all gets a frame of any size. */
export function hasCredit({ frames, bytes, unread }: ClientState, size: number): boolean {
  if (unread.bytes >= MAX_UNREAD_BYTES) return false;
  return frames === 0 || (frames < MAX_UNACKED_FRAMES && bytes + size <= MAX_UNACKED_BYTES);
}

/** Whether a lagging client has acknowledged enough to get snapshots of what was withheld. */
export function hasCreditToCatchUp({ frames, bytes, unread }: ClientState): boolean {
  return frames <= MAX_UNACKED_FRAMES / 2 && bytes <= MAX_UNACKED_BYTES / 2 && unread.bytes <= MAX_UNREAD_BYTES / 2;
}

/** Records a sent frame. */
export function addUnacked(client: ClientState, unacked: UnackedFrames, seq: number, bytes: number): void {
  unacked.push({ seq, frames: 1, bytes });
  client.sent = seq;
  client.frames += 1;
  client.bytes += bytes;
  client.unread.bytes += bytes;
}

const ClientMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ack"), seq: z.int().min(0), beat: z.int().min(0).optional() }),
  z.strictObject({ type: z.literal("token"), access_token: z.string() }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** The parsed message, or the reason to close the socket. */
export function parseMessage(data: string | ArrayBuffer): ClientMessage | CloseReason {
  if (typeof data !== "string") return CLOSE_REASONS.binary;
  if (data.length > MAX_MESSAGE_BYTES || new TextEncoder().encode(data).length > MAX_MESSAGE_BYTES)
    return CLOSE_REASONS.too_large;
  const message = ClientMessage.safeParse(parseJson(data));
  return message.success ? message.data : CLOSE_REASONS.policy;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Messages within a second. In memory only: a hibernating socket has sent none. */
export type MessageRate = { second: number; messages: number };

/** Counts a message. @returns whether it exceeds the limit */
export function exceedsMessageRate(rate: MessageRate, now: number): boolean {
  const second = Math.floor(now / 1000);
  if (rate.second !== second) Object.assign(rate, { second, messages: 0 });
  rate.messages += 1;
  return rate.messages > MAX_MESSAGES_PER_SECOND;
}
