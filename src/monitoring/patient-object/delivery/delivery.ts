// Delivery of a patient's outbox to D1: due rows, retries and the count of parked rows.
import { sql } from "drizzle-orm";
import { handOverInBackground } from "../../../audit-log/hand-over.ts";
import { newAlarmActor } from "../../../notifications/alarms.ts";
import { handOverEvents } from "../../../notifications/delivery/hand-over.ts";
import { getDb } from "../../../platform/db/client.ts";
import { withDeadline } from "../../../platform/deadline.ts";
import type { ErrorReport } from "../../../platform/object-log.ts";
import type { Store } from "../samples/store.ts";
import { deliverToD1 } from "./d1-delivery.ts";
import { drainOutbox } from "./drain.ts";
import type { OutboxState } from "./outbox.ts";

/** Scope of the rows in `counters` with the number of parked rows per patient's object, for the metrics. */
export const PARKED_SCOPE = "parked";

/** A hanging database must not block the object's alarm, on which silence and escalation depend. */
const DEADLINE_MS = 10_000;

type Host = {
  env: Env;
  id: DurableObjectId;
  store: Store;
  change: (work: () => void) => void;
  report: ErrorReport;
};

export class Delivery {
  readonly #host: Host;
  /** In memory only: after an eviction the first attempt is immediate. */
  #pausedUntil = 0;
  #outages = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Delivers due rows. Failures are logged and retried; they never reach the caller. */
  async run(): Promise<void> {
    const { env, store, change, report } = this.#host;
    const facts = store.facts();
    if (!facts || Date.now() < this.#pausedUntil) return;
    let hasStagedEvents = false;
    const actor = newAlarmActor(facts.patient);
    const { pauseUntil, triedParked } = await drainOutbox(
      {
        outbox: store.outbox,
        now: Date.now,
        deliver: async (rows) => {
          await withDeadline(deliverToD1(env, getDb(env.DB), facts, rows, Date.now(), actor), DEADLINE_MS, "D1");
          hasStagedEvents ||= rows.some(({ kind }) => kind === "received");
        },
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
    if (triedParked) await this.#countParked();
    // Alarms of the next samples do not wait for these.
    void handOverEvents(env, actor);
    if (hasStagedEvents) void handOverInBackground(env);
  }

  state(): OutboxState {
    const { store } = this.#host;
    return store.hasTables ? store.outbox.state() : { waiting: 0, parked: 0 };
  }

  /** Epoch milliseconds; null when the outbox is empty. */
  nextDue(): number | null {
    const { store } = this.#host;
    const due = store.hasTables ? store.outbox.nextDue() : null;
    return due === null ? null : Math.max(due, this.#pausedUntil);
  }

  /** The metrics sum these rows. */
  async #countParked(): Promise<void> {
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
        DEADLINE_MS,
        "D1",
      );
    } catch (error) {
      // The metric is stale until the next attempt; the rows themselves are safe.
      report("deliver", error, { reason: "parked rows not counted" });
    }
  }
}
