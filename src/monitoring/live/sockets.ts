// Sockets of a feed with their client state; the platform keeps them through hibernation.
import { StoredDocumentError } from "../../platform/stored-document.ts";
import {
  addUnacked,
  CLOSE_REASONS,
  type ClientState,
  type CloseReason,
  clientDocument,
  hasCredit,
  type MessageRate,
  toUnacked,
  type UnackedFrames,
} from "./clients.ts";
import { addSeq, type BufferedFrame } from "./frame-buffer.ts";

/**
 * What a lagging connection is owed. Frames are not queued: their patients are noted, and get a snapshot when the client has
 * acknowledged enough (catch-up.ts).
 */
export type Owed = {
  patients: Set<string>;
  /** When the client last acknowledged anything, or began to lag; epoch milliseconds. */
  waitingSince: number;
  isSending: boolean;
};
export type Connection = { client: ClientState; unacked: UnackedFrames; rate: MessageRate; owed: Owed | null };
/** A frame with its `seq`. `patients`: those whose state it contains; empty for frames about the view. */
export type NumberedFrame = { seq: number; body: string; patients: readonly string[] };

export const toNumberedFrame = ({ seq, body, patientId }: BufferedFrame): NumberedFrame => ({ seq, body, patients: [patientId] });

const MAX_SOCKETS_PER_HOLDER = 10;
const MAX_SOCKETS = 2_000;

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
      const owed = client.isLagging ? newOwed(Date.now()) : null;
      this.#connections.set(socket, { client, unacked: toUnacked(client), rate: { second: 0, messages: 0 }, owed });
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
    if (this.size >= MAX_SOCKETS) return false;
    return this.#ctx.getWebSockets(holder).filter((socket) => this.#connections.has(socket)).length < MAX_SOCKETS_PER_HOLDER;
  }

  accept(socket: WebSocket, client: ClientState, holder: string): void {
    this.#ctx.acceptWebSocket(socket, [holder]);
    this.#connections.set(socket, { client, unacked: [], rate: { second: 0, messages: 0 }, owed: null });
    this.saveState(socket);
  }

  saveState(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    connection.client.isLagging = connection.owed !== null;
    socket.serializeAttachment(clientDocument.wrap(connection.client));
  }

  /** Sends frames in order. From the first for which the client has no credit on, their patients are noted instead. */
  send(socket: WebSocket, frames: readonly NumberedFrame[]): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    if (isExpired(connection.client, Date.now())) {
      this.close(socket, CLOSE_REASONS.ended);
      return;
    }
    for (const frame of frames) {
      if (connection.owed === null && hasCredit(connection.client, addSeq(frame.seq, frame.body).length)) {
        if (!this.transmit(socket, frame)) return;
      } else {
        connection.owed ??= newOwed(Date.now());
        for (const id of frame.patients) connection.owed.patients.add(id);
      }
    }
    this.saveState(socket);
  }

  /** Sends one frame whatever the credit, and counts it. @returns whether the socket is still open */
  transmit(socket: WebSocket, { seq, body }: NumberedFrame): boolean {
    const connection = this.#connections.get(socket);
    if (!connection) return false;
    const text = addSeq(seq, body);
    addUnacked(connection.client, connection.unacked, seq, text.length);
    try {
      socket.send(text);
      return true;
    } catch {
      // The socket has just closed; its close event may not have arrived yet.
      this.remove(socket);
      return false;
    }
  }

  close(socket: WebSocket, [code, reason]: CloseReason): void {
    this.remove(socket);
    socket.close(code, reason);
  }

  remove(socket: WebSocket): void {
    this.#connections.delete(socket);
  }
}

function newOwed(now: number): Owed {
  return { patients: new Set(), waitingSince: now, isSending: false };
}

export function isExpired({ expires }: ClientState, now: number): boolean {
  return expires !== null && expires <= now;
}
