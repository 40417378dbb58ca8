// Direct uploads whose patient is unclear: the confirmation seals the file and puts it into quarantine.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { batch } from "../../platform/db/client.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { derivedUuidv7 } from "../../platform/ids.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import type { QuarantineReason } from "./destination.ts";
import { type Sender, toAuditEvent } from "./direct-sender.ts";
import { fileRecordId } from "./new-report.ts";
import { openDetail, settleUpload, type UploadRow } from "./upload-log.ts";
import type { QuarantinedRepeat } from "./upload-outcomes.ts";

export type QuarantinedDirectUpload = { uploadId: string; status: 202; reason: QuarantineReason };

type Quarantine = {
  call: Call;
  bucket: R2Bucket;
  row: UploadRow;
  sender: Sender;
  incomingKey: string;
  /** The uploaded bytes; reading fails if they are not as announced. */
  bytes: AsyncIterable<Uint8Array>;
  reason: QuarantineReason;
};

/** Seals the file and settles the upload. @returns null, with the new file deleted, if another request settled it */
export async function quarantineDirectUpload({ bytes, ...quarantine }: Quarantine): Promise<QuarantinedDirectUpload | null> {
  const { call, bucket, row } = quarantine;
  const fileKey = createObjectKey(call.keys.fields, call.now);
  await storeFile(bucket, call.keys.fields, fileKey, fileRecordId(row.id), bytes, row.fileSize ?? 0);
  return settleQuarantined(quarantine, fileKey);
}

/** Settles the upload of a file that is sealed already. @returns as `quarantineDirectUpload` */
export async function settleQuarantined(
  { call, bucket, row, sender, incomingKey, reason }: Omit<Quarantine, "bytes">,
  fileKey: string,
): Promise<QuarantinedDirectUpload | null> {
  const size = row.fileSize ?? 0;
  const { import_grant } = await openDetail(call, row);
  const event = {
    ...toAuditEvent(row, sender, "report.quarantine"),
    reason,
    storedFiles: { bytes: size, counts: "total" as const },
    importGrant: import_grant ?? null,
  };
  const change = { outcome: "quarantined", reason, fileKey, incomingKey: null } as const;
  const published = publishEvent(call.db, call.actor, call.now, {
    type: "upload.quarantined",
    hospitalId: row.hospitalId,
    refs: { upload_id: row.id },
    // Derived, because a concurrent request may have settled the upload.
    eventId: derivedUuidv7(row.createdAt, `${row.id}.quarantined`),
    when: sql`EXISTS (SELECT 1 FROM uploads u WHERE u.id = ${row.id} AND u.outcome = 'quarantined')`,
  });
  const [settled] = await batch(call.db, [...settleUpload(call, row, change, event), ...published]).catch(
    async (error: unknown) => {
      if (isQuotaError(error)) await bucket.delete(fileKey);
      throw error;
    },
  );
  await bucket.delete(settled.length === 0 ? fileKey : incomingKey);
  return settled.length === 0 ? null : { uploadId: row.id, status: 202, reason };
}

/** Quarantines a sealed file that turned out to be no PDF, unless the same device has the same file there. */
export async function quarantineNonPdf(
  quarantine: Omit<Quarantine, "bytes" | "reason">,
  fileKey: string,
  repeated: QuarantinedRepeat | undefined,
): Promise<QuarantinedDirectUpload | null> {
  if (!repeated) return settleQuarantined({ ...quarantine, reason: "not_pdf" }, fileKey);
  await quarantine.bucket.delete(fileKey);
  return settleRepeat(quarantine, repeated);
}

/** The same device has the same file in quarantine: answers with that upload, and keeps no second copy. */
export async function repeatQuarantined(
  { bytes, ...quarantine }: Omit<Quarantine, "reason">,
  repeated: QuarantinedRepeat,
): Promise<QuarantinedDirectUpload | null> {
  for await (const _ of bytes);
  return settleRepeat(quarantine, repeated);
}

async function settleRepeat(
  { call, bucket, row, sender, incomingKey }: Omit<Quarantine, "bytes" | "reason">,
  { id, reason }: QuarantinedRepeat,
): Promise<QuarantinedDirectUpload | null> {
  const event = {
    ...toAuditEvent(row, sender, "report.duplicate"),
    action: "R",
    detail: { upload_id: row.id, repeats: id },
  } as const;
  const [settled] = await batch(call.db, settleUpload(call, row, { outcome: "duplicate", incomingKey: null }, event));
  if (settled.length === 0) return null;
  await bucket.delete(incomingKey);
  return { uploadId: id, status: 202, reason };
}

/** A confirmation of an upload that is in quarantine, or that repeated one that is. */
export async function replayQuarantine(
  { db, actor, now }: Call,
  row: UploadRow,
  sender: Sender,
  { id, reason }: QuarantinedRepeat,
): Promise<QuarantinedDirectUpload> {
  await batch(db, recordAuditEvent(db, actor, now, { ...toAuditEvent(row, sender, "report.replay"), action: "R" }));
  return { uploadId: id, status: 202, reason };
}
