// State of a feed: views, frame buffer, watches and sockets, and how views open and change.

import type { ErrorReport } from "../../platform/object-log.ts";
import type { StoredDocumentError } from "../../platform/stored-document.ts";
import { AuditQueue } from "./audit-queue.ts";
import { CLOSE_REASONS, type Handshake } from "./clients.ts";
import { EndedGrants } from "./ended-grants.ts";
import { FeedStorage } from "./feed-storage.ts";
import {
  type FeedView,
  firstGrantEnd,
  leaseOf,
  newView,
  replaceVisible,
  splitSnapshots,
  toVisiblePatients,
  VIEW_LINGER_MS,
} from "./feed-view.ts";
import { type FrameBuffer, listFramesAfter, newFrameBuffer, toFrameBody } from "./frame-buffer.ts";
import { type LiveGrant, toGrantId } from "./live-grant.ts";
import { limitFrame } from "./shared-vitals.ts";
import { ShownPatients } from "./shown-patients.ts";
import { type NumberedFrame, Sockets, toNumberedFrame } from "./sockets.ts";
import { isViewByGrant, type RequestedPatients, type VisiblePatient } from "./visibility.ts";
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
  readonly #endedGrants = new EndedGrants();
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
    this.sockets = new Sockets(ctx, this, reportUnreadable);
    // The object never uses a thousand numbers per millisecond, so after a restart numbering continues above earlier ones.
    this.#seq = Math.max(Date.now() * 1000, this.sockets.lastSent + 1);
    this.buffer = newFrameBuffer(this.#seq);
    this.#restore();
  }

  /** Restores views after hibernation. No frame was missed, since the first frame of a watched patient wakes the feed. */
  #restore(): void {
    for (const { key, requested, wanted, lease, grants } of this.storage.listViews()) {
      const view = newView(key, requested, this.#seq);
      const shown = { wanted: new Set(wanted), patients: new Set(wanted), isOpen: true };
      this.#views.set(key, { ...view, ...shown, grants: grants ?? view.grants });
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
    return this.sockets.entries().flatMap(([socket, { client }]) => (this.isInView(client.view, patientId) ? [socket] : []));
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
      const view = this.#views.get(subscription.view) ?? newView(subscription.view, requested, before);
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
  applyVisiblePatients(key: string, visible: readonly VisiblePatient[], queryNumber: number): void {
    const view = this.#views.get(key);
    if (!view || view.queryNumber > queryNumber) return;
    view.queryNumber = queryNumber;
    this.#setVisible(key, view, this.#endedGrants.withoutEnded(visible));
  }

  #setVisible(key: string, view: FeedView, visible: readonly VisiblePatient[]): void {
    const hasShrunk = replaceVisible(view, visible);
    if (view.requested && view.wanted.size === 0) {
      for (const socket of this.#listSockets(key)) this.sockets.close(socket, CLOSE_REASONS.gone);
    } else if (hasShrunk) this.#sendToView(key, [this.toViewFrame(view)]);
  }

  /** Ends what a consent or an emergency access shows, at once: patients leave views, and views without patients close. */
  endGrant(grantId: string): void {
    this.#endedGrants.add(grantId);
    this.endGrants((grant) => toGrantId(grant) === grantId);
  }

  endGrants(isEnded: (grant: LiveGrant) => boolean): void {
    for (const [key, view] of this.#views) {
      const left = toVisiblePatients(view, view.wanted).filter(({ grant }) => !grant || !isEnded(grant));
      if (left.length === view.wanted.size) continue;
      this.#setVisible(key, view, left);
      if (view.leftAt === null) this.saveView(key, view);
    }
    this.removeUnusedViews();
  }

  /** When the first grant of a view with sockets ends, Unix ms; Infinity without one. */
  grantsEndAt(): number {
    return firstGrantEnd(this.#views.values());
  }

  /** What a view shows of a frame: in one by grants, what is shared now. @returns null for nothing */
  limit(key: string, frame: NumberedFrame): NumberedFrame | null {
    if (!isViewByGrant(key)) return frame;
    return limitFrame(frame, this.#views.get(key)?.grants ?? new Map(), Date.now());
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
    this.#recordShown(key, view, ids);
    const snapshotFrames = [...(interrupted.length > 0 ? [gap] : []), ...this.toSnapshotFrames(fresh)];
    const later = this.framesAfter(before, ids);
    const viewFrame = this.toViewFrame(view);
    view.changed = viewFrame.seq;
    this.#sendToView(key, [...snapshotFrames, ...(later ?? []), viewFrame]);
    if (!later) for (const socket of this.#listSockets(key)) this.sockets.withhold(socket, ids);
  }

  /** Records all screens when an hour begins. Call it before frames are sent. */
  recordHour(now: number): void {
    if (!this.shown.beginHour(now)) return;
    for (const [key, view] of this.#views) this.#recordShown(key, view, view.patients);
  }

  /** Closes the screens that cannot be recorded. */
  #recordShown(key: string, view: FeedView, patientIds: Iterable<string>): void {
    const patients = toVisiblePatients(view, patientIds);
    for (const socket of this.#listSockets(key)) {
      const client = this.sockets.get(socket)?.client;
      if (client && !this.shown.record(client, patients, Date.now())) this.sockets.close(socket, CLOSE_REASONS.unrecorded);
    }
  }

  #sendToView(key: string, frames: readonly NumberedFrame[]): void {
    for (const socket of this.#listSockets(key)) this.sockets.send(socket, frames);
  }

  /** A frame with the patients of the view; a client drops all others. */
  toViewFrame(view: FeedView): NumberedFrame {
    return { seq: this.nextSeq(), body: toFrameBody({ type: "view", patient_ids: [...view.patients] }), patients: [] };
  }

  getView(key: string): FeedView | undefined {
    return this.#views.get(key);
  }

  /** Stores views with sockets. */
  saveViews(): void {
    for (const [key, view] of this.#views) if (view.leftAt === null) this.saveView(key, view);
  }

  saveView(key: string, view: FeedView): void {
    this.storage.saveView(key, view.requested, view.wanted, leaseOf(view, this.watches), view.grants);
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
