// Delivery of a patient's outbox to D1: what is due, what failed, and how many rows are parked.
import { sql } from "drizzle-orm";
import { getDb } from "../../../platform/db/client.ts";
import type { ErrorReport } from "../../../platform/object-log.ts";
import type { Store } from "../samples/store.ts";
import { deliverToD1, withDeadline } from "./d1-delivery.ts";
import { drainOutbox } from "./drain.ts";
import type { OutboxState } from "./outbox.ts";

/** Rows of `counters` with how many deliveries a patient's object has parked, for the metrics. */
export const PARKED_SCOPE = "parked";

type Host = {
  env: Env;
  id: DurableObjectId;
  store: Store;
  change: (work: () => void) => void;
  report: ErrorReport;
};

export class Delivery {
  readonly #host: Host;
  /** In memory: after an eviction the first try is at once. */
  #pausedUntil = 0;
  #outages = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Tells D1 what is due. A failure is logged and tried again; it never reaches the caller. */
  async run(): Promise<void> {
    const { env, store, change, report } = this.#host;
    const facts = store.facts();
    if (!facts || Date.now() < this.#pausedUntil) return;
    const { pauseUntil, triedParked } = await drainOutbox(
      {
        outbox: store.outbox,
        now: Date.now,
        deliver: (rows) => withDeadline(deliverToD1(env, getDb(env.DB), facts, rows, Date.now())),
        change,
        report: ({ row, error, parked, isOutage }) =>
          report("deliver", error, {
            code: row.kind,
            count: row.attempts + 1,
            reason: isOutage ? "no answer" : parked || row.parked_at !== null ? "parked" : "will retry",
          }),
      },
      this.#outages,
    );
    this.#outages = pauseUntil === null ? 0 : this.#outages + 1;
    this.#pausedUntil = pauseUntil ?? 0;
    if (triedParked) await this.#tellParked();
  }

  state(): OutboxState {
    const { store } = this.#host;
    return store.hasTables ? store.outbox.state() : { waiting: 0, parked: 0 };
  }

  /** Epoch milliseconds; null when nothing waits. */
  nextDue(): number | null {
    const { store } = this.#host;
    const due = store.hasTables ? store.outbox.nextDue() : null;
    return due === null ? null : Math.max(due, this.#pausedUntil);
  }

  /** The metrics add these rows up. */
  async #tellParked(): Promise<void> {
    const { env, id, report } = this.#host;
    const { parked } = this.state();
    const db = getDb(env.DB);
    try {
      await withDeadline(
        Promise.resolve(
          parked === 0
            ? db.run(sql`DELETE FROM counters WHERE scope = ${PARKED_SCOPE} AND day = 0 AND name = ${id.name ?? ""}`)
            : db.run(sql`INSERT INTO counters (scope, day, name, n, sum) VALUES (${PARKED_SCOPE}, 0, ${id.name ?? ""}, ${parked}, 0)
                ON CONFLICT (scope, day, name) DO UPDATE SET n = excluded.n`),
        ),
      );
    } catch (error) {
      // The gauge is old until the next try; the rows themselves are safe.
      report("deliver", error, { reason: "parked rows not counted" });
    }
  }
}
