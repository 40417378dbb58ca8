// How long a webhook has failed, and how it is switched off: after five days without a success, or when its receiver answers 410 Gone.
import { and, eq, isNull, lte, type SQL, sql } from "drizzle-orm";
import type { SystemActor } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { webhooks } from "../../platform/db/schema.ts";
import { derivedUuidv7 } from "../../platform/ids.ts";
import { DAY_MS } from "../../platform/time.ts";
import type { ChannelCall } from "../channel.ts";
import { handOverEvents } from "../delivery/hand-over.ts";
import { notify } from "../notify.ts";
import type { WebhookRow } from "./sealed-webhook.ts";

/** A webhook whose deliveries have all failed for this long is switched off. */
export const MAX_FAILING_MS = 5 * DAY_MS;

/** The actor of deliveries: the service itself. `requestId` is the event's id. */
export const webhookActor = (eventId: string): SystemActor => ({
  kind: "system",
  name: "webhooks",
  via: { requestId: eventId, ip: null },
});

type SwitchCall = Pick<ChannelCall, "env" | "db" | "now">;
type Target = Pick<WebhookRow, "id" | "hospitalId" | "failingSince">;

/** Ends the count of days. */
export async function noteSuccess(db: Db, { id, failingSince }: Target): Promise<void> {
  if (failingSince === null) return;
  await db.update(webhooks).set({ failingSince: null }).where(eq(webhooks.id, id));
}

/** Begins the count of days, or switches the webhook off at its end. */
export async function noteFailure(call: SwitchCall, target: Target, eventId: string): Promise<void> {
  const { db, now } = call;
  const { id, failingSince } = target;
  if (failingSince === null) {
    await db
      .update(webhooks)
      .set({ failingSince: now })
      .where(and(eq(webhooks.id, id), isNull(webhooks.failingSince)));
  } else if (failingSince <= now - MAX_FAILING_MS) {
    // A success of another delivery may have been noted since the row was read.
    await switchOff(call, target, "failures", eventId, lte(webhooks.failingSince, now - MAX_FAILING_MS));
  }
}

/** Switches the webhook off, and tells the administrators of its hospital, and the platform administrator who made it, once. */
export async function switchOff(
  { env, db, now }: SwitchCall,
  { id, hospitalId }: Target,
  reason: "failures" | "gone",
  eventId: string,
  condition?: SQL,
): Promise<void> {
  const actor = webhookActor(eventId);
  const isOffNow = sql`EXISTS (SELECT 1 FROM webhooks w WHERE w.id = ${id} AND w.disabled_at = ${now} AND w.disabled_reason = ${reason})`;
  const entity = { type: "webhook", id };
  await batch(db, [
    db
      .update(webhooks)
      .set({ active: 0, disabledAt: now, disabledReason: reason, updatedAt: now, version: sql`version + 1` })
      .where(and(eq(webhooks.id, id), eq(webhooks.active, 1), condition)),
    ...recordAuditEvent(db, actor, now, {
      ...({ event: "webhook.disable", action: "U", hospitalId, entity, detail: { reason } } as const),
      when: sql`changes() > 0`,
    }),
    ...notify(db, actor, now, {
      kind: "webhook.disabled",
      hospitalId,
      refs: { webhook_id: id, reason },
      recipients: sql`SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId} AND m.role = 'hospital_admin'
        AND m.ended_at IS NULL AND m.suspended_at IS NULL
        UNION SELECT w.created_by FROM webhooks w JOIN users c ON c.id = w.created_by AND c.is_admin = 1 WHERE w.id = ${id}`,
      eventId: derivedUuidv7(now, `${id}.disabled`),
      when: isOffNow,
    }),
  ]);
  // No request does it for this actor.
  await handOverEvents(env, actor);
}
