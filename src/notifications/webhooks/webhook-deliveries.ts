// The delivery log of a webhook, and sending a delivery again.
import { and, desc, eq, inArray, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { buildOpenEndedPagination, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { deliveries, webhooks } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { answerContext } from "../delivery/ledger.ts";
import { noteEvent } from "../notify.ts";
import { webhookDeliveryId } from "./publish.ts";
import { requireWebhook, webhookEvent } from "./webhooks.ts";

type DeliveryRow = typeof deliveries.$inferSelect;

/** Statuses after which nothing more is sent. */
const FINAL_STATUSES = ["accepted", "failed", "unknown", "cancelled"] as const;

async function readAnswerText({ keys }: Pick<Call, "keys">, { id, answerSealed }: DeliveryRow): Promise<string | null> {
  if (answerSealed === null) return null;
  return readSealed(keys.fields, answerContext(id), answerSealed, z.string());
}

export async function toDelivery(call: Pick<Call, "keys">, row: DeliveryRow) {
  return {
    // Unique within the webhook: the id of the event.
    message_id: row.id.slice(0, row.id.indexOf(".")),
    webhook_id: row.targetId,
    type: row.kind,
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: toIsoOrNull(row.nextAttemptAt),
    attempted_at: toIsoOrNull(row.attemptedAt),
    settled_at: toIsoOrNull(row.settledAt),
    answer_status: row.answerStatus,
    answer_text: await readAnswerText(call, row),
    created_at: toIso(row.createdAt),
  };
}

/** Lists the deliveries of a webhook, newest first; not counted. @throws ApiError not_found */
export async function listWebhookDeliveries(anyCall: Call, id: string, query: PageQuery) {
  const start = await resolvePageStart(anyCall, `webhook-deliveries ${id}`, query);
  // Ids begin with the time of the event.
  const after = start.after ? lt(deliveries.id, start.after.id) : undefined;
  const { call, effectiveRole, results } = await withUser(anyCall, "webhook:read", (effectiveRole, { db }) => [
    db
      .select()
      .from(webhooks)
      .where(and(eq(webhooks.id, id), isInCallerHospital(effectiveRole, webhooks.hospitalId))),
    db
      .select()
      .from(deliveries)
      .where(and(eq(deliveries.targetId, id), isInCallerHospital(effectiveRole, sql`+${deliveries.hospitalId}`), after))
      .orderBy(desc(deliveries.id))
      .limit(start.limit + 1)
      .offset(start.skip),
  ]);
  const [[webhook], rows] = results;
  const { role, hospitalId } = effectiveRole;
  if (!webhook) return denyAccess(call, "webhook:read", "not_found", { role, hospitalId, target: { webhook: id } });
  const page = rows.slice(0, start.limit);
  const last = rows.length > start.limit ? page.at(-1) : undefined;
  const detail = { count: page.length };
  await appendAuditEvent(call, {
    ...({ event: "webhook.deliveries", action: "R", role, hospitalId: webhook.hospitalId, detail } as const),
    entity: { type: "webhook", id },
  });
  return {
    items: await Promise.all(page.map((row) => toDelivery(call, row))),
    pagination: await buildOpenEndedPagination(start, page.length, last ? { value: last.createdAt, id: last.id } : null),
  };
}

/** @throws ApiError not_found */
export async function getWebhookDelivery(anyCall: Call, id: string, deliveryId: string) {
  const { call, effectiveRole, row } = await requireWebhook(anyCall, id, "webhook:read");
  const [delivery] = await call.db
    .select()
    .from(deliveries)
    .where(eq(deliveries.id, webhookDeliveryId(deliveryId, id)));
  await appendAuditEvent(call, { ...webhookEvent(effectiveRole, row, "webhook.deliveries", "R"), detail: { count: 1 } });
  if (!delivery) throw new ApiError("not_found");
  return toDelivery(call, delivery);
}

/** @throws ApiError not_found (audited), step_up_required (the body has clinical data) */
async function requireResendable(anyCall: Call, id: string, deliveryId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "webhook:manage", (effectiveRole, { db }) => [
    db
      .select()
      .from(webhooks)
      .where(and(eq(webhooks.id, id), isInCallerHospital(effectiveRole, webhooks.hospitalId))),
    db
      .select({ bodyHasDetails: deliveries.bodyHasDetails })
      .from(deliveries)
      .where(eq(deliveries.id, webhookDeliveryId(deliveryId, id))),
  ]);
  const [[row], [stored]] = results;
  const { role, hospitalId } = effectiveRole;
  if (!row || !stored) return denyAccess(call, "webhook:manage", "not_found", { role, hospitalId, target: { webhook: id } });
  if (stored.bodyHasDetails === 1) await requireRole(anyCall, "webhook:include_data");
  return { call, effectiveRole, row, bodyHasDetails: stored.bodyHasDetails };
}

/**
 * Sends a delivery again at once, with the same body and message id. A body with clinical data needs a recent sign-in.
 * @throws ApiError not_found, step_up_required, conflict (still to be sent, or the webhook is switched off)
 */
export async function resendDelivery(anyCall: Call, id: string, deliveryId: string) {
  const { call, effectiveRole, row, bodyHasDetails } = await requireResendable(anyCall, id, deliveryId);
  const { db, actor, now } = call;
  const isSendable = and(
    eq(deliveries.id, webhookDeliveryId(deliveryId, id)),
    eq(deliveries.bodyHasDetails, bodyHasDetails),
    inArray(deliveries.status, FINAL_STATUSES),
    sql`EXISTS (SELECT 1 FROM webhooks WHERE id = ${id} AND active = 1)`,
  );
  const event = { ...webhookEvent(effectiveRole, row, "webhook.resend", "U"), detail: { message_id: deliveryId } };
  noteEvent(actor, deliveryId, "normal");
  const [[waiting]] = await batch(db, [
    db
      .update(deliveries)
      .set({ status: "waiting", nextAttemptAt: now, leasedUntil: null, settledAt: null })
      .where(isSendable)
      .returning(),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (!waiting) throw new ApiError("conflict", "The delivery is still to be sent, or the webhook is switched off.");
  return toDelivery(call, waiting);
}
