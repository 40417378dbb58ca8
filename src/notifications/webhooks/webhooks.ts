// Webhooks of a hospital: where its systems receive events, which event types, and the secrets that sign them.
import { and, eq, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { activeHospitalId, isInCallerHospital, resolveHospitalId } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch, type Db, isConditionFailed } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { deliveries, SELF_CARE_HOSPITAL_ID, webhooks } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import type { WebhookEvent } from "../kinds.ts";
import type { CheckUrl } from "./check-url.ts";
import {
  createSecret,
  sealDescription,
  sealSecrets,
  sealUrl,
  unsealDescription,
  unsealSecrets,
  unsealUrl,
  type WebhookRow,
} from "./sealed-webhook.ts";

export type NewWebhook = {
  url: string;
  description: string | null;
  events: WebhookEvent[];
  include_data: boolean;
  hospital_id?: string | undefined;
};
export type WebhookChange = {
  url?: string | undefined;
  description?: string | null | undefined;
  events?: WebhookEvent[] | undefined;
  include_data?: boolean | undefined;
  is_active?: boolean | undefined;
};

export async function toWebhook({ keys, now }: Pick<Call, "keys" | "now">, row: WebhookRow) {
  const [url, description, secrets] = await Promise.all([
    unsealUrl(keys, row),
    unsealDescription(keys, row),
    unsealSecrets(keys, row),
  ]);
  return {
    webhook_id: row.id,
    hospital_id: row.hospitalId,
    url,
    description,
    events: row.events.split(" "),
    include_data: row.includeData === 1,
    is_active: row.active === 1,
    failing_since: toIsoOrNull(row.failingSince),
    disabled_at: toIsoOrNull(row.disabledAt),
    disabled_reason: row.disabledReason,
    former_secret_ends_at: toIsoOrNull(secrets.find(({ endsAt }) => endsAt !== null && endsAt > now)?.endsAt ?? null),
    created_by: row.createdBy,
    created_at: toIso(row.createdAt),
    updated_at: toIso(row.updatedAt),
    version: row.version,
  };
}

/** The secret is null on a replay: it was shown once. */
export type WebhookWithSecret = Awaited<ReturnType<typeof toWebhook>> & { secret: string | null };

export function webhookEvent(
  { role }: UserEffectiveRole,
  { id, hospitalId }: Pick<WebhookRow, "id" | "hospitalId">,
  event: string,
  action: AuditAction,
): AuditEvent {
  return { event, action, role, hospitalId, entity: { type: "webhook", id } };
}

/** In a stable order, each once. */
const joinEvents = (events: readonly WebhookEvent[]) => [...new Set(events)].sort().join(" ");

/**
 * @param checkUrl fails for an address that requests must not go to
 * @throws ApiError forbidden, not_found (another hospital), invalid_request, limit_reached
 */
export async function createWebhook(
  anyCall: Call,
  input: NewWebhook,
  checkUrl: CheckUrl,
  keyStatements: KeyStatements,
): Promise<WebhookWithSecret> {
  const permission = input.include_data ? "webhook:include_data" : "webhook:manage";
  const { call, effectiveRole } = await requireRole(anyCall, permission);
  const { db, keys, actor, now } = call;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  if (!hospitalId) throw new ApiError("invalid_request", "hospital_id is required.");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    const target = { hospital: input.hospital_id ?? hospitalId };
    return denyAccess(call, permission, "not_found", { role: effectiveRole.role, hospitalId, target });
  }
  const url = await checkUrl(input.url);
  const id = uuidv7();
  const secret = createSecret();
  const row: WebhookRow = {
    ...{ id, hospitalId, events: joinEvents(input.events), includeData: Number(input.include_data), active: 1 },
    ...{ failingSince: null, disabledAt: null, disabledReason: null },
    ...{ createdBy: actor.userId, createdAt: now, updatedAt: now, version: 1 },
    urlSealed: await sealUrl(keys, id, url),
    descriptionSealed: await sealDescription(keys, id, input.description),
    secretsSealed: await sealSecrets(keys, id, [{ secret, createdAt: now, endsAt: null }]),
  };
  const createdBy = unlessFull(row.createdBy, ROW_LIMITS.webhooks, sql`webhooks WHERE hospital_id = ${hospitalId}`);
  const detail = { events: row.events, include_data: input.include_data };
  await batch(db, [
    ...keyStatements(id),
    db.insert(webhooks).values({ ...row, hospitalId: activeHospitalId(hospitalId), createdBy }),
    ...recordAuditEvent(db, actor, now, { ...webhookEvent(effectiveRole, row, "webhook.create", "C"), detail }),
  ]).catch((error: unknown) => {
    throw isConditionFailed(error, "webhooks.hospital_id") ? new ApiError("not_found") : toLimitError(error, ROW_LIMITS.webhooks);
  });
  return { ...(await toWebhook(call, row)), secret };
}

/** Loads a webhook of a hospital that the caller manages. @throws ApiError not_found (audited) */
export async function requireWebhook(anyCall: Call, id: string, permission: Permission) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db
      .select()
      .from(webhooks)
      .where(and(eq(webhooks.id, id), isInCallerHospital(effectiveRole, webhooks.hospitalId))),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = effectiveRole;
  if (!row) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { webhook: id } });
  return { call, effectiveRole, row };
}

/** @throws ApiError not_found */
export async function getWebhook(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireWebhook(anyCall, id, "webhook:read");
  await appendAuditEvent(call, webhookEvent(effectiveRole, row, "webhook.read", "R"));
  return toWebhook(call, row);
}

/** Lists the webhooks of the caller's hospital, or of all hospitals for administrators, newest first. */
export async function listWebhooks(anyCall: Call, query: PageQuery & { hospital_id?: string | undefined }) {
  const start = await resolvePageStart(anyCall, "webhooks", query);
  const { where, orderBy } = keysetClauses(start, webhooks.createdAt, webhooks.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "webhook:read", (effectiveRole, { db }) => {
    const filter = and(
      isInCallerHospital(effectiveRole, webhooks.hospitalId),
      query.hospital_id ? eq(webhooks.hospitalId, query.hospital_id) : undefined,
    );
    const page = db.select().from(webhooks).where(and(filter, where));
    return [
      page
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM webhooks WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { role, hospitalId } = effectiveRole;
  if (role !== "admin" && query.hospital_id && query.hospital_id !== hospitalId) {
    return denyAccess(call, "webhook:read", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [rows, [counted]] = results;
  const key = (row: WebhookRow) => ({ value: row.createdAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: false });
  await appendAuditEvent(call, { event: "webhook.list", action: "R", role, hospitalId, detail: { count: pageRows.length } });
  return { items: await Promise.all(pageRows.map((row) => toWebhook(call, row))), pagination };
}

/** Columns of a webhook that sends, or does not. */
export const toActiveColumns = (isActive: boolean, now: number) =>
  isActive
    ? ({ active: 1, failingSince: null, disabledAt: null, disabledReason: null } as const)
    : ({ active: 0, disabledAt: now, disabledReason: "person" } as const);

/** More clinical data leave, or go to a new place: switched on, or address or event types change. */
async function releasesData(db: Db, row: WebhookRow, { url, events, is_active, include_data }: WebhookChange): Promise<boolean> {
  if (include_data === true) return true;
  // With `include_data: false` too: bodies that have clinical data are still stored.
  if (url !== undefined) return row.includeData === 1 || (await hasStoredDetails(db, row.id));
  return row.includeData === 1 && include_data === undefined && (events !== undefined || is_active === true);
}

async function hasStoredDetails(db: Db, id: string): Promise<boolean> {
  const isWithDetails = and(eq(deliveries.targetId, id), sql`body_has_details = 1`);
  const found = await db.select({ id: deliveries.id }).from(deliveries).where(isWithDetails).limit(1);
  return found.length > 0;
}

/** Loads a webhook for an operation that needs a recent sign-in if it sends clinical data. @throws ApiError not_found, step_up_required */
export async function requireWebhookOfData(anyCall: Call, id: string) {
  const required = await requireWebhook(anyCall, id, "webhook:manage");
  if (required.row.includeData === 1) await requireRole(anyCall, "webhook:include_data");
  return required;
}

async function toChangedColumns(call: UserCall, row: WebhookRow, change: WebhookChange, checkUrl: CheckUrl) {
  const { keys, now } = call;
  const { url, description, events, include_data: includeData, is_active: isActive } = change;
  return {
    ...(url !== undefined && { urlSealed: await sealUrl(keys, row.id, await checkUrl(url)) }),
    ...(description !== undefined && { descriptionSealed: await sealDescription(keys, row.id, description) }),
    ...(events && { events: joinEvents(events) }),
    ...(includeData !== undefined && { includeData: Number(includeData) }),
    ...(isActive !== undefined && isActive !== (row.active === 1) && toActiveColumns(isActive, now)),
  };
}

/**
 * @param expected the versions that the caller has read
 * @throws ApiError not_found, step_up_required, invalid_request, precondition_failed
 */
export async function updateWebhook(
  anyCall: Call,
  id: string,
  expected: ExpectedVersion,
  change: WebhookChange,
  checkUrl: CheckUrl,
) {
  const { call, effectiveRole, row } = await requireWebhook(anyCall, id, "webhook:manage");
  if (await releasesData(call.db, row, change)) await requireRole(anyCall, "webhook:include_data");
  const { db, actor, now } = call;
  const detail = { fields: Object.keys(change), ...(change.include_data !== undefined && { include_data: change.include_data }) };
  const event = { ...webhookEvent(effectiveRole, row, "webhook.update", "U"), detail };
  const version = matchVersion(expected, row.version);
  if (row.version !== version) return failWithAudit(call, "precondition_failed", event);
  const columns = await toChangedColumns(call, row, change, checkUrl);
  const [[after]] = await batch(db, [
    db
      .update(webhooks)
      .set({ ...columns, updatedAt: now, version: version + 1 })
      .where(and(eq(webhooks.id, id), eq(webhooks.version, version)))
      .returning(),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  return after ? toWebhook(call, after) : failWithAudit(call, "precondition_failed", event);
}

/** Deletes a webhook at once; what is still to be delivered is cancelled. @throws ApiError not_found */
export async function deleteWebhook(anyCall: Call, id: string): Promise<void> {
  const { call, effectiveRole, row } = await requireWebhook(anyCall, id, "webhook:manage");
  const { db, actor, now } = call;
  const event = webhookEvent(effectiveRole, row, "webhook.delete", "D");
  const [deleted] = await batch(db, [
    db.delete(webhooks).where(eq(webhooks.id, id)).returning({ id: webhooks.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  const { role, hospitalId } = effectiveRole;
  if (deleted.length === 0) await denyAccess(call, "webhook:manage", "not_found", { role, hospitalId, target: { webhook: id } });
}
