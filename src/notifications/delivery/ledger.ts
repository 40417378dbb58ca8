// Writes the beginning and the end of attempts. What comes while a round trip is under way is written together by the next one.
import { sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import type { Leased } from "./lease.ts";
import type { Settlement } from "./settle.ts";

/** Characters of a provider's answer that are kept. */
export const MAX_ANSWER_LENGTH = 1_024;
/** Where the answer of a delivery is sealed. */
export const answerContext = (id: string) => ({ table: "deliveries", column: "answer", id });

type Key = Pick<Leased, "id" | "leasedUntil">;
type Begin = { key: Key; resolve: (isOurs: boolean) => void; reject: (error: unknown) => void };
type End = { key: Key; settlement: Settlement; sealed: string | null; resolve: () => void; reject: (error: unknown) => void };

export class Ledger {
  readonly #db: Db;
  readonly #keys: Keys;
  readonly #clock: () => number;
  readonly #gapMs: number;
  #begins: Begin[] = [];
  #ends: End[] = [];
  #isWriting = false;

  /** @param gapMs pause between round trips, which bounds their number */
  constructor(db: Db, keys: Keys, clock: () => number, gapMs: number) {
    this.#db = db;
    this.#keys = keys;
    this.#clock = clock;
    this.#gapMs = gapMs;
  }

  /** Marks the delivery as being sent. @returns false when its lease has passed to another consumer  @throws what D1 throws */
  begin(key: Key): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#begins.push({ key, resolve, reject });
      void this.#write();
    });
  }

  /** Stores the outcome, unless the lease has passed to another consumer. @throws what D1 throws */
  async settle(key: Key, settlement: Settlement): Promise<void> {
    const text = settlement.answer?.text?.slice(0, MAX_ANSWER_LENGTH);
    const sealed = text ? await sealValue(this.#keys.fields, answerContext(key.id), text) : null;
    await new Promise<void>((resolve, reject) => {
      this.#ends.push({ key, settlement, sealed, resolve, reject });
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#begins.length + this.#ends.length > 0) {
      // Others join the round trip.
      await (this.#gapMs > 0 ? scheduler.wait(this.#gapMs) : Promise.resolve());
      const [begins, ends] = [this.#begins, this.#ends];
      this.#begins = [];
      this.#ends = [];
      await this.#writeBoth(begins, ends);
    }
    this.#isWriting = false;
  }

  async #writeBoth(begins: readonly Begin[], ends: readonly End[]): Promise<void> {
    const now = this.#clock();
    try {
      const [begun] = await batch(this.#db, [
        markSending(
          this.#db,
          begins.map(({ key }) => key),
          now,
        ),
        ...(ends.length > 0 ? [storeOutcomes(this.#db, ends, now)] : []),
      ]);
      const ours = new Set(begun.map(({ id }) => id));
      for (const { key, resolve } of begins) resolve(ours.has(key.id));
      for (const { resolve } of ends) resolve();
    } catch (error) {
      for (const { reject } of [...begins, ...ends]) reject(error);
    }
  }
}

function markSending(db: Db, keys: readonly Key[], now: number) {
  const rows = JSON.stringify(keys.map(({ id, leasedUntil }) => [id, leasedUntil]));
  return db.all<{ id: string }>(sql`UPDATE deliveries SET status = 'sending', attempts = attempts + 1,
      attempted_at = CAST(${now} AS INTEGER)
    FROM (SELECT value->>0 AS id, value->>1 AS lease FROM json_each(${rows})) j
    WHERE deliveries.id = j.id AND leased_until = j.lease AND status = 'waiting' RETURNING deliveries.id AS id`);
}

function storeOutcomes(db: Db, ends: readonly End[], now: number) {
  const rows = ends.map(({ key, settlement: { status, nextAttemptAt, wasTried, answer }, sealed }) => [
    key.id,
    key.leasedUntil,
    status,
    nextAttemptAt,
    wasTried ? 1 : 0,
    answer?.status ?? null,
    sealed,
  ]);
  return db.run(sql`UPDATE deliveries SET status = j.status, next_attempt_at = j.next_attempt_at, leased_until = NULL,
      attempts = attempts - (deliveries.status = 'sending' AND j.was_tried = 0),
      answer_status = iif(j.was_tried = 1, j.answer_status, deliveries.answer_status),
      answer_sealed = iif(j.was_tried = 1, j.answer_sealed, deliveries.answer_sealed),
      settled_at = iif(j.next_attempt_at IS NULL, CAST(${now} AS INTEGER), NULL)
    FROM (SELECT value->>0 AS id, value->>1 AS lease, value->>2 AS status, value->>3 AS next_attempt_at, value->>4 AS was_tried,
      value->>5 AS answer_status, value->>6 AS answer_sealed FROM json_each(${JSON.stringify(rows)})) j
    WHERE deliveries.id = j.id AND deliveries.leased_until = j.lease`);
}
