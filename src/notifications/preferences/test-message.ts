// A message by which a person tries one channel.

import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { firstIdAt, uuidv7 } from "../../platform/ids.ts";
import { DAY_MS } from "../../platform/time.ts";
import type { PersonChannel } from "../kinds.ts";
import { noteEvent } from "../notify.ts";
import { MAX_SUBSCRIPTIONS } from "../push/subscriptions.ts";
import { REACHABLE_BY } from "./preferences.ts";

/** Per person, channel and 24 hours: a text message costs money. */
export const MAX_TESTS_PER_DAY = 20;

/** The targets of a channel for a person. */
const selectTargets = (channel: PersonChannel, userId: string): SQL =>
  channel === "push"
    ? sql`SELECT id FROM push_subscriptions WHERE user_id = ${userId} LIMIT ${MAX_SUBSCRIPTIONS}`
    : sql`SELECT id FROM users WHERE id = ${userId}`;

/** Tests of the last 24 hours: the id of a delivery begins with the time of its event. */
function countTests(channel: PersonChannel, userId: string, now: number): SQL {
  return sql`(SELECT count(DISTINCT substr(d.id, 1, 36)) FROM deliveries d WHERE d.target_id IN (${selectTargets(channel, userId)})
    AND d.id >= ${firstIdAt(now - DAY_MS)} AND d.channel = ${channel} AND d.kind = 'notification.test')`;
}

/**
 * Sends a test over this channel alone, whatever the choices are; it does not appear in the list of notifications.
 * @throws ApiError conflict (no verified address or number, or no browser), limit_reached
 */
export async function sendTestMessage(anyCall: Call, channel: PersonChannel) {
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, { db, actor, now }) => [
    db.all<{ reachable: number; tests: number }>(
      sql`SELECT ${REACHABLE_BY[channel]} AS reachable, ${countTests(channel, actor.userId, now)} AS tests FROM users u WHERE u.id = ${actor.userId}`,
    ),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const event = {
    event: "notification.test",
    action: "E",
    role,
    hospitalId,
    entity: { type: "user", id: actor.userId },
  } as const;
  const [state] = results[0];
  if (!state?.reachable) return failWithAudit(call, "conflict", event, "This channel does not reach you yet.");
  if (state.tests >= MAX_TESTS_PER_DAY)
    return failWithAudit(call, "limit_reached", event, `At most ${MAX_TESTS_PER_DAY} test messages per channel and 24 hours.`);
  const eventId = uuidv7();
  noteEvent(actor, eventId, "security");
  const [written] = await batch(db, [
    db.all<{ id: string }>(sql`INSERT INTO deliveries
      (id, user_id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
      SELECT ${`${eventId}.${channel}.`} || t.id, ${actor.userId}, NULL, ${channel}, t.id, 'notification.test', 'security', '{}',
        CAST(${now} AS INTEGER), CAST(${now} AS INTEGER)
      FROM (${selectTargets(channel, actor.userId)}) t WHERE ${countTests(channel, actor.userId, now)} < ${MAX_TESTS_PER_DAY} RETURNING id`),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { channel }, when: sql`changes() > 0` }),
  ]);
  if (written.length === 0) throw new ApiError("conflict");
  return { event_id: eventId, channel, deliveries: written.length };
}
