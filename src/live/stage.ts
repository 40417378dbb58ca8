// The state of a feed: views, ring, watches and sockets, and how a view grows, shrinks and opens.
import type { PatientSnapshot } from "../monitor/contract.ts";
import type { StoredDocumentError } from "../stored-document.ts";
import type { Admission } from "./admissions.ts";
import { CLOSE, type Client, type Handshake, MOST_OWED_BYTES, MOST_OWED_FRAMES } from "./clients.ts";
import { after, bodyOf, newRing, type Ring } from "./ring.ts";
import { Shelf } from "./shelf.ts";
import { type Outgoing, Sockets } from "./sockets.ts";
import type { Requested } from "./views.ts";
import { LEASE_MS, type Look, lookAt, needsLook, type Watch, type Watches } from "./watches.ts";

/** A view without sockets is remembered for so long: who comes back within it goes on where they were. */
const LINGER_MS = 60_000;

type View = {
  requested: Requested;
  /** What D1 says; `patients` are those of them who are shown: their snapshots were sent. */
  wanted: ReadonlySet<string>;
  patients: Set<string>;
  /** The number at which a patient joined last: who has seen less has not seen that patient. */
  changed: number;
  /** Which question to D1 `wanted` answers. */
  asked: number;
  opening: number;
  /** Whether a socket ever had it. */
  isOpen: boolean;
  leftAt: number | null;
};

export type Numbers = { gap: number; snapshot: number };

export class Stage {
  readonly shelf: Shelf;
  readonly sockets: Sockets;
  readonly ring: Ring;
  readonly watches: Watches = new Map();
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #views = new Map<string, View>();
  #seq: number;
  #asked = 0;

  /** @param report hears of stored documents that cannot be read  @throws MigrationError */
  constructor(ctx: DurableObjectState, env: Env, report: (error: StoredDocumentError) => void) {
    this.#ctx = ctx;
    this.#env = env;
    this.shelf = new Shelf(ctx.storage, report);
    this.sockets = new Sockets(ctx, report);
    // A thousand numbers a millisecond are more than any life of this object gives away, so the next one starts above it.
    this.#seq = Math.max(Date.now() * 1000, this.sockets.lastSent + 1);
    this.ring = newRing(this.#seq);
    this.#restore();
  }

  /** After hibernation: nothing was missed, for the first frame of a watched patient wakes the feed. */
  #restore(): void {
    for (const { key, requested, wanted, lease } of this.shelf.views()) {
      const shown = { wanted: new Set(wanted), patients: new Set(wanted), isOpen: true };
      this.#views.set(key, { ...newView(requested, this.#seq), ...shown });
      for (const id of wanted) {
        const until = Math.max(lease, this.watches.get(id)?.until ?? 0);
        this.watches.set(id, { until, since: this.#seq, lonely: null });
      }
    }
    for (const [socket, { client }] of this.sockets.entries()) {
      if (!this.#views.has(client.view)) this.sockets.close(socket, CLOSE.lost);
    }
    this.tidy();
  }

  get hospitalId(): string {
    return this.#ctx.id.name ?? "";
  }

  get seq(): number {
    return this.#seq;
  }

  /** The next number. */
  next(): number {
    return ++this.#seq;
  }

  /** Numbers questions to D1: the answer to a later one counts, whichever comes first. */
  ask(): number {
    return ++this.#asked;
  }

  keys(): string[] {
    return [...this.#views.keys()];
  }

  requested(): ReadonlyMap<string, Requested> {
    return new Map([...this.#views].map(([key, { requested }]) => [key, requested]));
  }

  #socketsOf(key: string): WebSocket[] {
    return this.sockets
      .entries()
      .filter(([, { client }]) => client.view === key)
      .map(([socket]) => socket);
  }

  /** Sockets that show this patient now. */
  watching(patientId: string): WebSocket[] {
    return this.sockets
      .entries()
      .filter(([, { client }]) => this.#views.get(client.view)?.patients.has(patientId))
      .map(([socket]) => socket);
  }

  /** Whether somebody watches this patient, or is about to. */
  isSeen(patientId: string): boolean {
    for (const view of this.#views.values()) {
      if ((view.leftAt === null || view.opening > 0) && view.wanted.has(patientId)) return true;
    }
    return false;
  }

  watchOf(patientId: string, isSeen: boolean): Watch | undefined {
    const known = this.watches.get(patientId);
    if (known || !isSeen) return known;
    const watch = { until: 0, since: this.#seq, lonely: null };
    this.watches.set(patientId, watch);
    return watch;
  }

  /** Makes the views of a wave, so that what happens from now on is kept for them. */
  expect(wave: readonly Handshake[], { snapshot }: Numbers): { done: () => void } {
    const opening = wave.map(({ seat, requested }) => {
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
  settle(key: string, patientIds: readonly string[], asked: number): void {
    const view = this.#views.get(key);
    if (!view || view.asked > asked) return;
    view.asked = asked;
    view.wanted = new Set(patientIds);
    const shown = new Set([...view.patients].filter((id) => view.wanted.has(id)));
    const hasShrunk = shown.size < view.patients.size;
    view.patients = shown;
    if (view.requested && view.wanted.size === 0) {
      for (const socket of this.#socketsOf(key)) this.sockets.close(socket, CLOSE.gone);
    } else if (hasShrunk) this.#tell(key, [this.#listing(view)]);
  }

  /**
   * Takes snapshots: of patients who joined views, of those whose frames may have been missed, and of `all` for who opens.
   * @param before the feed's number before the question to D1
   */
  async fill(keys: readonly string[], before: number, all: boolean): Promise<Map<string, Look>> {
    const now = Date.now();
    const ids = [...new Set(keys)].flatMap((key) => {
      const view = this.#views.get(key);
      if (!view) return [];
      return [...view.wanted].filter((id) => all || !view.patients.has(id) || needsLook(this.watches.get(id), now));
    });
    const looks = await lookAt(this.#env.PATIENT_MONITOR, this.watches, ids, () => this.#seq);
    for (const [key, view] of this.#views) this.#grow(key, view, looks, before);
    return looks;
  }

  #grow(key: string, view: View, looks: ReadonlyMap<string, Look>, before: number): void {
    const found = [...view.wanted].flatMap((id) => looks.get(id) ?? []);
    const joined = found.filter(({ patientId }) => !view.patients.has(patientId));
    const broken = found.filter(({ patientId, lapsed, snapshot }) => lapsed && snapshot && view.patients.has(patientId));
    if (joined.length === 0 && broken.length === 0) return;
    for (const { patientId } of joined) view.patients.add(patientId);
    if (!view.isOpen) return;
    // Numbers of their own: these sockets have seen later ones than the frames that came while the snapshots were taken.
    const gap = { type: "gap", from: view.changed, to: before };
    const fresh = [...joined, ...broken];
    const missed = after(this.ring, before, new Set(fresh.map(({ patientId }) => patientId))) ?? [];
    const frames = [...(broken.length > 0 ? [bodyOf(gap)] : []), snapshotBody(fresh), ...missed.map(({ body }) => body)];
    const numbered = frames.map((body): Outgoing => ({ seq: this.next(), body, free: true }));
    const listing = this.#listing(view);
    view.changed = listing.seq;
    this.#tell(key, [...numbered, listing]);
  }

  #tell(key: string, frames: readonly Outgoing[]): void {
    for (const socket of this.#socketsOf(key)) this.sockets.send(socket, frames);
  }

  /** The frame that says whom a view shows: what a client has of anybody else is out of date. */
  #listing(view: View): Outgoing {
    return { seq: this.next(), body: bodyOf({ type: "view", patient_ids: [...view.patients] }) };
  }

  /** Opens a socket: with what it missed where all of it is known, else with a snapshot. */
  admit(handshake: Handshake, looks: ReadonlyMap<string, Look>, numbers: Numbers): Admission {
    const { seat, requested, since } = handshake;
    const view = this.#views.get(seat.view);
    if (!view || (requested && view.wanted.size === 0)) return { refused: 404 };
    const holder = seat.holder.kind === "user" ? seat.holder.sessionId : seat.holder.credentialId;
    if (!this.sockets.hasRoomFor(holder)) return { refused: 429 };
    const frames = (since !== null && this.#missed(view, since)) || this.#beginning(view, since, looks, numbers);
    const pair = new WebSocketPair();
    const { hospitalId, expires } = handshake;
    const client: Client = { ...seat, hospitalId, expires, sent: 0, frames: 0, bytes: 0 };
    this.sockets.accept(pair[1], client, holder);
    Object.assign(view, { leftAt: null, isOpen: true });
    this.shelf.keepView(seat.view, view.requested, view.wanted, this.#leaseOf(view));
    this.sockets.send(pair[1], [...frames, this.#listing(view)]);
    return { socket: pair[0] };
  }

  /** What happened in the view after `since`; null where something may be missing, or it is too much for one reader. */
  #missed(view: View, since: number): Outgoing[] | null {
    if (since < view.changed || since > this.#seq) return null;
    for (const id of view.patients) if ((this.watches.get(id)?.since ?? Number.POSITIVE_INFINITY) > since) return null;
    const frames = after(this.ring, since, view.patients);
    const size = frames?.reduce((sum, { body }) => sum + body.length, 0) ?? 0;
    return frames && frames.length <= MOST_OWED_FRAMES / 2 && size <= MOST_OWED_BYTES / 2 ? frames : null;
  }

  #beginning(view: View, since: number | null, looks: ReadonlyMap<string, Look>, { gap, snapshot }: Numbers): Outgoing[] {
    const shown = [...view.patients].flatMap((id) => looks.get(id) ?? []);
    const lost = { type: "gap", from: Math.min(since ?? 0, snapshot), to: snapshot };
    return [
      ...(since === null ? [] : [{ seq: gap, body: bodyOf(lost) }]),
      { seq: snapshot, body: snapshotBody(shown), free: true },
      ...(after(this.ring, snapshot, view.patients) ?? []),
    ];
  }

  /** Until when at least all of a view's patients tell what happens. */
  #leaseOf(view: View): number {
    return Math.min(Date.now() + LEASE_MS, ...[...view.wanted].map((id) => this.watches.get(id)?.until ?? 0));
  }

  /** Writes down views that sockets have. */
  keepViews(): void {
    for (const [key, view] of this.#views) {
      if (view.leftAt === null) this.shelf.keepView(key, view.requested, view.wanted, this.#leaseOf(view));
    }
  }

  /** Forgets views that nobody has any more. */
  tidy(): void {
    const now = Date.now();
    const used = new Set(this.sockets.entries().map(([, { client }]) => client.view));
    for (const [key, view] of this.#views) {
      if (used.has(key) || view.opening > 0) view.leftAt = used.has(key) ? null : view.leftAt;
      else if (view.leftAt === null) {
        view.leftAt = now;
        this.shelf.dropView(key);
      } else if (view.leftAt + LINGER_MS < now) this.#views.delete(key);
    }
  }
}

function newView(requested: Requested, changed: number): View {
  const nobody = { wanted: new Set<string>(), patients: new Set<string>() };
  return { ...nobody, requested, changed, asked: 0, opening: 0, isOpen: false, leftAt: null };
}

function snapshotBody(looks: readonly Look[]): string {
  const patients: PatientSnapshot[] = looks.flatMap(({ snapshot }) => snapshot ?? []);
  return bodyOf({ type: "snapshot", patients });
}
