// Outbox of a patient's object for D1, with attempts, back-off and parking.
import { OUTBOX_DOCUMENTS, type OutboxBodies } from "../memory/documents.ts";

export type Outgoing = { id: number; kind: string; body: string };
export type OutboxRow = Outgoing & { attempts: number; parked_at: number | null };
/** `parked`: rows that failed too often and wait separately. */
export type OutboxState = { waiting: number; parked: number };

/** A row that fails this often by itself is parked. With the back-off this takes about five minutes. */
export const MAX_ATTEMPTS = 6;
/** Interval of retries of parked rows, one by one: a fixed version of the code can deliver them. */
export const PARKED_RETRY_MS = 6 * 3_600_000;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;
/** The longest wait during an outage of D1. */
const MAX_OUTAGE_RETRY_MS = 60_000;

/** The wait after a failure, in milliseconds. @param attempts earlier failures */
export function backOff(attempts: number, isOutage: boolean): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts, 16), isOutage ? MAX_OUTAGE_RETRY_MS : MAX_RETRY_MS);
}

export class Outbox {
  readonly #sql: SqlStorage;
  /** When the next row is due; undefined when not known: each request asks for it. */
  #nextDue: number | null | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add<K extends keyof OutboxBodies>(kind: K, body: OutboxBodies[K]): void {
    this.discard();
    // A clock row delivered late would overwrite a newer value, since `devices` has no version for it.
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

  /** Due rows, oldest first. Parked ones come one at a time, and only when no other row is due. */
  due(now: number, limit: number): OutboxRow[] {
    const columns = "SELECT id, kind, body, attempts, parked_at FROM outbox WHERE due_at <= ?";
    const rows = this.#sql.exec<OutboxRow>(`${columns} AND parked_at IS NULL ORDER BY id LIMIT ?`, now, limit).toArray();
    if (rows.length > 0) return rows;
    return this.#sql.exec<OutboxRow>(`${columns} AND parked_at IS NOT NULL ORDER BY id LIMIT 1`, now).toArray();
  }

  /** When the next row is due, epoch milliseconds; null when empty. */
  nextDue(): number | null {
    if (this.#nextDue !== undefined) return this.#nextDue;
    const [row] = this.#sql.exec<{ at: number | null }>("SELECT min(due_at) AS at FROM outbox").toArray();
    this.#nextDue = row?.at ?? null;
    return this.#nextDue;
  }

  /** Forgets what is known of the rows: call after a rollback. */
  discard(): void {
    this.#nextDue = undefined;
  }

  remove(rows: readonly Outgoing[]): void {
    this.discard();
    this.#sql.exec("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(rows.map(({ id }) => id)));
  }

  /** Records a failed attempt. @param isOutage D1 rejected every row, so this row is not at fault  @returns whether the row is parked now */
  fail({ id, attempts, parked_at }: OutboxRow, now: number, isOutage: boolean): boolean {
    const isParked = parked_at === null && !isOutage && attempts + 1 >= MAX_ATTEMPTS;
    this.discard();
    const wait = isParked || parked_at !== null ? PARKED_RETRY_MS : backOff(attempts, isOutage);
    this.#sql.exec(
      "UPDATE outbox SET attempts = attempts + 1, due_at = ?, parked_at = ? WHERE id = ?",
      now + wait,
      isParked ? now : parked_at,
      id,
    );
    return isParked;
  }

  state(): OutboxState {
    const [row] = this.#sql.exec<OutboxState>("SELECT count(*) AS waiting, count(parked_at) AS parked FROM outbox").toArray();
    return row ?? { waiting: 0, parked: 0 };
  }

  /** Makes parked rows due at once. @returns their number */
  retryParked(): number {
    this.discard();
    return this.#sql.exec("UPDATE outbox SET due_at = 0 WHERE parked_at IS NOT NULL RETURNING id").toArray().length;
  }
}
