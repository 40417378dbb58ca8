// Quarantine of samples without a known patient.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import type { Device } from "../../access/credentials.ts";
import { denyAccess } from "../../access/deny.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import { DAY_MS } from "../../platform/time.ts";
import type { ItemResult } from "../patient-object/contract.ts";
import { pickSampleFields } from "../patient-object/recording/record-batch.ts";
import { validateSample } from "../vitals/sample-validation.ts";

/** Quarantined requests per device and day. */
const MAX_HELD_PER_DAY = 1_000;

export function rejectByQuota(indexes: readonly number[], error: unknown): ItemResult[] {
  if (!isQuotaError(error)) throw error;
  return indexes.map((index) => ({ index, status: "rejected", reason: error.code, message: error.message }));
}

const UNASSIGNED_MESSAGE = "Quarantined: the device was assigned to no patient";
const HOLD_MESSAGES = {
  not_bound: UNASSIGNED_MESSAGE,
  not_bound_then: UNASSIGNED_MESSAGE,
  record_closed: "Quarantined: the patient record is closed",
  other_patient: "Quarantined: the device was not assigned to the patient whom it named",
} as const;

type SendingDevice = Pick<Device, "deviceId" | "hospitalId" | "isPatientOwned">;

/**
 * Refuses all samples that a patient's own device sends for no patient, or for another: no staff knows them.
 * @throws ApiError not_found, conflict (a closed record)
 */
export async function refuseOwnDevice(
  call: Call,
  { isPatientOwned, hospitalId, deviceId }: SendingDevice,
  isClosed: boolean,
): Promise<void> {
  if (!isPatientOwned) return;
  if (isClosed) throw new ApiError("conflict", "The patient record does not accept samples.");
  await denyAccess(call, "observation:create", "not_found", { role: "device", hospitalId, target: { device: deviceId } });
}

const rejectOwn = (index: number): ItemResult => ({
  index,
  status: "rejected",
  reason: "not_bound_then",
  message: "The device was not assigned to the patient at that time",
});

/**
 * Quarantines items without a patient, sealed, for review by staff. Those of a patient's own device are refused instead.
 * @param indexes of the items; null for all
 */
export async function holdSamples(
  { db, keys, actor, now }: Call,
  { deviceId, hospitalId, isPatientOwned }: SendingDevice,
  items: readonly unknown[],
  indexes: number[] | null,
  reason: keyof typeof HOLD_MESSAGES,
): Promise<ItemResult[]> {
  const all = indexes ?? items.map((_, index) => index);
  if (isPatientOwned) return all.map(rejectOwn);
  const unreadable = all.flatMap((index): ItemResult[] => {
    const validated = validateSample(items[index], { received: now, skewMs: null });
    if (validated.ok || validated.status === "quarantined") return [];
    return [{ index, status: "rejected", reason: validated.reason, message: validated.message }];
  });
  const held = all.filter((index) => unreadable.every((rejected) => rejected.index !== index));
  if (held.length === 0) return unreadable;
  const id = uuidv7();
  const place = { table: "held_observations", column: "items", id };
  const itemsSealed = await sealValue(
    keys.fields,
    place,
    held.map((index) => pickSampleFields(items[index])),
  );
  const entity = { type: "device", id: deviceId };
  const today = sql`SELECT count(*) FROM (SELECT 1 FROM held_observations WHERE hospital_id = ${hospitalId}
    AND received_at > ${now - DAY_MS} AND device_id = ${deviceId} LIMIT ${MAX_HELD_PER_DAY})`;
  const [kept] = await batch(db, [
    db.all<{
      id: string;
    }>(sql`INSERT INTO held_observations (id, hospital_id, device_id, reason, count, items_sealed, received_at)
      SELECT ${id}, ${hospitalId}, ${deviceId}, ${reason}, CAST(${held.length} AS INTEGER), ${itemsSealed}, CAST(${now} AS INTEGER)
      WHERE (${today}) < ${MAX_HELD_PER_DAY} RETURNING id`),
    ...recordAuditEvent(db, actor, now, {
      event: "observation.hold",
      action: "C",
      role: "device",
      hospitalId,
      entity,
      reason,
      detail: { samples: held.length },
      when: sql`changes() > 0`,
    }),
  ]);
  if (kept.length === 0) {
    const message = "The limit of 1,000 quarantined requests per device and day is reached";
    return [...unreadable, ...held.map((index): ItemResult => ({ index, status: "rejected", reason: "too_many_held", message }))];
  }
  const message = HOLD_MESSAGES[reason];
  return [...unreadable, ...held.map((index): ItemResult => ({ index, status: "quarantined", reason, message }))];
}
