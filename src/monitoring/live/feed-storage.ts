// What a feed keeps on disk: tickets that were used, views that sockets have, and feeds to tell of people without a hospital.
import { z } from "zod";
import type { RequestedPatients } from "./visibility.ts";

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS views (
    key TEXT PRIMARY KEY, requested TEXT, wanted TEXT NOT NULL, lease INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  "CREATE TABLE IF NOT EXISTS followers (hospital_id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
] as const;

const Ids = z.array(z.string());

export type StoredView = { key: string; requested: RequestedPatients; wanted: string[]; lease: number };

export class FeedStorage {
  readonly #sql: SqlStorage;
  #hasTables: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#hasTables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'followers'").toArray().length > 0;
  }

  /** An object that was only told of a change stores nothing. */
  #createTables(): void {
    if (this.#hasTables) return;
    for (const statement of SCHEMA) this.#sql.exec(statement);
    this.#hasTables = true;
  }

  /** Uses a ticket up. Synchronous and in one object: of any number at once exactly one gets true. */
  redeemTicket(id: string, expires: number, now: number): boolean {
    this.#createTables();
    this.#sql.exec("DELETE FROM tickets WHERE expires < ?", now);
    const query = "INSERT INTO tickets (id, expires) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id";
    return this.#sql.exec(query, id, expires).toArray().length === 1;
  }

  /** @param lease until when at least all of its patients tell the feed what happens */
  saveView(key: string, requested: RequestedPatients, wanted: ReadonlySet<string>, lease: number): void {
    this.#createTables();
    this.#sql.exec(
      `INSERT INTO views (key, requested, wanted, lease) VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET wanted = excluded.wanted, lease = excluded.lease
       WHERE wanted <> excluded.wanted OR lease <> excluded.lease`,
      key,
      requested && JSON.stringify(requested),
      JSON.stringify([...wanted]),
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
      .map(({ requested, wanted, ...view }) => ({
        ...view,
        requested: requested === null ? null : Ids.parse(JSON.parse(requested)),
        wanted: Ids.parse(JSON.parse(wanted)),
      }));
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

  /** Who followed again meanwhile stays. */
  removeFollower({ hospital_id, version }: { hospital_id: string; version: number }): void {
    this.#sql.exec("DELETE FROM followers WHERE hospital_id = ? AND version = ?", hospital_id, version);
  }
}
