// Records whom the screens of a feed show: once per screen, patient and clock hour (UTC), before the frames are sent.
import { MAX_SUBJECTS } from "../../audit-log/contract.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { AuditQueue } from "./audit-queue.ts";
import type { FeedStorage } from "./feed-storage.ts";
import { toViewEvent, type Viewer } from "./view-event.ts";
import type { Subscription } from "./visibility.ts";

/** A screen is one connection; a client that reconnects within the hour continues its screen (`findScreen`). */
export class ShownPatients {
  readonly #storage: FeedStorage;
  readonly #queue: AuditQueue;
  readonly #hospitalId: string;
  /** The hour in which all open screens are recorded; null after a restart. */
  #hour: number | null = null;
  /** Patients recorded in this hour, by screen; read from the storage when they are needed. */
  readonly #recorded = new Map<string, { hour: number; patientIds: Set<string> }>();

  constructor(storage: FeedStorage, queue: AuditQueue, hospitalId: string) {
    this.#storage = storage;
    this.#queue = queue;
    this.#hospitalId = hospitalId;
  }

  /** Whether no screen is recorded in this hour yet. The caller then records all of them. */
  beginHour(now: number): boolean {
    const hour = hourOf(now);
    if (this.#hour === hour) return false;
    this.#hour = hour;
    this.#recorded.clear();
    this.#storage.deleteScreensExceptOf(hour);
    return true;
  }

  /** The screen of the same holder and view that no open connection has, or a new one. */
  findScreen(subscription: Subscription, open: ReadonlySet<string>, now: number): string {
    const known = this.#storage.listScreens(toScreenKey(subscription), hourOf(now)).find((id) => !open.has(id));
    return known ?? crypto.randomUUID();
  }

  /**
   * Queues an event for the patients whom the screen has not shown in this hour. Durable before frames that are sent in the same
   * turn leave the object.
   * @returns false when the queue is full: then the screen must not show them
   */
  record(viewer: Viewer, patientIds: Iterable<string>, now: number): boolean {
    const hour = hourOf(now);
    const recorded = this.#readRecorded(viewer, hour);
    const added = [...new Set(patientIds)].filter((id) => !recorded.has(id));
    if (added.length === 0) return true;
    const events = Array.from({ length: Math.ceil(added.length / MAX_SUBJECTS) }, (_, i) => {
      const subjects = added.slice(i * MAX_SUBJECTS, (i + 1) * MAX_SUBJECTS);
      return toViewEvent(viewer, this.#hospitalId, subjects, hour * HOUR_MS, now);
    });
    if (!this.#queue.add(events)) return false;
    for (const id of added) recorded.add(id);
    this.#storage.saveScreen(toScreenKey(viewer), viewer.screen, hour, recorded);
    return true;
  }

  #readRecorded(viewer: Viewer, hour: number): Set<string> {
    const known = this.#recorded.get(viewer.screen);
    if (known?.hour === hour) return known.patientIds;
    const patientIds = new Set(this.#storage.readScreen(toScreenKey(viewer), viewer.screen, hour));
    this.#recorded.set(viewer.screen, { hour, patientIds });
    return patientIds;
  }
}

const hourOf = (now: number) => Math.floor(now / HOUR_MS);

/** Whose screens of which view continue each other. */
function toScreenKey({ holder, view }: Pick<Subscription, "holder" | "view">): string {
  return `${holder.kind === "user" ? holder.sessionId : holder.credentialId} ${view}`;
}
