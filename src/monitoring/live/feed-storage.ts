// SQLite storage of a feed: redeemed tickets, the views of its sockets, and the feeds that follow it.
import { z } from "zod";
import { migrateEmpty, migrateExisting } from "../../platform/object-migrations.ts";
import { StoredDocumentError, storedDocument } from "../../platform/stored-document.ts";
import { WARD_FEED_MIGRATIONS } from "./schema.ts";
import type { RequestedPatients } from "./visibility.ts";

/** Patient ids. */
const idsDocument = storedDocument("patient ids", z.array(z.string()));

export type StoredView = { key: string; requested: RequestedPatients; wanted: string[]; lease: number };

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
  saveView(key: string, requested: RequestedPatients, wanted: ReadonlySet<string>, lease: number): void {
    this.#createTables();
    this.#sql.exec(
      `INSERT INTO views (key, requested, wanted, lease) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET wanted = excluded.wanted, lease = excluded.lease
       WHERE wanted <> excluded.wanted OR lease <> excluded.lease`,
      key,
      requested && idsDocument.write([...requested]),
      idsDocument.write([...wanted]),
      lease,
    );
  }

  deleteView(key: string): void {
    if (this.#hasTables) this.#sql.exec("DELETE FROM views WHERE key = ?", key);
  }

  listViews(): StoredView[] {
    if (!this.#hasTables) return [];
    return this.#sql
      .exec<{ key: string; requested: string | null; wanted: string; lease: number }>(
        "SELECT key, requested, wanted, lease FROM views",
      )
      .toArray()
      .flatMap((row) => this.#readView(row) ?? []);
  }

  /** Null for an unreadable view, which is deleted; FeedState closes its sockets, so that their clients reconnect. */
  #readView({
    requested,
    wanted,
    ...view
  }: {
    key: string;
    requested: string | null;
    wanted: string;
    lease: number;
  }): StoredView | null {
    try {
      return { ...view, requested: requested === null ? null : idsDocument.read(requested), wanted: idsDocument.read(wanted) };
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      this.#report(error);
      this.deleteView(view.key);
      return null;
    }
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
}
