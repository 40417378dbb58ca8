// What a feed knows of a socket, in its attachment, so that it survives hibernation; what a client may say; how it ends.
import { z } from "zod";
import { storedDocument } from "../stored-document.ts";
import { Seat } from "./views.ts";

/** Close codes, see docs/live.md. */
export const CLOSE = {
  binary: [1003, "text only"],
  policy: [1008, "not a message of this protocol"],
  flood: [1008, "too many messages"],
  too_large: [1009, "at most 4 KB"],
  lost: [1011, "the connection is not known any more"],
  behind: [1013, "too much is not acknowledged"],
  ended: [4401, "the token, the session or the role has ended"],
  gone: [4403, "no patient of this view is yours to see"],
} as const;
export type Close = (typeof CLOSE)[keyof typeof CLOSE];

export const MOST_OWED_FRAMES = 500;
export const MOST_OWED_BYTES = 1024 * 1024;
const MOST_MESSAGE = 4096;
const MOST_MESSAGES = 50;

/** The attachment: at most a few hundred bytes of the 16 KB it may have. */
export const Client = z.strictObject({
  ...Seat.shape,
  hospitalId: z.string(),
  /** Epoch milliseconds; null where the credential has no end. */
  expires: z.int().nullable(),
  /** The last number sent, and how much up to it is not acknowledged. */
  sent: z.int(),
  frames: z.int(),
  bytes: z.int(),
});
export type Client = z.infer<typeof Client>;
export const clientDocument = storedDocument<Client>("live socket", Client);

/** Who a socket is, as the Worker tells the feed with the handshake. */
export const Handshake = z.strictObject({
  seat: Seat,
  hospitalId: z.string(),
  requested: z.array(z.string()).nullable(),
  expires: z.int().nullable(),
  since: z.int().min(0).nullable(),
});
export type Handshake = z.infer<typeof Handshake>;

/** Frames that wait for acknowledgement; after hibernation one entry stands for all of them. */
export type Owed = { seq: number; frames: number; bytes: number }[];

export function owedOf({ sent, frames, bytes }: Client): Owed {
  return frames > 0 ? [{ seq: sent, frames, bytes }] : [];
}

/** Takes what was acknowledged out of `owed` and the client's totals. */
export function acknowledge(client: Client, owed: Owed, seq: number): void {
  while (owed[0] && owed[0].seq <= seq) {
    client.frames -= owed[0].frames;
    client.bytes -= owed[0].bytes;
    owed.shift();
  }
}

/** Whether one more frame of this size would be too much. */
export function isBehind(client: Client, size: number): boolean {
  return client.frames >= MOST_OWED_FRAMES || (client.frames > 0 && client.bytes + size > MOST_OWED_BYTES);
}

/** Notes a frame that is sent. */
export function owe(client: Client, owed: Owed, seq: number, bytes: number): void {
  owed.push({ seq, frames: 1, bytes });
  client.sent = seq;
  client.frames += 1;
  client.bytes += bytes;
}

const Message = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ack"), seq: z.int().min(0) }),
  z.strictObject({ type: z.literal("token"), access_token: z.string() }),
]);
export type Message = z.infer<typeof Message>;

/** A message of a client, or why the socket ends. */
export function readMessage(data: string | ArrayBuffer): Message | Close {
  if (typeof data !== "string") return CLOSE.binary;
  if (data.length > MOST_MESSAGE || new TextEncoder().encode(data).length > MOST_MESSAGE) return CLOSE.too_large;
  const message = Message.safeParse(parsed(data));
  return message.success ? message.data : CLOSE.policy;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many messages came within the second. In memory: who hibernates has sent none. */
export type Pace = { second: number; messages: number };

/** Counts one message. @returns whether it was one too many */
export function isFlood(pace: Pace, now: number): boolean {
  const second = Math.floor(now / 1000);
  if (pace.second !== second) Object.assign(pace, { second, messages: 0 });
  pace.messages += 1;
  return pace.messages > MOST_MESSAGES;
}
