// Claim codes: one-time codes that a device exchanges for its own credential.

import { z } from "@hono/zod-openapi";
import { and, eq, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { failWithAudit } from "../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../access/effective-role.ts";
import { createCredentialToken } from "../accounts/sessions/credential-tokens.ts";
import type { Keys } from "../platform/config.ts";
import { computeBlindIndex } from "../platform/crypto.ts";
import { batch, type Db, type Statement } from "../platform/db/client.ts";
import { deviceClaimCodes } from "../platform/db/schema.ts";
import type { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toIso } from "../platform/time.ts";
import { credentialUnlessFull, toCredentialLimitError } from "./device-credentials.ts";
import { denyStaffOnOwnDevice, deviceEvent, requireDevice } from "./devices.ts";

export const CLAIM_CODE_TTL_MS = 10 * 60_000;
/** Without 0, O, 1, I and L, which are easily confused. */
const CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/** 39 bits: too many to guess within 10 minutes at 20 attempts per minute and address. */
const CODE_LENGTH = 8;

/** Accepts any case, with or without hyphen and spaces. */
export const DeviceClaimCode = z
  .string()
  .max(40)
  .transform((text) => text.toUpperCase().replace(/[\s-]/g, ""))
  .refine(
    (code) => code.length === CODE_LENGTH && [...code].every((char) => CODE_ALPHABET.includes(char)),
    "Must be eight letters and digits",
  )
  .openapi({ type: "string", maxLength: 40, example: "K7MQ-2XWH" });

const hashClaimCode = (keys: Keys, code: string) => computeBlindIndex(keys.index, "device_claim", code);

/** Rejection sampling: bytes beyond the last whole multiple of the alphabet are drawn again, so that no character is favoured. */
function generateCode(): string {
  const unbiasedLimit = 256 - (256 % CODE_ALPHABET.length);
  let code = "";
  while (code.length < CODE_LENGTH) {
    const [byte = unbiasedLimit] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < unbiasedLimit) code += CODE_ALPHABET[byte % CODE_ALPHABET.length];
  }
  return code;
}

/** Issues a code, which replaces the device's unused one. @throws ApiError not_found, conflict (out of service) */
export async function issueDeviceClaimCode(anyCall: Call, deviceId: string) {
  const { call, effectiveRole, device } = await requireDevice(anyCall, deviceId, "device_claim_code:create");
  await denyStaffOnOwnDevice(call, effectiveRole, device, "device_claim_code:create");
  const { db, keys, actor, now } = call;
  const event = deviceEvent(effectiveRole, device, "device_claim_code.issue", "C");
  if (!device.active) return failWithAudit(call, "conflict", event);
  const code = generateCode();
  const expiresAt = now + CLAIM_CODE_TTL_MS;
  const codeHash = await hashClaimCode(keys, code);
  await batch(db, [
    revokeUnusedCodes(db, deviceId),
    db.insert(deviceClaimCodes).values({ codeHash, deviceId, createdBy: actor.userId, createdAt: now, expiresAt }),
    ...recordAuditEvent(db, actor, now, event),
  ]);
  return {
    device_id: deviceId,
    code: `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`,
    expires_at: toIso(expiresAt),
  };
}

/** Deletes the unused code of a device. */
export function revokeUnusedCodes(db: Db, deviceId: string, when?: SQL): Statement {
  return db.delete(deviceClaimCodes).where(and(eq(deviceClaimCodes.deviceId, deviceId), isNull(deviceClaimCodes.usedAt), when));
}

export function pruneDeviceClaimCodes(db: Db, now: number): Statement {
  return db.delete(deviceClaimCodes).where(lt(deviceClaimCodes.expiresAt, now));
}

/** Unused and unexpired, for an active device of an active hospital, issued by a user who may still issue credentials there. */
const isRedeemable = (codeHash: string, now: number) => sql`code_hash = ${codeHash} AND used_at IS NULL AND expires_at > ${now}
  AND EXISTS (SELECT 1 FROM devices d JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
    JOIN users u ON u.id = device_claim_codes.created_by AND u.active = 1
    LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = d.hospital_id AND ${ACTIVE_MEMBERSHIP}
    WHERE d.id = device_claim_codes.device_id AND d.active = 1 AND d.owner_patient_id IS NULL AND (u.is_admin = 1 OR m.role IN ('nurse', 'hospital_admin')))`;

type ClaimedDevice = { id: string; hospital_id: string; kind: (typeof DEVICE_KINDS)[number]; name: string };

/**
 * Exchanges a code for a credential of the device. Of concurrent requests only one succeeds; the token is returned only once.
 * @throws ApiError not_found, the same for an unknown, used, replaced or expired code; limit_reached
 */
export async function claimDevice(call: Call, code: string) {
  const { db, keys, actor, now } = call;
  const codeHash = await hashClaimCode(keys, code);
  const [device] = await db.all<ClaimedDevice>(sql`SELECT d.id AS id, d.hospital_id AS hospital_id, d.kind AS kind, d.name AS name
    FROM (SELECT * FROM device_claim_codes WHERE ${isRedeemable(codeHash, now)}) c JOIN devices d ON d.id = c.device_id`);
  if (!device) return denyClaimCode(call);
  const id = uuidv7();
  const { token, secretHash } = await createCredentialToken(keys, id, null);
  const entity = { type: "device", id: device.id };
  const event = {
    event: "device.claim",
    action: "C",
    hospitalId: device.hospital_id,
    entity,
    detail: { credential_id: id },
  } as const;
  const { createdBy, scopes } = credentialUnlessFull(device.id, sql`created_by`, now);
  const [, inserted] = await batch(db, [
    db.run(sql`UPDATE device_claim_codes SET used_at = CAST(${now} AS INTEGER) WHERE ${isRedeemable(codeHash, now)}`),
    db.all<{
      id: string;
    }>(sql`INSERT INTO credentials (id, kind, device_id, hospital_id, name, secret_hash, scopes, created_by, created_at)
      SELECT ${id}, 'device', ${device.id}, ${device.hospital_id}, 'Claimed', ${secretHash}, ${scopes}, ${createdBy},
        CAST(${now} AS INTEGER)
      FROM device_claim_codes WHERE code_hash = ${codeHash} AND changes() > 0 RETURNING id`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    throw toCredentialLimitError(error);
  });
  if (inserted.length === 0) return denyClaimCode(call);
  return {
    device_id: device.id,
    hospital_id: device.hospital_id,
    kind: device.kind,
    name: device.name,
    credential_id: id,
    token,
    created_at: toIso(now),
  };
}

async function denyClaimCode({ db, actor, now }: Call): Promise<never> {
  const event = { event: "device.claim", action: "C", outcome: "denied", reason: "not_found" } as const;
  await batch(db, recordAuditEvent(db, actor, now, event));
  throw new ApiError("not_found", "Invalid or expired claim code.");
}
