// The sockets of a feed: who they are, what they were sent, what they owe. The platform keeps them through hibernation.
import {
  CLOSE,
  type Client,
  Client as ClientSchema,
  type Close,
  isBehind,
  type Owed,
  owe,
  owedOf,
  type Pace,
} from "./clients.ts";
import { numbered } from "./ring.ts";

export type Guest = { client: Client; owed: Owed; pace: Pace };
/** A frame that has its number. `free`: a snapshot, whose size is the view's and not the reader's fault. */
export type Outgoing = { seq: number; body: string; free?: boolean };

const MOST_OF_ONE_HOLDER = 10;

export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #guests = new Map<WebSocket, Guest>();

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      const client = ClientSchema.safeParse(socket.deserializeAttachment());
      if (socket.readyState !== WebSocket.OPEN || !client.success) continue;
      this.#guests.set(socket, { client: client.data, owed: owedOf(client.data), pace: { second: 0, messages: 0 } });
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
    socket.serializeAttachment(this.#guests.get(socket)?.client);
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
