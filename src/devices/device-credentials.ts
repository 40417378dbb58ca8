// Device credentials: issue, list, revoke.

import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { denyAccess } from "../access/deny.ts";
import { DEVICE_SCOPES } from "../access/permissions.ts";
import { createCredentialToken } from "../accounts/sessions/credential-tokens.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { batch } from "../platform/db/client.ts";
import { credentials } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";
import { deviceEvent, requireDevice } from "./devices.ts";

/** Issues a credential. The token is returned once and stored as SHA-256. @throws ApiError not_found, invalid_request */
export async function issueCredential(
  anyCall: Call,
  deviceId: string,
  name: string,
  expiresAt: number | null,
  keyStatements: KeyStatements,
) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:manage");
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
      hospitalId: device.hospitalId,
      name,
      secretHash,
      scopes: DEVICE_SCOPES.join(" "),
      createdBy: actor.userId,
      createdAt: now,
      expiresAt,
    }),
    ...recordAuditEvent(db, actor, now, event),
  ]);
  return {
    credential_id: id,
    device_id: deviceId,
    name,
    token,
    created_at: toIso(now),
    expires_at: toIsoOrNull(expiresAt),
  };
}

/** Lists a device's credentials, including revoked ones, newest first, at most 100. */
export async function listCredentials(anyCall: Call, deviceId: string) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db.select().from(credentials).where(eq(credentials.deviceId, deviceId)).orderBy(desc(credentials.createdAt)).limit(100),
    ...recordAuditEvent(db, actor, now, deviceEvent(effectiveRole, device, "credential.list", "R")),
  ]);
  return rows.map(toCredential);
}

function toCredential(row: typeof credentials.$inferSelect) {
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
  const found = (await listCredentials(anyCall, deviceId)).find(({ credential_id }) => credential_id === credentialId);
  if (!found) throw new ApiError("not_found");
  const { revoked_at: _, last_used_at: __, ...credential } = found;
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
