// Credentials: the secrets that name devices.
import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { audit } from "../access/audit.ts";
import { refuse } from "../access/refusals.ts";
import { newMachineToken } from "../accounts/sessions/machine-tokens.ts";
import type { Taking } from "../http/idempotency.ts";
import { batch } from "../platform/db/client.ts";
import { credentials } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { deviceEvent, ownDevice } from "./devices.ts";

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));

/** What a device may: bring what it measures for the patient it is bound to (access.ts). */
export const DEVICE_SCOPES = "report:create observation:create";

/** A new secret of a device: shown once, kept as SHA-256. */
export async function issueCredential(anyCall: Call, deviceId: string, name: string, expiresAt: number | null, taking: Taking) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, keys, actor, now } = call;
  if (expiresAt !== null && expiresAt <= now) throw new ApiError("invalid_request", "expires_at lies in the past.");
  const id = uuidv7();
  const { token, secretHash } = await newMachineToken(keys, id, null);
  const event = { ...deviceEvent(standing, device, "credential.issue", "C"), detail: { credential_id: id } };
  await batch(db, [
    ...taking(id),
    db.insert(credentials).values({
      id,
      kind: "device",
      deviceId,
      hospitalId: device.hospitalId,
      name,
      secretHash,
      scopes: DEVICE_SCOPES,
      createdBy: actor.userId,
      createdAt: now,
      expiresAt,
    }),
    ...audit(db, actor, now, event),
  ]);
  return {
    credential_id: id,
    device_id: deviceId,
    name,
    token,
    created_at: iso(now),
    expires_at: isoOrNull(expiresAt),
  };
}

/** Every credential a device ever had, newest first, at most 100. */
export async function listCredentials(anyCall: Call, deviceId: string) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db.select().from(credentials).where(eq(credentials.deviceId, deviceId)).orderBy(desc(credentials.createdAt)).limit(100),
    ...audit(db, actor, now, deviceEvent(standing, device, "credential.list", "R")),
  ]);
  return rows.map(toCredential);
}

function toCredential(row: typeof credentials.$inferSelect) {
  return {
    credential_id: row.id,
    device_id: row.deviceId ?? "",
    name: row.name,
    created_at: iso(row.createdAt),
    expires_at: isoOrNull(row.expiresAt),
    last_used_at: isoOrNull(row.lastUsedAt),
    revoked_at: isoOrNull(row.revokedAt),
  };
}

/** A credential that an Idempotency-Key made before: its token was shown then and is kept nowhere. */
export async function reissuedCredential(anyCall: Call, deviceId: string, credentialId: string) {
  const found = (await listCredentials(anyCall, deviceId)).find(({ credential_id }) => credential_id === credentialId);
  if (!found) throw new ApiError("not_found");
  const { revoked_at: _, last_used_at: __, ...credential } = found;
  return { ...credential, token: null };
}

/** Ends a credential: its next request is refused. @throws ApiError not_found */
export async function revokeCredential(anyCall: Call, deviceId: string, credentialId: string): Promise<void> {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, actor, now } = call;
  const [rows] = await batch(db, [
    db
      .update(credentials)
      .set({ revokedAt: now })
      .where(and(eq(credentials.id, credentialId), eq(credentials.deviceId, deviceId), isNull(credentials.revokedAt)))
      .returning({ id: credentials.id }),
    ...audit(db, actor, now, {
      ...deviceEvent(standing, device, "credential.revoke", "D"),
      detail: { credential_id: credentialId },
      when: sql`changes() > 0`,
    }),
  ]);
  if (rows.length > 0) return;
  const { role, hospitalId } = standing;
  await refuse(call, "device:manage", "not_found", { role, hospitalId, target: { credential: credentialId } });
}
