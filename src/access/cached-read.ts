// Reads whose opened result the isolate keeps: while no data behind it changed, the next read of the same scope and query selects no
// row and unseals nothing. The caller's session is judged and the audit event appended as always.
import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import { BoundedCache } from "../platform/bounded-cache.ts";
import type { Db } from "../platform/db/client.ts";
import { type DataKind, versionOf } from "../platform/db/data-versions.ts";
import { type Call, type EffectiveRole, getActorId, type Principal } from "./actor.ts";
import { afterAudit, appendAuditEvent, type KnownEvent } from "./audit.ts";
import { isForeign } from "./consented.ts";
import { hadEmergency } from "./emergency.ts";

/** Bounds in UTF-16 units of JSON: of all entries of an isolate, of one entry, and of a key. */
export const CACHE_LIMITS = { total: 4_000_000, entry: 200_000, key: 2_000 };

/** The result as JSON: no caller can change what another one gets. */
type Entry = { version: string; json: string; events: readonly KnownEvent[]; size: number };
const entries = new BoundedCache<string, Entry>(CACHE_LIMITS.total, ({ size }) => size);

/** For tests and measurements that compare with an empty cache. */
export const clearCachedReads = (): void => entries.clear();
export const cachedReadsSize = (): number => entries.weight;

/** What a read returns, and the events without which it is not returned. */
export type OpenedRead<T> = {
  events: readonly KnownEvent[];
  value: Promise<T>;
  /** Asked when the value is there; by default true. */
  isKept?: () => boolean;
};
type Plan = { key: string; version: SQL; actorId: string; entry: Entry | undefined };

/**
 * One read of a list or a statistic. Staff of a hospital share what is kept by role and scope, doctors limited to care teams have
 * their own; for patients, apps and administrators of the platform nothing is kept.
 */
export class CachedRead<T> {
  readonly #name: string;
  readonly #query: object;
  readonly #kinds: readonly DataKind[];
  readonly #patientId: string | undefined;
  #plan: Plan | null = null;
  #json = "";

  /**
   * @param query everything that the result depends on, beside the role  @param kinds of the data that it shows or counts
   * @param patientId the record that a read of one is about; of a record of another hospital, or that the caller has opened in an emergency, nothing is kept
   */
  constructor(name: string, query: object, kinds: readonly DataKind[], patientId?: string) {
    this.#patientId = patientId;
    this.#name = name;
    this.#query = query;
    this.#kinds = kinds;
  }

  /** The statement of the current version; first in the batch of the read. Called again when the role is another one. */
  selectVersion(db: Db, effectiveRole: EffectiveRole, actor: Principal) {
    this.#plan = this.#planFor(effectiveRole, actor);
    const version = this.#plan?.version ?? sql`NULL`;
    return db.all<{ version: string | null }>(sql`SELECT ${version} AS version`);
  }

  /** The LIMIT of a statement of the read: 0 while the kept result is current, which reads no row. */
  limit(n: number): SQL {
    if (!this.#plan?.entry) return sql`${n}`;
    const { version, entry } = this.#plan;
    return sql`iif(${version} = ${entry.version}, 0, ${n})`;
  }

  /**
   * Returns the kept result if it is current, else that of `open`; either after its events are stored.
   * @param rows of `selectVersion`  @throws ApiError unavailable
   */
  async finish(call: Call, [row]: readonly { version: string | null }[], open: () => OpenedRead<T>): Promise<T> {
    const plan = this.#plan;
    const version = row?.version ?? null;
    if (plan?.entry && plan.entry.version === version) {
      await appendAuditEvent(call, plan.entry.events);
      this.#json = plan.entry.json;
      return JSON.parse(this.#json);
    }
    const { events, value, isKept = () => true } = open();
    const result = await afterAudit(appendAuditEvent(call, events), value);
    if (!plan || version === null) return result;
    this.#json = JSON.stringify(result);
    if (isKept()) keep({ key: plan.key, version, json: this.#json, events });
    return result;
  }

  /**
   * The entity tag of the finished result for this caller; null if nothing is kept for the caller. It covers what the caller sees, not
   * the version, which changes with data of the hospital that the caller may not see.
   */
  get etag(): string | null {
    if (!this.#plan || this.#json === "") return null;
    const { key, actorId } = this.#plan;
    return `"${createHash("sha256")
      .update(JSON.stringify([key, actorId, this.#json]))
      .digest("base64url")
      .slice(0, 22)}"`;
  }

  #planFor(effectiveRole: EffectiveRole, actor: Principal): Plan | null {
    const scope = scopeOf(effectiveRole, actor);
    if (!scope) return null;
    const { hospitalId, parts, isCareTeam } = scope;
    const query = Object.entries(this.#query).filter(([, value]) => value !== undefined);
    const key = JSON.stringify([this.#name, ...parts, query.sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (key.length > CACHE_LIMITS.key) return null;
    const kinds: DataKind[] = isCareTeam ? [...new Set<DataKind>([...this.#kinds, "patients", "careTeam"])] : [...this.#kinds];
    const version = this.#patientId
      ? sql`iif(${isForeign(effectiveRole, this.#patientId)} OR ${hadEmergency(effectiveRole, actor, this.#patientId)}, NULL, ${versionOf(hospitalId, kinds)})`
      : versionOf(hospitalId, kinds);
    return { key, version, actorId: getActorId(actor), entry: entries.get(key) };
  }
}

/** Whom a kept result is for; null for callers of several hospitals, and for apps, whose scopes are known only after the check. */
function scopeOf({ role, hospitalId, doctorScope }: EffectiveRole, actor: Principal) {
  if (hospitalId === null || role === "app" || role === "admin" || role === "patient") return null;
  const isCareTeam = role === "doctor" && doctorScope === "care_team";
  return { hospitalId, isCareTeam, parts: [role, hospitalId, isCareTeam ? getActorId(actor) : ""] };
}

function keep({ key, version, json, events }: { key: string } & Omit<Entry, "size">): void {
  const size = key.length + json.length + JSON.stringify(events).length;
  if (size <= CACHE_LIMITS.entry) entries.set(key, { version, json, events, size });
  else entries.delete(key);
}
