// Changes whose effect lies outside of D1, in a patient's object or in R2. The batch in D1 records that the change has begun; its event
// of success follows the effect. Without an event after the begin, the outcome is unknown.

import { sql } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { batch, type Statement } from "../platform/db/client.ts";
import { uuidv7 } from "../platform/ids.ts";
import type { Call } from "./actor.ts";
import { type AuditEvent, appendAuditEvent, recordAuditEvent } from "./audit.ts";
import { BEGIN_SUFFIX } from "./storage-charges.ts";

/** `isRecorded`: the event of the begin has a row; it has none beyond the rows of a day (row-allowance.ts) or if `when` was false. */
export type BegunChange = { event: AuditEvent; isRecorded: boolean };

/**
 * Runs the statements and records `<event>_begin` in one batch. The begin counts against the quotas of the event.
 * @param event what `endChange` records after the effect; its `when` decides in SQL whether the change begins
 */
export async function beginChange<const T extends readonly Statement[]>(
  { db, actor, now }: Call,
  event: AuditEvent,
  statements: T,
): Promise<{ results: BatchResponse<T>; begun: BegunChange }> {
  const id = uuidv7();
  const results: readonly unknown[] = await batch(db, [
    ...statements,
    ...recordAuditEvent(db, actor, now, { ...event, id, event: `${event.event}${BEGIN_SUFFIX}` }),
    db.all<{ n: number }>(sql`SELECT count(*) AS n FROM audit_staged WHERE id = ${id}`),
  ]);
  const [row] = results.at(-1) as { n: number }[];
  return { results: results.slice(0, statements.length) as BatchResponse<T>, begun: { event, isRecorded: row?.n === 1 } };
}

/**
 * Records the success of a change after its effect and before the response, if its begin has a row. It counts against no quota.
 * @throws ApiError unavailable when neither the log nor D1 takes the event: the change stands as begun
 */
export async function endChange(call: Call, { event, isRecorded }: BegunChange): Promise<void> {
  if (isRecorded) await appendAuditEvent({ ...call, now: Date.now() }, event);
}
