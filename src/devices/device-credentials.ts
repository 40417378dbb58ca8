// Device credentials: issue, list, revoke.

import { and, count, eq, isNull, type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyAccess } from "../access/deny.ts";
import { DEVICE_SCOPES } from "../access/permissions.ts";
import { createCredentialToken } from "../accounts/sessions/credential-tokens.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { batch, isConditionFailed } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../platform/db/row-limits.ts";
import { credentials } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";
import { denyStaffOnOwnDevice, deviceEvent, requireDevice, selectDeviceWith } from "./devices.ts";

type CredentialRow = typeof credentials.$inferSelect;

/** The values of a new credential's row that keep a device below its limits. */
export function credentialUnlessFull(deviceId: string, createdBy: SQL | string, now: number) {
  const valid = sql`credentials
    WHERE device_id = ${deviceId} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})`;
  return {
    createdBy: unlessFull(createdBy, ROW_LIMITS.deviceCredentials, sql`credentials WHERE device_id = ${deviceId}`),
    scopes: unlessFull(DEVICE_SCOPES.join(" "), ROW_LIMITS.validDeviceCredentials, valid),
  };
}

/** NULL, which fails the batch, if the issuer was unlinked from the owner's record or deactivated since the check. */
function unlessOwnerLeft({ hospitalId, ownerPatientId }: { hospitalId: string; ownerPatientId: string | null }, userId: string) {
  if (ownerPatientId === null) return hospitalId;
  return sql`(SELECT ${hospitalId} FROM patient_links l JOIN users u ON u.id = l.user_id AND u.active = 1
    WHERE l.user_id = ${userId} AND l.patient_id = ${ownerPatientId})`;
}

export const toCredentialLimitError = (error: unknown) =>
  toLimitError(error, ROW_LIMITS.deviceCredentials, ROW_LIMITS.validDeviceCredentials);

/**
 * Issues a credential. The token is returned once and stored as SHA-256.
 * @throws ApiError not_found, invalid_request, limit_reached
 */
export async function issueCredential(
  anyCall: Call,
  deviceId: string,
  name: string,
  expiresAt: number | null,
  keyStatements: KeyStatements,
) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:manage");
  await denyStaffOnOwnDevice(call, effectiveRole, device, "device:manage");
  const { db, keys, actor, now } = call;
  if (expiresAt !== null && expiresAt <= now) throw new ApiError("invalid_request", "expires_at must be in the future.");
  const id = uuidv7();
  const { token, secretHash } = await createCredentialToken(keys, id, null);
  const event = { ...deviceEvent(effectiveRole, device, "credential.issue", "C"), detail: { credential_id: id } };
  await batch(db, [
    ...keyStatements(id),
    db.insert(credentials).values({
      id,
      kind: "device",
      deviceId,
      hospitalId: unlessOwnerLeft(device, actor.userId),
      name,
      secretHash,
      ...credentialUnlessFull(deviceId, actor.userId, now),
      createdAt: now,
      expiresAt,
    }),
    ...recordAuditEvent(db, actor, now, event),
  ]).catch((error: unknown) => {
    if (isConditionFailed(error, "credentials.hospital_id")) throw new ApiError("not_found");
    throw toCredentialLimitError(error);
  });
  return {
    credential_id: id,
    device_id: deviceId,
    name,
    token,
    created_at: toIso(now),
    expires_at: toIsoOrNull(expiresAt),
  };
}

/** Lists a device's credentials, including revoked ones, newest first. */
export async function listCredentials(anyCall: Call, deviceId: string, query: PageQuery) {
  const start = await resolvePageStart(anyCall, `credentials:${deviceId}`, query);
  const { where, orderBy } = keysetClauses(start, credentials.createdAt, credentials.id);
  const { db } = anyCall;
  const isOfDevice = eq(credentials.deviceId, deviceId);
  const { call, effectiveRole, device, more } = await selectDeviceWith(anyCall, deviceId, "device:manage", () => [
    db
      .select()
      .from(credentials)
      .where(and(isOfDevice, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.select({ n: count() }).from(credentials).where(isOfDevice),
  ]);
  const [rows, [counted]] = more;
  const stored = appendAuditEvent(call, deviceEvent(effectiveRole, device, "credential.list", "R"));
  const key = (row: CredentialRow) => ({ value: row.createdAt, id: row.id });
  const page = buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const { rows: pageRows, pagination } = await afterAudit(stored, page);
  return { items: pageRows.map(toCredential), pagination };
}

function toCredential(row: CredentialRow) {
  return {
    credential_id: row.id,
    device_id: row.deviceId ?? "",
    name: row.name,
    created_at: toIso(row.createdAt),
    expires_at: toIsoOrNull(row.expiresAt),
    last_used_at: toIsoOrNull(row.lastUsedAt),
    revoked_at: toIsoOrNull(row.revokedAt),
  };
}

/** The credential for the replay of an idempotency key, without its token, which is not stored. */
export async function replayCredential(anyCall: Call, deviceId: string, credentialId: string) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const event = { ...deviceEvent(effectiveRole, device, "credential.read", "R"), detail: { credential_id: credentialId } };
  const [[found]] = await batch(db, [
    db
      .select()
      .from(credentials)
      .where(and(eq(credentials.id, credentialId), eq(credentials.deviceId, deviceId))),
    ...recordAuditEvent(db, actor, now, event),
  ]);
  if (!found) throw new ApiError("not_found");
  const { revoked_at: _, last_used_at: __, ...credential } = toCredential(found);
  return { ...credential, token: null };
}

/** Revokes a credential with effect from its next request. @throws ApiError not_found */
export async function revokeCredential(anyCall: Call, deviceId: string, credentialId: string): Promise<void> {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db
      .update(credentials)
      .set({ revokedAt: now })
      .where(and(eq(credentials.id, credentialId), eq(credentials.deviceId, deviceId), isNull(credentials.revokedAt)))
      .returning({ id: credentials.id }),
    ...recordAuditEvent(db, actor, now, {
      ...deviceEvent(effectiveRole, device, "credential.revoke", "D"),
      detail: { credential_id: credentialId },
      when: sql`changes() > 0`,
    }),
  ]);
  if (rows.length > 0) return;
  const { role, hospitalId } = effectiveRole;
  await denyAccess(call, "device:manage", "not_found", { role, hospitalId, target: { credential: credentialId } });
}
