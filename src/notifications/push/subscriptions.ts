// A person's Web Push subscriptions, one per browser. Endpoint and keys are sealed: whoever has the endpoint may send to it.

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex, sealValue, sha256Hex, unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { pushSubscriptions } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { notify } from "../notify.ts";
import { importSubscriptionKeys } from "./encrypt-payload.ts";
import { isSafePushEndpoint } from "./endpoints.ts";
import { publicVapidKey } from "./vapid.ts";

/** A further browser replaces the one that was renewed longest ago: nobody is kept from hearing alarms on a new phone. */
export const MAX_SUBSCRIPTIONS = 10;

const Sealed = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: z.string(), auth: z.string() }),
  browser: z.string().nullable(),
});
export type Subscription = z.infer<typeof Sealed>;
export type NewSubscription = { endpoint: string; keys: Subscription["keys"]; browser?: string | undefined };
/** How long a name may take to be resolved. */
const RESOLUTION_MS = 4_000;
type SubscriptionRow = typeof pushSubscriptions.$inferSelect;

const sealContext = (id: string) => ({ table: "push_subscriptions", column: "subscription", id });

/** @throws ApiError integrity_error */
export async function unsealSubscription(keys: Keys, id: string, sealed: string): Promise<Subscription> {
  return Sealed.parse(await unsealValue(keys.fields, sealContext(id), sealed));
}

/** The endpoint itself is shown to nobody; a browser finds its own subscription by the digest. */
async function toSubscription(row: Pick<SubscriptionRow, "id" | "createdAt" | "renewedAt">, { endpoint, browser }: Subscription) {
  return {
    subscription_id: row.id,
    service: new URL(endpoint).hostname,
    endpoint_digest: await sha256Hex(endpoint),
    browser,
    created_at: toIso(row.createdAt),
    renewed_at: toIso(row.renewedAt),
  };
}

/** Once per browser. */
const noticeOfNewChannel = ({ db, actor, now }: UserCall, id: string) =>
  notify(db, actor, now, {
    kind: "account.channel_added",
    hospitalId: null,
    refs: { channel: "push" },
    recipients: sql`SELECT user_id FROM push_subscriptions WHERE id = ${id}`,
  });

const selectOwn = ({ db, actor }: UserCall) =>
  db.select().from(pushSubscriptions).where(eq(pushSubscriptions.userId, actor.userId)).limit(MAX_SUBSCRIPTIONS);

/** The caller's browsers, at most MAX_SUBSCRIPTIONS. */
export async function listSubscriptions(anyCall: Call) {
  const { call, results } = await withUser(anyCall, "notification:read", (_, call) => [selectOwn(call)]);
  const items = results[0].map(async (row) =>
    toSubscription(row, await unsealSubscription(call.keys, row.id, row.subscriptionSealed)),
  );
  return { subscriptions: (await Promise.all(items)).sort((a, b) => b.renewed_at.localeCompare(a.renewed_at)) };
}

const fieldError = (path: string, message: string) =>
  new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors: [{ path, message, code: "custom" }] });

/** Whoever knows only the endpoint, from a log perhaps, must not end another person's messages: the browser knows the keys too. */
async function assertSameBrowser(keys: Keys, rows: readonly SubscriptionRow[], { keys: given }: NewSubscription): Promise<void> {
  for (const { id, subscriptionSealed } of rows) {
    const { keys: stored } = await unsealSubscription(keys, id, subscriptionSealed);
    if (stored.p256dh !== given.p256dh || stored.auth !== given.auth)
      throw fieldError("keys", "Must be the keys with which the endpoint is registered");
  }
}

/**
 * Registers the caller's browser, or renews it. An endpoint that another person had registered is the caller's from now on: one
 * browser shows messages of one person.
 * @throws ApiError push_off, invalid_request (an endpoint that is no public push service, keys of other lengths, or not those of it)
 */
export async function registerSubscription(env: Env, anyCall: Call, input: NewSubscription) {
  if (publicVapidKey(anyCall.keys) === null) throw new ApiError("push_off");
  const isSafe = await isSafePushEndpoint(env, input.endpoint, AbortSignal.timeout(RESOLUTION_MS)).catch(() => false);
  if (!isSafe) throw fieldError("endpoint", "Must be the https address of a push service with public addresses");
  if (!(await importSubscriptionKeys(input.keys))) throw fieldError("keys", "Must be the keys of a push subscription (RFC 8291)");
  const endpointIndex = await computeBlindIndex(anyCall.keys.index, "push_endpoint", input.endpoint);
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, { db }) => [
    db.select().from(pushSubscriptions).where(eq(pushSubscriptions.endpointIndex, endpointIndex)),
  ]);
  const { db, keys, actor, now } = call;
  const known = results[0].find(({ userId }) => userId === actor.userId);
  await assertSameBrowser(keys, results[0], input);
  const subscription = { endpoint: input.endpoint, keys: input.keys, browser: input.browser ?? null };
  // A row of another person gets another id, so that deliveries to that person's subscription do not follow the endpoint.
  const row = { id: known?.id ?? uuidv7(), createdAt: known?.createdAt ?? now, renewedAt: now };
  const subscriptionSealed = await sealValue(keys.fields, sealContext(row.id), subscription);
  const { role, hospitalId } = effectiveRole;
  await batch(db, [
    db.delete(pushSubscriptions).where(sql`endpoint_index = ${endpointIndex} AND id <> ${row.id}`),
    db
      .insert(pushSubscriptions)
      .values({ ...row, userId: actor.userId, endpointIndex, subscriptionSealed })
      .onConflictDoUpdate({ target: pushSubscriptions.id, set: { subscriptionSealed, renewedAt: now } }),
    db.run(sql`DELETE FROM push_subscriptions WHERE user_id = ${actor.userId} AND id NOT IN (SELECT id FROM push_subscriptions
      WHERE user_id = ${actor.userId} ORDER BY id = ${row.id} DESC, renewed_at DESC, id DESC LIMIT ${MAX_SUBSCRIPTIONS})`),
    ...recordAuditEvent(db, actor, now, {
      event: "push_subscription.create",
      action: "C",
      role,
      hospitalId,
      entity: { type: "push_subscription", id: row.id },
    }),
    ...(known ? [] : noticeOfNewChannel(call, row.id)),
  ]);
  return toSubscription(row, subscription);
}

/** @throws ApiError not_found (also for another person's) */
export async function deleteSubscription(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, { db, actor }) => [
    db
      .select({ id: pushSubscriptions.id })
      .from(pushSubscriptions)
      .where(sql`${pushSubscriptions.id} = ${id} AND ${pushSubscriptions.userId} = ${actor.userId}`),
  ]);
  if (results[0].length === 0) return denyNotFound(call, "self:write", effectiveRole, { push_subscription: id });
  const { db, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  await batch(db, [
    db.delete(pushSubscriptions).where(sql`${pushSubscriptions.id} = ${id} AND ${pushSubscriptions.userId} = ${actor.userId}`),
    ...recordAuditEvent(db, actor, now, {
      event: "push_subscription.delete",
      action: "D",
      role,
      hospitalId,
      entity: { type: "push_subscription", id },
      when: sql`changes() > 0`,
    }),
  ]);
  return { subscription_id: id };
}
