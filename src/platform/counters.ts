// Counters that lists and statistics read instead of counting rows; updated in the batch that changes the counted rows.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "./db/client.ts";

export type CounterChange = { scope: string; day: number; name: string; n: number; sum?: number };

export const COUNTER_SCOPES = {
  all: "all",
  hospital: (id: string) => `h:${id}`,
  patient: (id: string) => `p:${id}`,
};

/** Adds to counter rows in one statement, inserting those that do not exist. @param when condition of the whole statement */
export function incrementCounters(db: Db, changes: readonly CounterChange[], when: SQL = sql`1`): Statement {
  const rows = JSON.stringify(changes.map((change) => [change.scope, change.day, change.name, change.n, change.sum ?? 0]));
  return db.run(sql`INSERT INTO counters (scope, day, name, n, sum)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(${rows}) WHERE ${when}
    ON CONFLICT (scope, day, name) DO UPDATE SET n = n + excluded.n, sum = sum + excluded.sum`);
}

/** The all-time value of one counter, as a scalar subquery. */
export function counterValue(scope: string, name: string): SQL<number> {
  return sql<number>`coalesce((SELECT n FROM counters WHERE scope = ${scope} AND day = 0 AND name = ${name}), 0)`;
}
