// State of a feed: views, frame buffer, watches and sockets, and how views open and change.

import type { ErrorReport } from "../../platform/object-log.ts";
import type { StoredDocumentError } from "../../platform/stored-document.ts";
import type { Admission } from "./admissions.ts";
import { AuditQueue } from "./audit-queue.ts";
import { CLOSE_REASONS, type Handshake, newClientState } from "./clients.ts";
import { FeedStorage } from "./feed-storage.ts";
import { type FeedView, findMissedFrames, leaseOf, newView, splitSnapshots, VIEW_LINGER_MS } from "./feed-view.ts";
import { type FrameBuffer, listFramesAfter, newFrameBuffer, toFrameBody } from "./frame-buffer.ts";
import { ShownPatients } from "./shown-patients.ts";
import { type NumberedFrame, Sockets, toNumberedFrame } from "./sockets.ts";
import type { RequestedPatients } from "./visibility.ts";
import { fetchSnapshots, needsSnapshot, type SnapshotResult, type Watch, type Watches } from "./watches.ts";

export class FeedState {
  readonly storage: FeedStorage;
  readonly sockets: Sockets;
  readonly auditQueue: AuditQueue;
  readonly shown: ShownPatients;
  readonly buffer: FrameBuffer;
  readonly watches: Watches = new Map();
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #report: ErrorReport;
  readonly #views = new Map<string, FeedView>();
  #seq: number;
  #queryNumber = 0;

  /** @param onDelivered called after each delivery of audit events  @throws MigrationError */
  constructor(ctx: DurableObjectState, env: Env, report: ErrorReport, onDelivered: () => void) {
    this.#ctx = ctx;
    this.#env = env;
    this.#report = report;
    const reportUnreadable = (error: StoredDocumentError) => report("read", error);
    this.storage = new FeedStorage(ctx.storage, reportUnreadable);
    this.auditQueue = new AuditQueue(env, this.storage, report, onDelivered);
    this.shown = new ShownPatients(this.storage, this.auditQueue, this.hospitalId);
    const numbers = { nextSeq: () => this.nextSeq(), markChanged: (view: string) => this.markChanged(view) };
    this.sockets = new Sockets(ctx, numbers, reportUnreadable);
    // The object never uses a thousand numbers per millisecond, so after a restart numbering continues above earlier ones.
    this.#seq = Math.max(Date.now() * 1000, this.sockets.lastSent + 1);
    this.buffer = newFrameBuffer(this.#seq);
    this.#restore();
  }

  /** Restores views after hibernation. No frame was missed, since the first frame of a watched patient wakes the feed. */
  #restore(): void {
    for (const { key, requested, wanted, lease } of this.storage.listViews()) {
      const shown = { wanted: new Set(wanted), patients: new Set(wanted), isOpen: true };
      this.#views.set(key, { ...newView(requested, this.#seq), ...shown });
      for (const id of wanted) {
        const until = Math.max(lease, this.watches.get(id)?.until ?? 0);
        this.watches.set(id, { until, since: this.#seq, unwatchedSince: null });
      }
    }
    for (const [socket, { client, pending }] of this.sockets.entries()) {
      const view = this.#views.get(client.view);
      if (!view) this.sockets.close(socket, CLOSE_REASONS.lost);
      else for (const id of view.patients) pending?.patients.add(id);
    }
    this.removeUnusedViews();
  }

  get hospitalId(): string {
    return this.#ctx.id.name ?? "";
  }

  get seq(): number {
    return this.#seq;
  }

  nextSeq(): number {
    return ++this.#seq;
  }

  /** Numbers D1 queries: the result of the latest query counts, whatever the order of responses. */
  nextQueryNumber(): number {
    return ++this.#queryNumber;
  }

  viewKeys(): string[] {
    return [...this.#views.keys()];
  }

  requested(): ReadonlyMap<string, RequestedPatients> {
    return new Map([...this.#views].map(([key, { requested }]) => [key, requested]));
  }

  #listSockets(key: string): WebSocket[] {
    return this.sockets
      .entries()
      .filter(([, { client }]) => client.view === key)
      .map(([socket]) => socket);
  }

  /** Sockets whose view currently contains the patient. */
  listSocketsShowing(patientId: string): WebSocket[] {
    return this.sockets
      .entries()
      .filter(([, { client }]) => this.#views.get(client.view)?.patients.has(patientId))
      .map(([socket]) => socket);
  }

  /** Whether a view with sockets, or one that is opening, includes the patient. */
  isWatched(patientId: string): boolean {
    for (const view of this.#views.values()) {
      if ((view.leftAt === null || view.opening > 0) && view.wanted.has(patientId)) return true;
    }
    return false;
  }

  findOrAddWatch(patientId: string, isWatched: boolean): Watch | undefined {
    const existing = this.watches.get(patientId);
    if (existing || !isWatched) return existing;
    const watch = { until: 0, since: this.#seq, unwatchedSince: null };
    this.watches.set(patientId, watch);
    return watch;
  }

  /** Creates the views of a batch, so that frames from now on are kept for them. */
  beginAdmission(batch: readonly Handshake[], before: number): { done: () => void } {
    const opening = batch.map(({ subscription, requested }) => {
      const view = this.#views.get(subscription.view) ?? newView(requested, before);
      this.#views.set(subscription.view, view);
      view.opening += 1;
      return view;
    });
    return {
      done: () => {
        for (const view of opening) view.opening -= 1;
      },
    };
  }

  /** Applies the visible patients of a view. Removed patients leave at once; new ones join with `refreshSnapshots`. */
  applyVisiblePatients(key: string, patientIds: readonly string[], queryNumber: number): void {
    const view = this.#views.get(key);
    if (!view || view.queryNumber > queryNumber) return;
    view.queryNumber = queryNumber;
    view.wanted = new Set(patientIds);
    const shown = new Set([...view.patients].filter((id) => view.wanted.has(id)));
    const hasShrunk = shown.size < view.patients.size;
    view.patients = shown;
    if (view.requested && view.wanted.size === 0) {
      for (const socket of this.#listSockets(key)) this.sockets.close(socket, CLOSE_REASONS.gone);
    } else if (hasShrunk) this.#sendToView(key, [this.#viewFrame(view)]);
  }

  /**
   * Fetches snapshots of patients who joined views, of those whose frames may have been missed, and of `all` for new sockets.
   * @param before the feed's `seq` before the D1 query
   */
  async refreshSnapshots(viewKeys: readonly string[], before: number, all: boolean): Promise<Map<string, SnapshotResult>> {
    const now = Date.now();
    const ids = [...new Set(viewKeys)].flatMap((key) => {
      const view = this.#views.get(key);
      if (!view) return [];
      return [...view.wanted].filter((id) => all || !view.patients.has(id) || needsSnapshot(this.watches.get(id), now));
    });
    const snapshots = await this.fetchSnapshots(ids);
    for (const [key, view] of this.#views) this.#addPatients(key, view, snapshots, before);
    return snapshots;
  }

  /** @returns without patients whose objects did not respond */
  fetchSnapshots(patientIds: readonly string[]): Promise<Map<string, SnapshotResult>> {
    const reportFailures = (error: unknown, count: number) => this.#report("snapshots", error, { count });
    return fetchSnapshots(this.#env.PATIENT_MONITOR, this.watches, patientIds, () => this.#seq, reportFailures);
  }

  isInView(key: string, patientId: string): boolean {
    return this.#views.get(key)?.patients.has(patientId) ?? false;
  }

  /** Clients of the view with a lower number get a snapshot when they reconnect. */
  markChanged(key: string): void {
    const view = this.#views.get(key);
    if (view) view.changed = this.nextSeq();
  }

  toSnapshotFrames(snapshots: readonly SnapshotResult[]): NumberedFrame[] {
    return splitSnapshots(snapshots).map((part) => ({ seq: this.nextSeq(), ...part }));
  }

  /**
   * Frames of these patients after a number, with new numbers: their clients have already received later ones. Null when the buffer
   * has dropped some: then the clients must be withheld from, so that a gap and another snapshot follow.
   */
  framesAfter(seq: number, patientIds: Iterable<string>): NumberedFrame[] | null {
    const frames = listFramesAfter(this.buffer, seq, new Set(patientIds));
    return frames?.map((frame) => ({ ...toNumberedFrame(frame), seq: this.nextSeq() })) ?? null;
  }

  #addPatients(key: string, view: FeedView, snapshots: ReadonlyMap<string, SnapshotResult>, before: number): void {
    const found = [...view.wanted].flatMap((id) => snapshots.get(id) ?? []);
    const joined = found.filter(({ patientId }) => !view.patients.has(patientId));
    const interrupted = found.filter(({ patientId, lapsed, snapshot }) => lapsed && snapshot && view.patients.has(patientId));
    if (joined.length === 0 && interrupted.length === 0) return;
    for (const { patientId } of joined) view.patients.add(patientId);
    if (!view.isOpen) return;
    const gap = { seq: this.nextSeq(), body: toFrameBody({ type: "gap", from: view.changed, to: before }), patients: [] };
    const fresh = [...joined, ...interrupted];
    const ids = fresh.map(({ patientId }) => patientId);
    this.#recordShown(key, ids);
    const snapshotFrames = [...(interrupted.length > 0 ? [gap] : []), ...this.toSnapshotFrames(fresh)];
    const later = this.framesAfter(before, ids);
    const viewFrame = this.#viewFrame(view);
    view.changed = viewFrame.seq;
    this.#sendToView(key, [...snapshotFrames, ...(later ?? []), viewFrame]);
    if (!later) for (const socket of this.#listSockets(key)) this.sockets.withhold(socket, ids);
  }

  /** Records all screens when an hour begins. Call it before frames are sent. */
  recordHour(now: number): void {
    if (!this.shown.beginHour(now)) return;
    for (const [key, { patients }] of this.#views) this.#recordShown(key, patients);
  }

  /** Closes the screens that cannot be recorded. */
  #recordShown(key: string, patientIds: Iterable<string>): void {
    for (const socket of this.#listSockets(key)) {
      const client = this.sockets.get(socket)?.client;
      if (client && !this.shown.record(client, patientIds, Date.now())) this.sockets.close(socket, CLOSE_REASONS.unrecorded);
    }
  }

  #sendToView(key: string, frames: readonly NumberedFrame[]): void {
    for (const socket of this.#listSockets(key)) this.sockets.send(socket, frames);
  }

  /** A frame with the patients of the view; a client drops all others. */
  #viewFrame(view: FeedView): NumberedFrame {
    return { seq: this.nextSeq(), body: toFrameBody({ type: "view", patient_ids: [...view.patients] }), patients: [] };
  }

  viewFrameOf(key: string): NumberedFrame | null {
    const view = this.#views.get(key);
    return view ? this.#viewFrame(view) : null;
  }

  /** Opens a socket: sends the missed frames if all are buffered, else a snapshot. @param before the feed's `seq` before the snapshots */
  admitSocket(handshake: Handshake, snapshots: ReadonlyMap<string, SnapshotResult>, before: number): Admission {
    const { subscription, requested, since } = handshake;
    const view = this.#views.get(subscription.view);
    if (!view || (requested && view.wanted.size === 0)) return { refused: 404 };
    if (!this.sockets.hasRoomFor(subscription)) return { refused: 429 };
    const now = Date.now();
    const open = new Set(this.sockets.entries().map(([, { client }]) => client.screen));
    const client = newClientState(handshake, this.shown.findScreen(subscription, open, now), now);
    if (!this.shown.record(client, view.patients, now)) return { refused: 503 };
    const canContinue = since !== null && since <= this.#seq;
    const missed = canContinue ? findMissedFrames(view, since, this.buffer, this.watches) : null;
    const opening = missed ? [] : this.#openingFrames(view, since, snapshots, before);
    const later = missed ?? this.framesAfter(before, view.patients);
    const pair = new WebSocketPair();
    this.sockets.accept(pair[1], client);
    Object.assign(view, { leftAt: null, isOpen: true });
    this.storage.saveView(subscription.view, view.requested, view.wanted, leaseOf(view, this.watches));
    this.sockets.send(pair[1], [...opening, ...(later ?? []), this.#viewFrame(view)]);
    if (!later) this.sockets.withhold(pair[1], view.patients);
    // A client who reconnects before it has caught up must not continue from what it got.
    if (this.sockets.get(pair[1])?.pending) this.markChanged(subscription.view);
    return { socket: pair[0] };
  }

  /** With new numbers: several snapshots are newer than frames published meanwhile, which follow them. */
  #openingFrames(
    view: FeedView,
    since: number | null,
    snapshots: ReadonlyMap<string, SnapshotResult>,
    before: number,
  ): NumberedFrame[] {
    const gap = { type: "gap", from: Math.min(since ?? 0, before), to: before };
    return [
      ...(since === null ? [] : [{ seq: this.nextSeq(), body: toFrameBody(gap), patients: [] }]),
      ...this.toSnapshotFrames([...view.patients].flatMap((id) => snapshots.get(id) ?? [])),
    ];
  }

  /** Stores views with sockets. */
  saveViews(): void {
    for (const [key, view] of this.#views) {
      if (view.leftAt === null) this.storage.saveView(key, view.requested, view.wanted, leaseOf(view, this.watches));
    }
  }

  /** Removes views without sockets. */
  removeUnusedViews(): void {
    const now = Date.now();
    const used = new Set(this.sockets.entries().map(([, { client }]) => client.view));
    for (const [key, view] of this.#views) {
      if (used.has(key) || view.opening > 0) view.leftAt = used.has(key) ? null : view.leftAt;
      else if (view.leftAt === null) {
        view.leftAt = now;
        this.storage.deleteView(key);
      } else if (view.leftAt + VIEW_LINGER_MS < now) this.#views.delete(key);
    }
  }
}
