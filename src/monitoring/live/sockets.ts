// Sockets of a feed with their client state; the platform keeps them through hibernation.
import { StoredDocumentError } from "../../platform/stored-document.ts";
import {
  addUnacked,
  CLOSE_REASONS,
  type ClientState,
  type CloseReason,
  clientDocument,
  isBehind,
  type MessageRate,
  toUnacked,
  type UnackedFrames,
} from "./clients.ts";
import { addSeq } from "./frame-buffer.ts";

export type Connection = { client: ClientState; unacked: UnackedFrames; rate: MessageRate };
/** A frame with its `seq`. `isUncounted`: a snapshot, whose size does not count against the client's limit. */
export type NumberedFrame = { seq: number; body: string; isUncounted?: boolean };

const MAX_SOCKETS_PER_HOLDER = 10;

export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #connections = new Map<WebSocket, Connection>();

  /** @param report called with the error of each unreadable attachment */
  constructor(ctx: DurableObjectState, report: (error: StoredDocumentError) => void) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN) this.#restore(socket, report);
    }
  }

  /** Closes a socket with an unreadable attachment, which would get no frames; its client reconnects. */
  #restore(socket: WebSocket, report: (error: StoredDocumentError) => void): void {
    try {
      const client = clientDocument.unwrap(socket.deserializeAttachment());
      this.#connections.set(socket, { client, unacked: toUnacked(client), rate: { second: 0, messages: 0 } });
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      report(error);
      this.close(socket, CLOSE_REASONS.lost);
    }
  }

  get size(): number {
    return this.#connections.size;
  }

  entries(): [WebSocket, Connection][] {
    return [...this.#connections];
  }

  get(socket: WebSocket): Connection | undefined {
    return this.#connections.get(socket);
  }

  /** The highest `seq` sent to any socket. */
  get lastSent(): number {
    return Math.max(0, ...this.entries().map(([, { client }]) => client.sent));
  }

  hasRoomFor(holder: string): boolean {
    return this.#ctx.getWebSockets(holder).filter((socket) => this.#connections.has(socket)).length < MAX_SOCKETS_PER_HOLDER;
  }

  accept(socket: WebSocket, client: ClientState, holder: string): void {
    this.#ctx.acceptWebSocket(socket, [holder]);
    this.#connections.set(socket, { client, unacked: [], rate: { second: 0, messages: 0 } });
    this.saveState(socket);
  }

  saveState(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (connection) socket.serializeAttachment(clientDocument.wrap(connection.client));
  }

  /** Sends frames in order; closes an expired socket or one with too many unacknowledged frames. @returns whether it is still open */
  send(socket: WebSocket, frames: readonly NumberedFrame[]): boolean {
    const connection = this.#connections.get(socket);
    if (!connection) return false;
    const { client, unacked } = connection;
    if (isExpired(client, Date.now())) return this.close(socket, CLOSE_REASONS.ended);
    for (const { seq, body, isUncounted } of frames) {
      const text = addSeq(seq, body);
      const size = isUncounted ? 0 : text.length;
      if (isBehind(client, size)) return this.close(socket, CLOSE_REASONS.behind);
      addUnacked(client, unacked, seq, size);
      try {
        socket.send(text);
      } catch {
        // The socket has just closed; its close event may not have arrived yet.
        this.remove(socket);
        return false;
      }
    }
    this.saveState(socket);
    return true;
  }

  /** @returns false, the result of `send` for a closed socket */
  close(socket: WebSocket, [code, reason]: CloseReason): false {
    this.remove(socket);
    socket.close(code, reason);
    return false;
  }

  remove(socket: WebSocket): void {
    this.#connections.delete(socket);
  }
}

export function isExpired({ expires }: ClientState, now: number): boolean {
  return expires !== null && expires <= now;
}
