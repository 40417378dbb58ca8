// Claim codes of devices: staff read one off a screen, the device types it in, once, and has a credential of its own.
import { z } from "@hono/zod-openapi";
import { and, eq, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import { audit } from "../access/audit.ts";
import { fail } from "../access/refusals.ts";
import { MEMBER_NOW } from "../access/standing.ts";
import { newMachineToken } from "../accounts/sessions/machine-tokens.ts";
import type { Keys } from "../platform/config.ts";
import { blindIndex } from "../platform/crypto.ts";
import { batch, type Db, type Statement } from "../platform/db/client.ts";
import { deviceClaimCodes } from "../platform/db/schema.ts";
import type { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { DEVICE_SCOPES } from "./credentials.ts";
import { deviceEvent, ownDevice } from "./devices.ts";

export const CLAIM_LIFE_MS = 10 * 60_000;
/** Without 0, O, 1, I and L: what is read off a screen is typed right. */
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/** 39 bits: at 20 tries a minute and address, nobody meets one of the codes that live for ten minutes. */
const LENGTH = 8;

/** As it may be typed: in any case, with or without the hyphen. */
export const DeviceClaimCode = z
  .string()
  .max(40)
  .transform((text) => text.toUpperCase().replace(/[\s-]/g, ""))
  .refine((code) => code.length === LENGTH && [...code].every((ch) => ALPHABET.includes(ch)), "Eight letters and digits")
  .openapi({ type: "string", maxLength: 40, example: "K7MQ-2XWH" });

const hashOf = (keys: Keys, code: string) => blindIndex(keys.index, "device_claim", code);

/** Evenly: a byte past the last whole round of the alphabet is drawn again. */
function newCode(): string {
  const rounds = 256 - (256 % ALPHABET.length);
  let code = "";
  while (code.length < LENGTH) {
    const [byte = rounds] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < rounds) code += ALPHABET[byte % ALPHABET.length];
  }
  return code;
}

/** A new code of a device, which ends the one before it. Shown once. @throws ApiError not_found, conflict (out of service) */
export async function issueDeviceCode(anyCall: Call, deviceId: string) {
  const { call, standing, device } = await ownDevice(anyCall, deviceId, "device:manage");
  const { db, keys, actor, now } = call;
  const event = deviceEvent(standing, device, "device_claim_code.issue", "C");
  if (!device.active) return fail(call, "conflict", event);
  const code = newCode();
  const expiresAt = now + CLAIM_LIFE_MS;
  const codeHash = await hashOf(keys, code);
  await batch(db, [
    endCodes(db, deviceId),
    db.insert(deviceClaimCodes).values({ codeHash, deviceId, createdBy: actor.userId, createdAt: now, expiresAt }),
    ...audit(db, actor, now, event),
  ]);
  return {
    device_id: deviceId,
    code: `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`,
    expires_at: new Date(expiresAt).toISOString(),
  };
}

/** Takes away the code that was not used yet. */
export function endCodes(db: Db, deviceId: string, when?: SQL): Statement {
  return db.delete(deviceClaimCodes).where(and(eq(deviceClaimCodes.deviceId, deviceId), isNull(deviceClaimCodes.usedAt), when));
}

export function pruneDeviceCodes(db: Db, now: number): Statement {
  return db.delete(deviceClaimCodes).where(lt(deviceClaimCodes.expiresAt, now));
}

/** A code that counts: live, of a device in service at an open hospital, from somebody who may still give it a credential. */
const counts = (codeHash: string, now: number) => sql`code_hash = ${codeHash} AND used_at IS NULL AND expires_at > ${now}
  AND EXISTS (SELECT 1 FROM devices d JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
    JOIN users u ON u.id = device_claim_codes.created_by AND u.active = 1
    LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = d.hospital_id AND ${MEMBER_NOW}
    WHERE d.id = device_claim_codes.device_id AND d.active = 1 AND (u.is_admin = 1 OR m.role IN ('nurse', 'hospital_admin')))`;

type Claimed = { id: string; hospital_id: string; kind: (typeof DEVICE_KINDS)[number]; name: string };

/**
 * Gives whoever has the code the device's own credential: of fifty at once one gets it, and its token is told this once.
 * @throws ApiError not_found: one answer for a code that never was, was used, was replaced or has expired
 */
export async function claimDevice(call: Call, code: string) {
  const { db, keys, actor, now } = call;
  const codeHash = await hashOf(keys, code);
  const [device] = await db.all<Claimed>(sql`SELECT d.id AS id, d.hospital_id AS hospital_id, d.kind AS kind, d.name AS name
    FROM (SELECT * FROM device_claim_codes WHERE ${counts(codeHash, now)}) c JOIN devices d ON d.id = c.device_id`);
  if (!device) return refuseCode(call);
  const id = uuidv7();
  const { token, secretHash } = await newMachineToken(keys, id, null);
  const entity = { type: "device", id: device.id };
  const event = {
    event: "device.claim",
    action: "C",
    hospitalId: device.hospital_id,
    entity,
    detail: { credential_id: id },
  } as const;
  const [, made] = await batch(db, [
    db.run(sql`UPDATE device_claim_codes SET used_at = CAST(${now} AS INTEGER) WHERE ${counts(codeHash, now)}`),
    db.all<{
      id: string;
    }>(sql`INSERT INTO credentials (id, kind, device_id, hospital_id, name, secret_hash, scopes, created_by, created_at)
      SELECT ${id}, 'device', ${device.id}, ${device.hospital_id}, 'Claimed', ${secretHash}, ${DEVICE_SCOPES}, created_by,
        CAST(${now} AS INTEGER)
      FROM device_claim_codes WHERE code_hash = ${codeHash} AND changes() > 0 RETURNING id`),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (made.length === 0) return refuseCode(call);
  return {
    device_id: device.id,
    hospital_id: device.hospital_id,
    kind: device.kind,
    name: device.name,
    credential_id: id,
    token,
    created_at: new Date(now).toISOString(),
  };
}

async function refuseCode({ db, actor, now }: Call): Promise<never> {
  const event = { event: "device.claim", action: "C", outcome: "denied", reason: "not_found" } as const;
  await batch(db, audit(db, actor, now, event));
  throw new ApiError("not_found", "This code is not good, or no more.");
}
