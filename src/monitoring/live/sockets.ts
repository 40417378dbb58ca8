// Sockets of a feed with their client state; the platform keeps them through hibernation.
import { StoredDocumentError } from "../../platform/stored-document.ts";
import { nextBeat } from "../heartbeat.ts";
import {
  addUnacked,
  BEAT_AFTER_BYTES,
  CLOSE_REASONS,
  type ClientState,
  type CloseReason,
  clientDocument,
  hasCredit,
  hasCreditToCatchUp,
  MAX_UNREAD_BYTES,
  type MessageRate,
  toUnacked,
  type UnackedFrames,
} from "./clients.ts";
import { addSeq, type BufferedFrame, toFrameBody } from "./frame-buffer.ts";
import { isViewByGrant, type Subscription } from "./visibility.ts";

/**
 * Patients whose frames were withheld from a lagging connection. Frames are not queued: a snapshot follows when the client has
 * acknowledged enough (catch-up.ts).
 */
export type PendingSnapshots = {
  patients: Set<string>;
  /** When the client last acknowledged anything, or began to lag; epoch milliseconds. */
  waitingSince: number;
  /** When the last attempt to send snapshots began; epoch milliseconds. */
  triedAt: number;
  isSending: boolean;
};
export type Connection = {
  client: ClientState;
  unacked: UnackedFrames;
  rate: MessageRate;
  pending: PendingSnapshots | null;
};
/** The feed of the sockets: its numbers, and what a view shows of a frame. */
type SocketFeed = {
  hospitalId: string;
  nextSeq: () => number;
  /** Clients of the view may not continue from an earlier number. */
  markChanged: (view: string) => void;
  /** Null for nothing. */
  limit: (view: string, frame: NumberedFrame) => NumberedFrame | null;
};
/** A frame with its `seq`. `patients`: those whose state it contains; empty for frames about the view. */
export type NumberedFrame = { seq: number; body: string; patients: readonly string[] };

export const toNumberedFrame = ({ seq, body, patientId }: BufferedFrame): NumberedFrame => ({ seq, body, patients: [patientId] });

/** Of a session or an app's key. */
const MAX_SOCKETS_PER_HOLDER = 10;
const MAX_SOCKETS_PER_USER = 20;
/** Patients register themselves, so they have fewer each, and not all places of a hospital together. */
const MAX_SOCKETS_PER_PATIENT = 5;
const MAX_SOCKETS = 2_000;
const MAX_PATIENT_SOCKETS = 1_500;
/** Of the staff of other hospitals, who must not take the places of the hospital's own. */
export const MAX_GUEST_SOCKETS = 200;

export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #feed: SocketFeed;
  readonly #connections = new Map<WebSocket, Connection>();

  /** @param report called with the error of each unreadable attachment */
  constructor(ctx: DurableObjectState, feed: SocketFeed, report: (error: StoredDocumentError) => void) {
    this.#ctx = ctx;
    this.#feed = feed;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const socket of ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN) this.#restore(socket, report);
    }
  }

  /** Closes a socket with an unreadable attachment, which would get no frames; its client reconnects. */
  #restore(socket: WebSocket, report: (error: StoredDocumentError) => void): void {
    try {
      const client = clientDocument.unwrap(socket.deserializeAttachment());
      const pending = client.isLagging ? newPendingSnapshots(Date.now()) : null;
      this.#connections.set(socket, { client, unacked: toUnacked(client), rate: { second: 0, messages: 0 }, pending });
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

  /** Whether the holder may have one more socket. */
  hasRoomFor({ holder, role, view, actingFor }: Subscription): boolean {
    const counts = { session: 0, user: 0, patients: 0, guests: 0 };
    for (const { client } of this.#connections.values()) {
      if (holderId(client.holder) === holderId(holder)) counts.session += 1;
      if (userId(client.holder) === userId(holder)) counts.user += 1;
      if (client.role === "patient") counts.patients += 1;
      if (this.#isGuest(client)) counts.guests += 1;
    }
    if (this.#isGuest({ view, actingFor }) && counts.guests >= MAX_GUEST_SOCKETS) return false;
    if (this.size >= MAX_SOCKETS || counts.session >= MAX_SOCKETS_PER_HOLDER) return false;
    if (role !== "patient") return counts.user < MAX_SOCKETS_PER_USER;
    return counts.user < MAX_SOCKETS_PER_PATIENT && counts.patients < MAX_PATIENT_SOCKETS;
  }

  /** Staff of another hospital, who see patients by a consent or in an emergency. */
  #isGuest({ view, actingFor }: Pick<Subscription, "view" | "actingFor">): boolean {
    return isViewByGrant(view) && actingFor !== this.#feed.hospitalId;
  }

  accept(socket: WebSocket, client: ClientState): void {
    this.#ctx.acceptWebSocket(socket);
    this.#connections.set(socket, { client, unacked: [], rate: { second: 0, messages: 0 }, pending: null });
    this.saveState(socket);
  }

  saveState(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    connection.client.isLagging = connection.pending !== null;
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
    for (const full of frames) {
      const frame = this.#feed.limit(connection.client.view, full);
      if (!frame) continue;
      if (connection.pending === null && hasCredit(connection.client, addSeq(frame.seq, frame.body).length)) {
        if (!this.#write(socket, connection, frame)) return;
      } else this.#withholdFrom(connection, frame.patients);
    }
    this.beatIfDue(socket);
    this.saveState(socket);
  }

  /** Withholds all frames until the next catch-up, which sends snapshots of these patients. */
  withhold(socket: WebSocket, patientIds: Iterable<string>): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    this.#withholdFrom(connection, patientIds);
    this.saveState(socket);
  }

  #withholdFrom(connection: Connection, patientIds: Iterable<string>): void {
    connection.pending ??= newPendingSnapshots(Date.now());
    for (const id of patientIds) connection.pending.patients.add(id);
  }

  /** Tells the sockets of these users that they have new notifications. */
  announce(userIds: ReadonlySet<string>): void {
    for (const [socket, { client }] of this.entries())
      if (client.holder.kind === "user" && userIds.has(client.holder.userId)) this.#sendNotice(socket, client);
  }

  /**
   * Not a frame: it has the number of the frame before, so that a client may acknowledge
   * it like one. A client who reads nothing gets none.
   */
  #sendNotice(socket: WebSocket, client: ClientState): void {
    if (isExpired(client, Date.now()) || client.unread.bytes >= MAX_UNREAD_BYTES) return;
    const text = addSeq(client.sent, toFrameBody({ type: "notifications" }));
    client.unread.bytes += text.length;
    try {
      socket.send(text);
      this.saveState(socket);
    } catch {
      this.remove(socket);
    }
  }

  beatAll(): void {
    for (const [socket] of this.entries()) {
      this.beat(socket);
      this.saveState(socket);
    }
  }

  /** Sends a beat whatever the credit: at most one per BEAT_MS and one after BEAT_AFTER_BYTES. */
  beat(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (!connection) return;
    const { client, pending } = connection;
    const body = toFrameBody({ type: "beat", beat: nextBeat(client.unread, Date.now()) });
    this.transmit(socket, { seq: this.#feed.nextSeq(), body, patients: [] });
    // Withheld frames have lower numbers, so a client who reconnects must not continue from the beat.
    if (pending) this.#feed.markChanged(client.view);
  }

  /**
   * Sends a beat when much was sent since the last one, or when a lagging client lacks the credit to catch up: it may acknowledge in
   * steps longer than its credit, and would wait for the next beat. Call it after frames, since it takes the next number.
   */
  beatIfDue(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    if (!connection || connection.client.unread.beat !== null) return;
    const { client, pending } = connection;
    if (client.unread.bytes >= BEAT_AFTER_BYTES || (pending && !hasCreditToCatchUp(client))) this.beat(socket);
  }

  /** Sends what the view shows of a frame, whatever the credit, and counts it. @returns whether the socket is still open */
  transmit(socket: WebSocket, frame: NumberedFrame): boolean {
    const connection = this.#connections.get(socket);
    if (!connection) return false;
    const limited = this.#feed.limit(connection.client.view, frame);
    return limited === null || this.#write(socket, connection, limited);
  }

  #write(socket: WebSocket, connection: Connection, { seq, body }: NumberedFrame): boolean {
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

  /** Closes the connections whose token or key has expired. */
  closeExpired(now: number): void {
    for (const [socket, { client }] of this.entries()) if (isExpired(client, now)) this.close(socket, CLOSE_REASONS.ended);
  }

  close(socket: WebSocket, [code, reason]: CloseReason): void {
    this.remove(socket);
    socket.close(code, reason);
  }

  remove(socket: WebSocket): void {
    this.#connections.delete(socket);
  }
}

function newPendingSnapshots(now: number): PendingSnapshots {
  return { patients: new Set(), waitingSince: now, triedAt: 0, isSending: false };
}

const holderId = (holder: Subscription["holder"]) => (holder.kind === "user" ? holder.sessionId : holder.credentialId);
const userId = (holder: Subscription["holder"]) => (holder.kind === "user" ? holder.userId : holder.credentialId);

export function isExpired({ expires }: ClientState, now: number): boolean {
  return expires !== null && expires <= now;
}
