// SQLite storage of a feed: redeemed tickets, the views and screens of its sockets, queued audit events, and feeds that follow it.
import { z } from "zod";
import type { AuditLogEvent } from "../../audit-log/contract.ts";
import { migrateEmpty, migrateExisting } from "../../platform/object-migrations.ts";
import { StoredDocumentError, storedDocument } from "../../platform/stored-document.ts";
import { LiveGrant } from "./live-grant.ts";
import { WARD_FEED_MIGRATIONS } from "./schema.ts";
import { viewEventDocument } from "./view-event.ts";
import type { RequestedPatients } from "./visibility.ts";

/** Patient ids. */
const idsDocument = storedDocument("patient ids", z.array(z.string()));
/** Pairs of a patient id and what shows the patient beyond the role. */
const grantsDocument = storedDocument("live grants", z.array(z.tuple([z.string(), LiveGrant])));

export type QueuedEvent = { n: number; event: AuditLogEvent };
/** By patient; null for a view by role. */
export type ViewGrants = ReadonlyMap<string, LiveGrant> | null;
type ViewRow = { key: string; requested: string | null; wanted: string; lease: number; grants: string | null };
export type StoredView = { key: string; requested: RequestedPatients; wanted: string[]; lease: number; grants: ViewGrants };

export class FeedStorage {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #report: (error: StoredDocumentError) => void;
  #hasTables: boolean;

  /** @param report called with the error of each unreadable document  @throws MigrationError */
  constructor(storage: DurableObjectStorage, report: (error: StoredDocumentError) => void) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#report = report;
    this.#hasTables = migrateExisting(storage, WARD_FEED_MIGRATIONS);
  }

  /** Creates the tables on the first write: an object that only received a recheck stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return;
    migrateEmpty(this.#storage, WARD_FEED_MIGRATIONS);
    this.#hasTables = true;
  }

  /** Redeems a ticket. Synchronous within one object, so that exactly one of several concurrent attempts succeeds. */
  redeemTicket(id: string, expires: number, now: number): boolean {
    this.#createTables();
    this.#sql.exec("DELETE FROM tickets WHERE expires < ?", now);
    const query = "INSERT INTO tickets (id, expires) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id";
    return this.#sql.exec(query, id, expires).toArray().length === 1;
  }

  /** @param lease until when all patients of the view publish to the feed, epoch milliseconds */
  saveView(
    key: string,
    requested: RequestedPatients,
    wanted: ReadonlySet<string>,
    lease: number,
    grants: ViewGrants = null,
  ): void {
    this.#createTables();
    this.#sql.exec(
      `INSERT INTO views (key, requested, wanted, lease, grants) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET wanted = excluded.wanted, lease = excluded.lease, grants = excluded.grants
       WHERE wanted <> excluded.wanted OR lease <> excluded.lease OR grants IS NOT excluded.grants`,
      key,
      requested && idsDocument.write([...requested]),
      idsDocument.write([...wanted]),
      lease,
      grants && grantsDocument.write([...grants]),
    );
  }

  deleteView(key: string): void {
    if (this.#hasTables) this.#sql.exec("DELETE FROM views WHERE key = ?", key);
  }

  listViews(): StoredView[] {
    if (!this.#hasTables) return [];
    return this.#sql
      .exec<ViewRow>("SELECT key, requested, wanted, lease, grants FROM views")
      .toArray()
      .flatMap((row) => this.#readView(row) ?? []);
  }

  /** Null for an unreadable view, which is deleted; FeedState closes its sockets, so that their clients reconnect. */
  #readView({ requested, wanted, grants, ...view }: ViewRow): StoredView | null {
    const read = () => ({
      ...view,
      requested: requested === null ? null : idsDocument.read(requested),
      wanted: idsDocument.read(wanted),
      grants: grants === null ? null : new Map(grantsDocument.read(grants)),
    });
    const stored = this.#readOrReport(read);
    if (!stored) this.deleteView(view.key);
    return stored;
  }

  addFollower(hospitalId: string): void {
    this.#createTables();
    this.#sql.exec(
      "INSERT INTO followers (hospital_id, version) VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1",
      hospitalId,
    );
  }

  listFollowers(): { hospital_id: string; version: number }[] {
    if (!this.#hasTables) return [];
    return this.#sql.exec<{ hospital_id: string; version: number }>("SELECT hospital_id, version FROM followers").toArray();
  }

  /** Keeps a feed that followed again in the meantime. */
  removeFollower({ hospital_id, version }: { hospital_id: string; version: number }): void {
    this.#sql.exec("DELETE FROM followers WHERE hospital_id = ? AND version = ?", hospital_id, version);
  }

  /** Patients that the screen's events of this hour name. An unreadable list counts as empty: they are recorded again. */
  readScreen(viewer: string, id: string, hour: number): string[] {
    if (!this.#hasTables) return [];
    const query = "SELECT patients FROM screens WHERE viewer = ? AND id = ? AND hour = ?";
    const [row] = this.#sql.exec<{ patients: string }>(query, viewer, id, hour).toArray();
    return (row && this.#readOrReport(() => idsDocument.read(row.patients))) ?? [];
  }

  /** Ids of the viewer's screens in this hour. */
  listScreens(viewer: string, hour: number): string[] {
    if (!this.#hasTables) return [];
    const query = "SELECT id FROM screens WHERE viewer = ? AND hour = ?";
    const rows = this.#sql.exec<{ id: string }>(query, viewer, hour).toArray();
    return rows.map(({ id }) => id);
  }

  saveScreen(viewer: string, id: string, hour: number, patientIds: ReadonlySet<string>): void {
    this.#createTables();
    this.#sql.exec(
      `INSERT INTO screens (viewer, id, hour, patients) VALUES (?, ?, ?, ?)
       ON CONFLICT (viewer, id) DO UPDATE SET hour = excluded.hour, patients = excluded.patients`,
      viewer,
      id,
      hour,
      idsDocument.write([...patientIds]),
    );
  }

  deleteScreensExceptOf(hour: number): void {
    if (this.#hasTables) this.#sql.exec("DELETE FROM screens WHERE hour <> ?", hour);
  }

  enqueue(entries: readonly { log: string; event: AuditLogEvent }[]): void {
    this.#createTables();
    for (const { log, event } of entries)
      this.#sql.exec("INSERT INTO audit_queue (log, event) VALUES (?, ?)", log, viewEventDocument.write(event));
  }

  /** Readable events that wait for a log. */
  countQueued(): number {
    if (!this.#hasTables) return 0;
    return this.#sql.exec<{ n: number }>("SELECT count(log) AS n FROM audit_queue").one().n;
  }

  listQueuedLogs(): string[] {
    if (!this.#hasTables) return [];
    const query = "SELECT DISTINCT log FROM audit_queue WHERE log IS NOT NULL";
    const rows = this.#sql.exec<{ log: string }>(query).toArray();
    return rows.map(({ log }) => log);
  }

  /** The oldest events for a log. An unreadable one is reported, stays stored, and waits no longer. */
  readQueue(log: string, limit: number): QueuedEvent[] {
    const query = "SELECT n, event FROM audit_queue WHERE log = ? ORDER BY n LIMIT ?";
    const rows = this.#sql.exec<{ n: number; event: string }>(query, log, limit).toArray();
    return rows.flatMap(({ n, event: stored }) => {
      const event = this.#readOrReport(() => viewEventDocument.read(stored));
      if (!event) this.#sql.exec("UPDATE audit_queue SET log = NULL WHERE n = ?", n);
      return event ? [{ n, event }] : [];
    });
  }

  removeQueued(numbers: readonly number[]): void {
    this.#sql.exec("DELETE FROM audit_queue WHERE n IN (SELECT value FROM json_each(?))", JSON.stringify(numbers));
  }

  #readOrReport<T>(read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      this.#report(error);
      return null;
    }
  }
}
