// The sockets of a feed: who they are, what they were sent, what they owe. The platform keeps them through hibernation.
import { StoredDocumentError } from "../stored-document.ts";
import { CLOSE, type Client, type Close, clientDocument, isBehind, type Owed, owe, owedOf, type Pace } from "./clients.ts";
import { numbered } from "./ring.ts";

export type Guest = { client: Client; owed: Owed; pace: Pace };
/** A frame that has its number. `free`: a snapshot, whose size is the view's and not the reader's fault. */
export type Outgoing = { seq: number; body: string; free?: boolean };

const MOST_OF_ONE_HOLDER = 10;

export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #guests = new Map<WebSocket, Guest>();

  /** @param report hears of attachments that cannot be read */
  constructor(ctx: DurableObjectState, report: (error: StoredDocumentError) => void) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN) this.#restore(socket, report);
    }
  }

  /** A socket whose attachment cannot be read would get no frame and look alive: it is closed, and its client comes again. */
  #restore(socket: WebSocket, report: (error: StoredDocumentError) => void): void {
    try {
      const client = clientDocument.unwrap(socket.deserializeAttachment());
      this.#guests.set(socket, { client, owed: owedOf(client), pace: { second: 0, messages: 0 } });
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      report(error);
      this.close(socket, CLOSE.lost);
    }
  }

  get size(): number {
    return this.#guests.size;
  }

  entries(): [WebSocket, Guest][] {
    return [...this.#guests];
  }

  get(socket: WebSocket): Guest | undefined {
    return this.#guests.get(socket);
  }

  /** The highest number that any socket has seen. */
  get lastSent(): number {
    return Math.max(0, ...this.entries().map(([, { client }]) => client.sent));
  }

  hasRoomFor(holder: string): boolean {
    return this.#ctx.getWebSockets(holder).filter((socket) => this.#guests.has(socket)).length < MOST_OF_ONE_HOLDER;
  }

  accept(socket: WebSocket, client: Client, holder: string): void {
    this.#ctx.acceptWebSocket(socket, [holder]);
    this.#guests.set(socket, { client, owed: [], pace: { second: 0, messages: 0 } });
    this.save(socket);
  }

  save(socket: WebSocket): void {
    const guest = this.#guests.get(socket);
    if (guest) socket.serializeAttachment(clientDocument.wrap(guest.client));
  }

  /** Sends in order; a socket that has ended or that owes too much is closed instead. @returns whether it is still open */
  send(socket: WebSocket, frames: readonly Outgoing[]): boolean {
    const guest = this.#guests.get(socket);
    if (!guest) return false;
    const { client, owed } = guest;
    if (hasEnded(client, Date.now())) return this.close(socket, CLOSE.ended);
    for (const { seq, body, free } of frames) {
      const text = numbered(seq, body);
      const size = free ? 0 : text.length;
      if (isBehind(client, size)) return this.close(socket, CLOSE.behind);
      owe(client, owed, seq, size);
      try {
        socket.send(text);
      } catch {
        // It closed this moment; its close event may still be on the way.
        this.forget(socket);
        return false;
      }
    }
    this.save(socket);
    return true;
  }

  /** @returns false: it is not open any more */
  close(socket: WebSocket, [code, reason]: Close): false {
    this.forget(socket);
    socket.close(code, reason);
    return false;
  }

  forget(socket: WebSocket): void {
    this.#guests.delete(socket);
  }
}

export function hasEnded({ expires }: Client, now: number): boolean {
  return expires !== null && expires <= now;
}
