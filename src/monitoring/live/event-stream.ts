// Live frames as server-sent events: the Worker is a client of the feed and reads no faster than the HTTP client.
import { z } from "zod";
import { withDeadline } from "../../platform/deadline.ts";
import { CLOSE_REASONS } from "./clients.ts";

/** Acknowledges in groups, since one message per frame would exceed the feed's message rate. */
const ACK_FRAMES = 50;
const ACK_SIZE = 64 * 1024;
/** A reader that hears nothing for longer may take the stream for lost. */
const PING_MS = 2_000;
/** How long a reader has for what it was sent before the view was closed. */
export const END_GRACE_MS = 10_000;
const NumberedFrame = z.object({ seq: z.int(), beat: z.int().optional() });

/**
 * A `text/event-stream`: `id` is the frame's `seq`, `data` the frame; the last event, `end`, has the close code and reason.
 * Every two seconds a comment passes on that the feed answered a ping, so that a client notices a half-open connection.
 * @param socket from the feed, not accepted yet
 */
export function createEventStream(socket: WebSocket): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  // Sequential writes; the queue is bounded by the feed's limit of unacknowledged frames.
  let written = writer.write(encoder.encode(": live\n\n"));
  let isOver = false;
  let unacked = { frames: 0, size: 0 };
  // One ping at a time: a reader who does not read gets no further comments.
  let isPinged = false;
  const pinging = setInterval(() => {
    if (isPinged) return;
    isPinged = true;
    socket.send("ping");
  }, PING_MS);
  const end = (): void => {
    clearInterval(pinging);
    if (isOver) return;
    isOver = true;
    socket.close(1000, "client disconnected");
  };
  // After a revocation a reader gets nothing more of what it has not read yet.
  let isRevoked = false;
  const write = (text: string, isLast = false): void => {
    written = written.then(() => (isRevoked && !isLast ? undefined : writer.write(encoder.encode(text))));
    written.catch(end);
  };
  socket.accept();
  // Also handles a client that disconnects before the first read.
  written.catch(end);
  writer.closed.catch(end);
  socket.addEventListener("message", ({ data }) => {
    const text = String(data);
    if (text === "pong") {
      write(": pong\n\n");
      written.then(() => {
        isPinged = false;
      }, end);
      return;
    }
    const { seq, beat } = NumberedFrame.parse(JSON.parse(text));
    write(`id: ${seq}\ndata: ${text}\n\n`);
    unacked = { frames: unacked.frames + 1, size: unacked.size + text.length };
    if (unacked.frames < ACK_FRAMES && unacked.size < ACK_SIZE && beat === undefined) return;
    unacked = { frames: 0, size: 0 };
    written.then(() => socket.send(JSON.stringify({ type: "ack", seq, beat })), end);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    clearInterval(pinging);
    isRevoked = code === CLOSE_REASONS.gone[0];
    write(`event: end\ndata: ${JSON.stringify({ code, reason })}\n\n`, true);
    isOver = true;
    // The frames that a stalled reader has not read would else stay in memory until its connection ends.
    withDeadline(
      written.then(() => writer.close()),
      END_GRACE_MS,
      "the reader of a live view",
    ).catch((error: unknown) => writer.abort(error).catch(() => undefined));
  });
  return readable;
}
