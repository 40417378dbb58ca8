// Durable Object of one hospital's audit log: appends in one order, and answers what its lists ask for.
import { DurableObject } from "cloudflare:workers";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../platform/object-log.ts";
import { migrateEmpty, migrateExisting } from "../platform/object-migrations.ts";
import {
  type AuditLogCalls,
  type AuditLogEvent,
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  type LogSelection,
  matchesFilter,
} from "./contract.ts";
import { AUDIT_LOG_MIGRATIONS } from "./schema.ts";

const OBJECT = "AuditLog";
type EntryRow = { seq: number; id: string; logged: number; event: string; seed: ArrayBuffer };

export class AuditLog extends DurableObject<Env> implements AuditLogCalls {
  static {
    logMethodErrors(OBJECT, AuditLog.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  readonly #report: ErrorReport;
  #hasTables: boolean;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#report = errorReport(env, OBJECT, ctx.id);
    this.#hasTables = reporting(this.#report, "migrate", () => migrateExisting(ctx.storage, AUDIT_LOG_MIGRATIONS));
  }

  append(events: AuditLogEvent[]): void {
    const { sql } = this.ctx.storage;
    if (!this.#hasTables) migrateEmpty(this.ctx.storage, AUDIT_LOG_MIGRATIONS);
    this.#hasTables = true;
    const last = sql
      .exec<{ seq: number | null; logged: number | null }>("SELECT max(seq) AS seq, max(logged) AS logged FROM entries")
      .one();
    let seq = (last.seq ?? -1) + 1;
    const logged = Math.max(Date.now(), last.logged ?? 0);
    for (const event of events) {
      if (sql.exec("SELECT 1 FROM entries WHERE id = ?", event.id).toArray().length > 0) continue;
      const seed = crypto.getRandomValues(new Uint8Array(16));
      const empty = new Uint8Array(32);
      sql.exec(
        "INSERT INTO entries (seq, id, logged, event, seed, leaf_hash, mac) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[seq++, event.id, logged, JSON.stringify(event), seed, empty, ""],
      );
    }
  }

  select(filter: LogFilter, before: LogPosition | null, limit: number): LogSelection {
    if (!this.#hasTables) return { entries: [], segments: [], isComplete: true };
    const rows = this.ctx.storage.sql
      .exec<EntryRow>("SELECT seq, id, logged, event, seed FROM entries ORDER BY seq DESC")
      .toArray();
    const entries = rows
      .map(toEntry)
      .filter((entry) => matchesFilter(entry, filter) && (!before || compareNewestFirst(before, entry) < 0))
      .sort(compareNewestFirst)
      .slice(0, limit);
    return { entries, segments: [], isComplete: true };
  }
}

const toEntry = ({ seq, logged, event, seed }: EntryRow): LogEntry => ({
  ...(JSON.parse(event) as AuditLogEvent),
  seq,
  logged,
  seed: Buffer.from(seed).toString("base64url"),
});
