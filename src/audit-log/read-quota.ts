// Bounds what the reads of one actor add to a log per UTC day: every read leaves an event that is kept for years.
import { utcDayOf } from "../platform/time.ts";
import type { NewEntry } from "./append.ts";
import type { AppendOptions } from "./contract.ts";

/**
 * One event in 16 counts, for 16 times its length, so that only one append in 16 writes a second row. Which one follows from random
 * bits of its id. At 10,000 events the sum is within 4 % (standard deviation).
 */
const SAMPLED = 16;
const isSampled = (id: string): boolean => Number.parseInt(id.slice(-1), SAMPLED) === 0;

type Reader = NonNullable<AppendOptions["reader"]>;

/** Whether the reader's events of the day have used up the quota. One row read. */
export function isQuotaUsed(sql: SqlStorage, { id, bytesPerDay }: Reader, now: number): boolean {
  const query = "SELECT bytes FROM read_quotas WHERE day = ? AND reader = ?";
  const [row] = sql.exec<{ bytes: number }>(query, utcDayOf(now), id).toArray();
  return (row?.bytes ?? 0) >= bytesPerDay;
}

/** Part of the transaction that stores the entries. Drops the sums of past days. */
export function countReads(
  sql: SqlStorage,
  { id }: Reader,
  entries: readonly Pick<NewEntry, "id" | "event">[],
  now: number,
): void {
  const bytes = entries.filter((entry) => isSampled(entry.id)).reduce((sum, { event }) => sum + event.length * SAMPLED, 0);
  if (bytes === 0) return;
  const today = utcDayOf(now);
  sql.exec("DELETE FROM read_quotas WHERE day < ?", today);
  sql.exec(
    "INSERT INTO read_quotas (day, reader, bytes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
    ...[today, id, bytes],
  );
}
