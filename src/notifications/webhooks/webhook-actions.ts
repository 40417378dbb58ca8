// Operations on a webhook: a new signing secret, a test event, and switching it on again.
import { and, eq, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { deliveries, webhooks } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { publishTestEvent, webhookDeliveryId } from "./publish.ts";
import { createSecret, replaceSecret, sealSecrets, unsealSecrets } from "./sealed-webhook.ts";
import { toDelivery } from "./webhook-deliveries.ts";
import {
  requireWebhook,
  requireWebhookOfData,
  toActiveColumns,
  toWebhook,
  type WebhookWithSecret,
  webhookEvent,
} from "./webhooks.ts";

const SWITCHED_OFF = "The webhook is switched off; switch it on first.";

/**
 * Replaces the signing secret. For 24 hours deliveries have a signature of each; a secret that was replaced before ends at once.
 * @throws ApiError not_found, conflict (changed at the same time)
 */
export async function rotateSecret(anyCall: Call, id: string, keyStatements: KeyStatements): Promise<WebhookWithSecret> {
  const { call, effectiveRole, row } = await requireWebhookOfData(anyCall, id);
  const { db, keys, actor, now } = call;
  const secret = createSecret();
  const secrets = replaceSecret(await unsealSecrets(keys, row), secret, now);
  const secretsSealed = await sealSecrets(keys, id, secrets);
  const event = webhookEvent(effectiveRole, row, "webhook.rotate", "U");
  // NULL fails the batch when another change came first, so that no secret is shown that does not sign.
  const unchanged = sql`CASE WHEN version = ${row.version} THEN ${secretsSealed} END`;
  try {
    await batch(db, [
      ...keyStatements(id),
      db
        .update(webhooks)
        .set({ secretsSealed: unchanged, updatedAt: now, version: row.version + 1 })
        .where(eq(webhooks.id, id)),
      ...recordAuditEvent(db, actor, now, event),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "webhooks.secrets_sealed")) return failWithAudit(call, "conflict", event);
    throw error;
  }
  return { ...(await toWebhook(call, { ...row, secretsSealed, updatedAt: now, version: row.version + 1 })), secret };
}

/** Writes an event of type `webhook.test` for this webhook alone. @throws ApiError not_found, conflict (switched off) */
export async function testWebhook(anyCall: Call, id: string, keyStatements: KeyStatements) {
  const { call, effectiveRole, row } = await requireWebhook(anyCall, id, "webhook:manage");
  if (row.active !== 1) throw new ApiError("conflict", SWITCHED_OFF);
  const { db, actor, now } = call;
  const { eventId, statement } = publishTestEvent(db, actor, now, id);
  const event = webhookEvent(effectiveRole, row, "webhook.test", "C");
  const [, written] = await batch(db, [
    statement,
    db
      .select()
      .from(deliveries)
      .where(eq(deliveries.id, webhookDeliveryId(eventId, id))),
    ...recordAuditEvent(db, actor, now, {
      ...event,
      when: sql`EXISTS (SELECT 1 FROM deliveries WHERE id = ${webhookDeliveryId(eventId, id)})`,
    }),
    ...keyStatements(eventId),
  ]);
  const [delivery] = written;
  if (!delivery) throw new ApiError("conflict", SWITCHED_OFF);
  return toDelivery(call, delivery);
}

/** Switches a webhook on again; the count of days of failures begins anew. @throws ApiError not_found */
export async function enableWebhook(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireWebhookOfData(anyCall, id);
  const { db, actor, now } = call;
  const [[after]] = await batch(db, [
    db
      .update(webhooks)
      .set({ ...toActiveColumns(true, now), updatedAt: now, version: sql`version + 1` })
      .where(and(eq(webhooks.id, id), eq(webhooks.active, 0)))
      .returning(),
    ...recordAuditEvent(db, actor, now, {
      ...webhookEvent(effectiveRole, row, "webhook.enable", "U"),
      when: sql`changes() > 0`,
    }),
  ]);
  return toWebhook(call, after ?? row);
}
