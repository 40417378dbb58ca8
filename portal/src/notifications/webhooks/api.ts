// API calls for webhooks and their deliveries.
import { hc } from "hono/client";
import type { webhookRoutes } from "../../../../src/notifications/webhooks/routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData, readPage } from "../../platform/api/client.ts";
import { fetchAllPages } from "../../platform/api/fetch-all-pages.ts";

const webhooksApi = hc<typeof webhookRoutes>(API_BASE, CLIENT_OPTIONS).webhooks;
const webhookApi = webhooksApi[":webhook_id"];

/** @param hospitalId for platform administrators */
export const listWebhooks = (hospitalId: string | undefined, cursor: string | null) =>
  readPage(
    webhooksApi.$get({ query: { limit: "50", ...(hospitalId && { hospital_id: hospitalId }), ...(cursor && { cursor }) } }),
  );
/** A hospital has at most 20. */
export const listAllWebhooks = async (hospitalId: string | undefined) =>
  (await fetchAllPages((cursor) => listWebhooks(hospitalId, cursor))).items;
export type Webhook = Awaited<ReturnType<typeof listWebhooks>>["items"][number];

export type NewWebhook = Parameters<typeof webhooksApi.$post>[0]["json"];
export type WebhookEvent = NewWebhook["events"][number];
/** All event types; one that is added to the API does not compile until it is listed here. */
const ALL_EVENTS: Record<WebhookEvent, true> = {
  "report.created": true,
  "document.created": true,
  "alert.raised": true,
  "alert.cleared": true,
  "upload.quarantined": true,
  "appointment.booked": true,
  "appointment.cancelled": true,
  "encounter.finished": true,
  "report.signed": true,
};
export const EVENTS = Object.keys(ALL_EVENTS) as WebhookEvent[];

/** The secret is null when the same request was sent before: it was shown then. */
export const createWebhook = (json: NewWebhook, key: string) =>
  readData(webhooksApi.$post({ header: { "idempotency-key": key }, json }));
export const rotateSecret = (webhook_id: string, key: string) =>
  readData(webhookApi["rotate-secret"].$post({ param: { webhook_id }, header: { "idempotency-key": key } }));
export const testWebhook = (webhook_id: string) => readData(webhookApi.test.$post({ param: { webhook_id }, header: {} }));
export const enableWebhook = (webhook_id: string) => readData(webhookApi.enable.$post({ param: { webhook_id } }));
export const disableWebhook = ({ webhook_id, version }: Webhook) =>
  readData(webhookApi.$patch({ param: { webhook_id }, header: { "if-match": formatEtag(version) }, json: { is_active: false } }));
export const deleteWebhook = (webhook_id: string) => readData(webhookApi.$delete({ param: { webhook_id } }));

export const listDeliveries = (webhook_id: string, cursor: string | null) =>
  readPage(webhookApi.deliveries.$get({ param: { webhook_id }, query: { limit: "20", ...(cursor && { cursor }) } }));
export type WebhookDelivery = Awaited<ReturnType<typeof listDeliveries>>["items"][number];
export const resendDelivery = ({ webhook_id, message_id }: WebhookDelivery) =>
  readData(webhookApi.deliveries[":message_id"].resend.$post({ param: { webhook_id, message_id } }));

/** Pauses before the reads of what became of a test, ms. */
const TEST_PAUSES_MS = [1_000, 2_000, 3_000, 5_000, 8_000] as const;

/** Resolves when the first attempt of a test is over, or after about 20 s. @throws Problem */
export async function untilTried({ webhook_id, message_id }: WebhookDelivery): Promise<void> {
  for (const pause of TEST_PAUSES_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const { items } = await listDeliveries(webhook_id, null);
    const test = items.find((delivery) => delivery.message_id === message_id);
    if (test && test.attempts > 0 && test.status !== "sending") return;
  }
}

/** Statuses after which nothing more is sent. */
const FINAL: readonly WebhookDelivery["status"][] = ["accepted", "failed", "unknown", "cancelled"];
export const isResendable = ({ status }: WebhookDelivery): boolean => FINAL.includes(status);
