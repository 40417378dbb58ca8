// The state of a feed: views, ring, watches and sockets, and how a view grows, shrinks and opens.

import type { StoredDocumentError } from "../../platform/stored-document.ts";
import type { PatientSnapshot } from "../patient-object/contract.ts";
import type { Admission } from "./admissions.ts";
import { CLOSE_REASONS, type ClientState, type Handshake, MAX_UNACKED_BYTES, MAX_UNACKED_FRAMES } from "./clients.ts";
import { FeedStorage } from "./feed-storage.ts";
import { type FrameBuffer, listFramesAfter, newFrameBuffer, toFrameBody } from "./frame-buffer.ts";
import { type NumberedFrame, Sockets } from "./sockets.ts";
import type { RequestedPatients } from "./visibility.ts";
import { fetchSnapshots, LEASE_MS, needsSnapshot, type SnapshotResult, type Watch, type Watches } from "./watches.ts";

/** A view without sockets is remembered for so long: who comes back within it goes on where they were. */
const VIEW_LINGER_MS = 60_000;

type FeedView = {
  requested: RequestedPatients;
  /** What D1 says; `patients` are those of them who are shown: their snapshots were sent. */
  wanted: ReadonlySet<string>;
  patients: Set<string>;
  /** The number at which a patient joined last: who has seen less has not seen that patient. */
  changed: number;
  /** Which question to D1 `wanted` answers. */
  queryNumber: number;
  opening: number;
  /** Whether a socket ever had it. */
  isOpen: boolean;
  leftAt: number | null;
};

export type ReservedSeqs = { gap: number; snapshot: number };

export class FeedState {
  readonly storage: FeedStorage;
  readonly sockets: Sockets;
  readonly buffer: FrameBuffer;
  readonly watches: Watches = new Map();
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #views = new Map<string, FeedView>();
  #seq: number;
  #queryNumber = 0;

  /** @param report hears of stored documents that cannot be read  @throws MigrationError */
  constructor(ctx: DurableObjectState, env: Env, report: (error: StoredDocumentError) => void) {
    this.#ctx = ctx;
    this.#env = env;
    this.storage = new FeedStorage(ctx.storage, report);
    this.sockets = new Sockets(ctx, report);
    // A thousand numbers a millisecond are more than any life of this object gives away, so the next one starts above it.
    this.#seq = Math.max(Date.now() * 1000, this.sockets.lastSent + 1);
    this.buffer = newFrameBuffer(this.#seq);
    this.#restore();
  }

  /** After hibernation: nothing was missed, for the first frame of a watched patient wakes the feed. */
  #restore(): void {
    for (const { key, requested, wanted, lease } of this.storage.listViews()) {
      const shown = { wanted: new Set(wanted), patients: new Set(wanted), isOpen: true };
      this.#views.set(key, { ...newView(requested, this.#seq), ...shown });
      for (const id of wanted) {
        const until = Math.max(lease, this.watches.get(id)?.until ?? 0);
        this.watches.set(id, { until, since: this.#seq, unwatchedSince: null });
      }
    }
    for (const [socket, { client }] of this.sockets.entries()) {
      if (!this.#views.has(client.view)) this.sockets.close(socket, CLOSE_REASONS.lost);
    }
    this.removeUnusedViews();
  }

  get hospitalId(): string {
    return this.#ctx.id.name ?? "";
  }

  get seq(): number {
    return this.#seq;
  }

  /** The next number. */
  nextSeq(): number {
    return ++this.#seq;
  }

  /** Numbers questions to D1: the answer to a later one counts, whichever comes first. */
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

  /** Sockets that show this patient now. */
  listSocketsShowing(patientId: string): WebSocket[] {
    return this.sockets
      .entries()
      .filter(([, { client }]) => this.#views.get(client.view)?.patients.has(patientId))
      .map(([socket]) => socket);
  }

  /** Whether somebody watches this patient, or is about to. */
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

  /** Makes the views of a wave, so that what happens from now on is kept for them. */
  beginAdmission(batch: readonly Handshake[], { snapshot }: ReservedSeqs): { done: () => void } {
    const opening = batch.map(({ seat, requested }) => {
      const view = this.#views.get(seat.view) ?? newView(requested, snapshot);
      this.#views.set(seat.view, view);
      view.opening += 1;
      return view;
    });
    return {
      done: () => {
        for (const view of opening) view.opening -= 1;
      },
    };
  }

  /** What D1 says of a view. Who left it is gone from here at once; who joined waits for `fill`. */
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
   * Takes snapshots: of patients who joined views, of those whose frames may have been missed, and of `all` for who opens.
   * @param before the feed's number before the question to D1
   */
  async refreshSnapshots(viewKeys: readonly string[], before: number, all: boolean): Promise<Map<string, SnapshotResult>> {
    const now = Date.now();
    const ids = [...new Set(viewKeys)].flatMap((key) => {
      const view = this.#views.get(key);
      if (!view) return [];
      return [...view.wanted].filter((id) => all || !view.patients.has(id) || needsSnapshot(this.watches.get(id), now));
    });
    const snapshots = await fetchSnapshots(this.#env.PATIENT_MONITOR, this.watches, ids, () => this.#seq);
    for (const [key, view] of this.#views) this.#addPatients(key, view, snapshots, before);
    return snapshots;
  }

  #addPatients(key: string, view: FeedView, snapshots: ReadonlyMap<string, SnapshotResult>, before: number): void {
    const found = [...view.wanted].flatMap((id) => snapshots.get(id) ?? []);
    const joined = found.filter(({ patientId }) => !view.patients.has(patientId));
    const interrupted = found.filter(({ patientId, lapsed, snapshot }) => lapsed && snapshot && view.patients.has(patientId));
    if (joined.length === 0 && interrupted.length === 0) return;
    for (const { patientId } of joined) view.patients.add(patientId);
    if (!view.isOpen) return;
    // Numbers of their own: these sockets have seen later ones than the frames that came while the snapshots were taken.
    const gap = { type: "gap", from: view.changed, to: before };
    const fresh = [...joined, ...interrupted];
    const missed = listFramesAfter(this.buffer, before, new Set(fresh.map(({ patientId }) => patientId))) ?? [];
    const frames = [
      ...(interrupted.length > 0 ? [toFrameBody(gap)] : []),
      toSnapshotBody(fresh),
      ...missed.map(({ body }) => body),
    ];
    const numbered = frames.map((body): NumberedFrame => ({ seq: this.nextSeq(), body, isUncounted: true }));
    const viewFrame = this.#viewFrame(view);
    view.changed = viewFrame.seq;
    this.#sendToView(key, [...numbered, viewFrame]);
  }

  #sendToView(key: string, frames: readonly NumberedFrame[]): void {
    for (const socket of this.#listSockets(key)) this.sockets.send(socket, frames);
  }

  /** The frame that says whom a view shows: what a client has of anybody else is out of date. */
  #viewFrame(view: FeedView): NumberedFrame {
    return { seq: this.nextSeq(), body: toFrameBody({ type: "view", patient_ids: [...view.patients] }) };
  }

  /** Opens a socket: with what it missed where all of it is known, else with a snapshot. */
  admitSocket(handshake: Handshake, snapshots: ReadonlyMap<string, SnapshotResult>, numbers: ReservedSeqs): Admission {
    const { seat, requested, since } = handshake;
    const view = this.#views.get(seat.view);
    if (!view || (requested && view.wanted.size === 0)) return { refused: 404 };
    const holder = seat.holder.kind === "user" ? seat.holder.sessionId : seat.holder.credentialId;
    if (!this.sockets.hasRoomFor(holder)) return { refused: 429 };
    const frames = (since !== null && this.#missedFrames(view, since)) || this.#openingFrames(view, since, snapshots, numbers);
    const pair = new WebSocketPair();
    const { hospitalId, expires } = handshake;
    const client: ClientState = { ...seat, hospitalId, expires, sent: 0, frames: 0, bytes: 0 };
    this.sockets.accept(pair[1], client, holder);
    Object.assign(view, { leftAt: null, isOpen: true });
    this.storage.saveView(seat.view, view.requested, view.wanted, this.#leaseUntil(view));
    this.sockets.send(pair[1], [...frames, this.#viewFrame(view)]);
    return { socket: pair[0] };
  }

  /** What happened in the view after `since`; null where something may be missing, or it is too much for one reader. */
  #missedFrames(view: FeedView, since: number): NumberedFrame[] | null {
    if (since < view.changed || since > this.#seq) return null;
    for (const id of view.patients) if ((this.watches.get(id)?.since ?? Number.POSITIVE_INFINITY) > since) return null;
    const frames = listFramesAfter(this.buffer, since, view.patients);
    const size = frames?.reduce((sum, { body }) => sum + body.length, 0) ?? 0;
    return frames && frames.length <= MAX_UNACKED_FRAMES / 2 && size <= MAX_UNACKED_BYTES / 2 ? frames : null;
  }

  #openingFrames(
    view: FeedView,
    since: number | null,
    snapshots: ReadonlyMap<string, SnapshotResult>,
    { gap, snapshot }: ReservedSeqs,
  ): NumberedFrame[] {
    const shown = [...view.patients].flatMap((id) => snapshots.get(id) ?? []);
    const gapFrame = { type: "gap", from: Math.min(since ?? 0, snapshot), to: snapshot };
    return [
      ...(since === null ? [] : [{ seq: gap, body: toFrameBody(gapFrame) }]),
      { seq: snapshot, body: toSnapshotBody(shown), isUncounted: true },
      ...(listFramesAfter(this.buffer, snapshot, view.patients) ?? []),
    ];
  }

  /** Until when at least all of a view's patients tell what happens. */
  #leaseUntil(view: FeedView): number {
    return Math.min(Date.now() + LEASE_MS, ...[...view.wanted].map((id) => this.watches.get(id)?.until ?? 0));
  }

  /** Writes down views that sockets have. */
  saveViews(): void {
    for (const [key, view] of this.#views) {
      if (view.leftAt === null) this.storage.saveView(key, view.requested, view.wanted, this.#leaseUntil(view));
    }
  }

  /** Forgets views that nobody has any more. */
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

function newView(requested: RequestedPatients, changed: number): FeedView {
  const empty = { wanted: new Set<string>(), patients: new Set<string>() };
  return { ...empty, requested, changed, queryNumber: 0, opening: 0, isOpen: false, leftAt: null };
}

function toSnapshotBody(snapshots: readonly SnapshotResult[]): string {
  const patients: PatientSnapshot[] = snapshots.flatMap(({ snapshot }) => snapshot ?? []);
  return toFrameBody({ type: "snapshot", patients });
}
