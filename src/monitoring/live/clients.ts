// What a feed knows of a socket, in its attachment, so that it survives hibernation; what a client may say; how it ends.
import { z } from "zod";
import { storedDocument } from "../../platform/stored-document.ts";
import { Subscription } from "./visibility.ts";

/** Close codes, see docs/live.md. */
export const CLOSE_REASONS = {
  binary: [1003, "text only"],
  policy: [1008, "not a message of this protocol"],
  flood: [1008, "too many messages"],
  too_large: [1009, "at most 4 KB"],
  lost: [1011, "the connection is not known any more"],
  behind: [1013, "too much is not acknowledged"],
  ended: [4401, "the token, the session or the role has ended"],
  gone: [4403, "no patient of this view is yours to see"],
} as const;
export type CloseReason = (typeof CLOSE_REASONS)[keyof typeof CLOSE_REASONS];

export const MAX_UNACKED_FRAMES = 500;
export const MAX_UNACKED_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 4096;
const MAX_MESSAGES_PER_SECOND = 50;

/** The attachment: at most a few hundred bytes of the 16 KB it may have. */
export const ClientState = z.strictObject({
  ...Subscription.shape,
  hospitalId: z.string(),
  /** Epoch milliseconds; null where the credential has no end. */
  expires: z.int().nullable(),
  /** The last number sent, and how much up to it is not acknowledged. */
  sent: z.int(),
  frames: z.int(),
  bytes: z.int(),
});
export type ClientState = z.infer<typeof ClientState>;
export const clientDocument = storedDocument<ClientState>("live socket", ClientState);

/** Who a socket is, as the Worker tells the feed with the handshake. */
export const Handshake = z.strictObject({
  seat: Subscription,
  hospitalId: z.string(),
  requested: z.array(z.string()).nullable(),
  expires: z.int().nullable(),
  since: z.int().min(0).nullable(),
});
export type Handshake = z.infer<typeof Handshake>;

/** Frames that wait for acknowledgement; after hibernation one entry stands for all of them. */
export type UnackedFrames = { seq: number; frames: number; bytes: number }[];

export function toUnacked({ sent, frames, bytes }: ClientState): UnackedFrames {
  return frames > 0 ? [{ seq: sent, frames, bytes }] : [];
}

/** Takes what was acknowledged out of `owed` and the client's totals. */
export function acknowledgeFrames(client: ClientState, unacked: UnackedFrames, seq: number): void {
  while (unacked[0] && unacked[0].seq <= seq) {
    client.frames -= unacked[0].frames;
    client.bytes -= unacked[0].bytes;
    unacked.shift();
  }
}

/** Whether one more frame of this size would be too much. */
export function isBehind(client: ClientState, size: number): boolean {
  return client.frames >= MAX_UNACKED_FRAMES || (client.frames > 0 && client.bytes + size > MAX_UNACKED_BYTES);
}

/** Notes a frame that is sent. */
export function addUnacked(client: ClientState, unacked: UnackedFrames, seq: number, bytes: number): void {
  unacked.push({ seq, frames: 1, bytes });
  client.sent = seq;
  client.frames += 1;
  client.bytes += bytes;
}

const ClientMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ack"), seq: z.int().min(0) }),
  z.strictObject({ type: z.literal("token"), access_token: z.string() }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** A message of a client, or why the socket ends. */
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

/** How many messages came within the second. In memory: who hibernates has sent none. */
export type MessageRate = { second: number; messages: number };

/** Counts one message. @returns whether it was one too many */
export function isFlooding(rate: MessageRate, now: number): boolean {
  const second = Math.floor(now / 1000);
  if (rate.second !== second) Object.assign(rate, { second, messages: 0 });
  rate.messages += 1;
  return rate.messages > MAX_MESSAGES_PER_SECOND;
}
