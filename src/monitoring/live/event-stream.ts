// The live frames as server-sent events: the Worker is the feed's client and reads no faster than its own reader.
import { z } from "zod";

const HEARTBEAT_MS = 20_000;
/** A client that acknowledged every frame would say more than a feed lets it. */
const ACK_FRAMES = 50;
const ACK_SIZE = 64 * 1024;
const NumberedFrame = z.object({ seq: z.int() });

/**
 * Text of a `text/event-stream`: `id` is the frame's number, `data` the frame; the last event, `end`, says why the stream
 * is over. @param socket the feed's, not accepted yet
 */
export function createEventStream(socket: WebSocket): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  // One after the other. What waits is bounded by what the feed lets a client owe.
  let written = writer.write(encoder.encode(": live\n\n"));
  let isOver = false;
  let unacked = { frames: 0, size: 0 };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(heartbeat);
    socket.close(1000, "the reader has gone");
  };
  const write = (text: string): void => {
    written = written.then(() => writer.write(encoder.encode(text)));
    written.catch(end);
  };
  const heartbeat = setInterval(() => write(": beat\n\n"), HEARTBEAT_MS);
  socket.accept();
  // Also when the reader goes before anything was read.
  written.catch(end);
  writer.closed.catch(end);
  socket.addEventListener("message", ({ data }) => {
    const text = String(data);
    const { seq } = NumberedFrame.parse(JSON.parse(text));
    write(`id: ${seq}\ndata: ${text}\n\n`);
    unacked = { frames: unacked.frames + 1, size: unacked.size + text.length };
    if (unacked.frames < ACK_FRAMES && unacked.size < ACK_SIZE) return;
    unacked = { frames: 0, size: 0 };
    written.then(() => socket.send(JSON.stringify({ type: "ack", seq })), end);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    write(`event: end\ndata: ${JSON.stringify({ code, reason })}\n\n`);
    isOver = true;
    clearInterval(heartbeat);
    written.then(() => writer.close()).catch(end);
  });
  return readable;
}
