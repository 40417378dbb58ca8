// The rows on their way from a patient's object to D1: attempts, back-off and parking.
import { HOUR_MS } from "../../../platform/time.ts";
import { OUTBOX_DOCUMENTS, type OutboxBodies } from "../documents.ts";

export type Outgoing = { id: number; kind: string; body: string };
export type OutboxRow = Outgoing & { attempts: number; parked_at: number | null };
/** `parked`: rows that failed so often that they wait apart from the others. */
export type OutboxState = { waiting: number; parked: number };

/** A row that has failed this often by itself is parked. With the back-off that takes about five minutes. */
export const MAX_ATTEMPTS = 6;
/** Parked rows are tried again this often, one by one: code that was mended meanwhile delivers them. */
export const PARKED_RETRY_MS = 6 * HOUR_MS;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;
/** While D1 as a whole does not answer, nothing waits longer than this. */
const MAX_OUTAGE_RETRY_MS = 60_000;

/** How long to wait after the failure that follows `attempts` others. */
export function backOff(attempts: number, isOutage: boolean): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts, 16), isOutage ? MAX_OUTAGE_RETRY_MS : MAX_RETRY_MS);
}

export class Outbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add<K extends keyof OutboxBodies>(kind: K, body: OutboxBodies[K]): void {
    // A parked clock that is delivered late would overwrite a newer one in D1, whose rows have no version.
    if (kind === "clock" && "device" in body) this.#dropClock(body.device);
    this.#sql.exec("INSERT INTO outbox (kind, body) VALUES (?, ?)", kind, OUTBOX_DOCUMENTS[kind].write(body));
  }

  #dropClock(device: string): void {
    this.#sql.exec(
      `DELETE FROM outbox WHERE kind = 'clock' AND json_valid(body)
         AND coalesce(json_extract(body, '$.content.device'), json_extract(body, '$.device')) = ?`,
      device,
    );
  }

  /** Rows to deliver now, oldest first. Parked ones come one at a time, and only when no other row is due. */
  due(now: number, limit: number): OutboxRow[] {
    const columns = "SELECT id, kind, body, attempts, parked_at FROM outbox WHERE due_at <= ?";
    const rows = this.#sql.exec<OutboxRow>(`${columns} AND parked_at IS NULL ORDER BY id LIMIT ?`, now, limit).toArray();
    if (rows.length > 0) return rows;
    return this.#sql.exec<OutboxRow>(`${columns} AND parked_at IS NOT NULL ORDER BY id LIMIT 1`, now).toArray();
  }

  /** When the next row is due, epoch milliseconds; null for an empty outbox. */
  nextDue(): number | null {
    const [row] = this.#sql.exec<{ at: number | null }>("SELECT min(due_at) AS at FROM outbox").toArray();
    return row?.at ?? null;
  }

  remove(rows: readonly Outgoing[]): void {
    this.#sql.exec("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(rows.map(({ id }) => id)));
  }

  /** Notes a failed attempt. @param isOutage D1 refused every row, so that it is not this one's fault @returns whether the row is parked now */
  fail({ id, attempts, parked_at }: OutboxRow, now: number, isOutage: boolean): boolean {
    const parks = parked_at === null && !isOutage && attempts + 1 >= MAX_ATTEMPTS;
    const wait = parks || parked_at !== null ? PARKED_RETRY_MS : backOff(attempts, isOutage);
    this.#sql.exec(
      "UPDATE outbox SET attempts = attempts + 1, due_at = ?, parked_at = ? WHERE id = ?",
      now + wait,
      parks ? now : parked_at,
      id,
    );
    return parks;
  }

  state(): OutboxState {
    const [row] = this.#sql.exec<OutboxState>("SELECT count(*) AS waiting, count(parked_at) AS parked FROM outbox").toArray();
    return row ?? { waiting: 0, parked: 0 };
  }

  /** Tries parked rows at once instead of every six hours. @returns how many there are */
  retryParked(): number {
    return this.#sql.exec("UPDATE outbox SET due_at = 0 WHERE parked_at IS NOT NULL RETURNING id").toArray().length;
  }
}
