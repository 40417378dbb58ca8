// Records whom the screens of a feed show: once per screen, patient and clock hour (UTC), before the frames are sent.
import { MAX_SUBJECTS } from "../../audit-log/contract.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { AuditQueue } from "./audit-queue.ts";
import type { FeedStorage } from "./feed-storage.ts";
import { toGrantId } from "./live-grant.ts";
import { toViewEvent, type Viewer } from "./view-event.ts";
import type { Subscription, VisiblePatient } from "./visibility.ts";

/** A screen is one connection; a client that reconnects within the hour continues its screen (`findScreen`). */
export class ShownPatients {
  readonly #storage: FeedStorage;
  readonly #queue: AuditQueue;
  readonly #hospitalId: string;
  /** The hour in which all open screens are recorded; null after a restart. */
  #hour: number | null = null;
  /** What is recorded of this hour (`toRecordKey`), by screen; read from the storage when it is needed. */
  readonly #recorded = new Map<string, { hour: number; keys: Set<string> }>();

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
   * Queues events for the patients whom the screen has not shown in this hour, one per grant. Durable before frames that are
   * sent in the same turn leave the object.
   * @returns false when the queue is full: then the screen must not show them
   */
  record(viewer: Viewer, patients: Iterable<VisiblePatient>, now: number): boolean {
    const hour = hourOf(now);
    const recorded = this.#readRecorded(viewer, hour);
    const added = new Map([...patients].map((patient) => [toRecordKey(patient), patient]));
    for (const key of added.keys()) if (recorded.has(key)) added.delete(key);
    if (added.size === 0) return true;
    const byGrant = Map.groupBy(added.values(), ({ grant }) => grant && toGrantId(grant));
    const events = [...byGrant.values()].flatMap((group) => this.#toEvents(viewer, group, hour, now));
    if (!this.#queue.add(events)) return false;
    for (const key of added.keys()) recorded.add(key);
    this.#storage.saveScreen(toScreenKey(viewer), viewer.screen, hour, recorded);
    return true;
  }

  /** @param patients shown by the same grant, or all without one */
  #toEvents(viewer: Viewer, patients: readonly VisiblePatient[], hour: number, now: number) {
    const grant = patients[0]?.grant ?? null;
    return Array.from({ length: Math.ceil(patients.length / MAX_SUBJECTS) }, (_, i) => {
      const patientIds = patients.slice(i * MAX_SUBJECTS, (i + 1) * MAX_SUBJECTS).map(({ id }) => id);
      return toViewEvent(viewer, this.#hospitalId, { patientIds, grant, hour: hour * HOUR_MS }, now);
    });
  }

  #readRecorded(viewer: Viewer, hour: number): Set<string> {
    const known = this.#recorded.get(viewer.screen);
    if (known?.hour === hour) return known.keys;
    const keys = new Set(this.#storage.readScreen(toScreenKey(viewer), viewer.screen, hour));
    this.#recorded.set(viewer.screen, { hour, keys });
    return keys;
  }
}

/** A patient who is shown by another grant within the hour is recorded again. */
const toRecordKey = ({ id, grant }: VisiblePatient) => (grant ? `${id} ${toGrantId(grant)}` : id);

const hourOf = (now: number) => Math.floor(now / HOUR_MS);

/** Whose screens of which view continue each other. */
function toScreenKey({ holder, view }: Pick<Subscription, "holder" | "view">): string {
  return `${holder.kind === "user" ? holder.sessionId : holder.credentialId} ${view}`;
}
