// The certificate of an erasure: what was deleted in which store, signed with the key that signs checkpoints of the audit log.
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { SystemActor } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failsUnless } from "../../access/sign-in.ts";
import type { Keys } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { toIso } from "../../platform/time.ts";
import type { ErasureRow, Progress } from "./progress.ts";

/** The first line of the signed text. Checkpoints, which the same key signs, begin with `edgecare/audit/`. */
const FIRST_LINE = "edgecare/erasure/1";

export const Certificate = z.strictObject({
  erasure_id: z.string(),
  patient_id: z.string(),
  hospital_id: z.string(),
  requested_at: z.string(),
  approved_at: z.string().nullable(),
  started_at: z.string(),
  erased_at: z.string(),
  counts: z.array(z.strictObject({ store: z.string(), count: z.int() })),
  list_sha256: z.string(),
  signed_text: z.string(),
  signature: z.strictObject({ algorithm: z.literal("Ed25519"), key_id: z.string(), public_key: z.string(), value: z.string() }),
});
export type Certificate = z.infer<typeof Certificate>;

/** Of Ed25519 (RFC 8032, section 5.1.6). */
const SIGNATURE_BYTES = 64;

/** What proves an erasure: two fields of a certificate. `signature`: Base64URL. */
export const SignedCertificate = z.strictObject({
  signed_text: z.string().max(20_000),
  key_id: z.string().max(32),
  signature: z.string().max(128),
});
export type SignedCertificate = z.infer<typeof SignedCertificate>;

/** An erasure that took place. Times in epoch milliseconds. */
export type CertifiedErasure = {
  id: string;
  patientId: string;
  hospitalId: string;
  requestedAt: number;
  approvedAt: number | null;
  erasedAt: number;
};

const SignedFields = z.object({
  erasure_id: z.uuid(),
  patient_id: z.uuid(),
  hospital_id: z.uuid(),
  requested_at: z.iso.datetime(),
  approved_at: z.union([z.iso.datetime(), z.literal("-")]),
  erased_at: z.iso.datetime(),
});

/** The erasure of a certificate that a key of AUDIT_SIGNING_KEYS has signed; else null. */
export async function verifyCertificate(keys: Keys, certificate: SignedCertificate): Promise<CertifiedErasure | null> {
  const { signed_text: text, key_id, signature } = certificate;
  const signer = keys.auditSigners.all.find(({ kid }) => kid === key_id);
  const value = fromBase64Url(signature);
  if (!signer || value?.length !== SIGNATURE_BYTES || !text.startsWith(`${FIRST_LINE}\n`)) return null;
  const key = await crypto.subtle.importKey("raw", signer.publicKey, "Ed25519", false, ["verify"]);
  if (!(await crypto.subtle.verify("Ed25519", key, value, new TextEncoder().encode(text)))) return null;
  const lines = text.split("\n").map((line): [string, string] => {
    const end = line.indexOf(" ");
    return [line.slice(0, end), line.slice(end + 1)];
  });
  const { erasure_id, patient_id, hospital_id, ...times } = SignedFields.parse(Object.fromEntries(lines));
  return {
    id: erasure_id,
    patientId: patient_id,
    hospitalId: hospital_id,
    requestedAt: Date.parse(times.requested_at),
    approvedAt: times.approved_at === "-" ? null : Date.parse(times.approved_at),
    erasedAt: Date.parse(times.erased_at),
  };
}

const newErasureActor = (id: string): SystemActor => ({
  kind: "system",
  name: "erasure",
  via: { requestId: `erasure-${id}`, ip: null },
});

/** `name value`, one per line. The hash is of the ids and file keys in the order of their deletion. */
function toSignedText(fields: Omit<Certificate, "signed_text" | "signature">): string {
  const { counts, ...rest } = fields;
  const lines = Object.entries(rest).map(([name, value]) => `${name} ${value ?? "-"}`);
  return [FIRST_LINE, ...lines, ...counts.map(({ store, count }) => `count ${store} ${count}`), ""].join("\n");
}

async function certify(keys: Keys, row: ErasureRow, progress: Progress, now: number): Promise<Certificate> {
  const fields = {
    erasure_id: row.id,
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    requested_at: toIso(row.requestedAt),
    approved_at: row.decidedAt === null ? null : toIso(row.decidedAt),
    started_at: toIso(row.startedAt ?? now),
    erased_at: toIso(now),
    counts: Object.entries(progress.counts)
      .map(([store, count]) => ({ store, count }))
      .sort((a, b) => (a.store < b.store ? -1 : 1)),
    list_sha256: row.listHash,
  };
  const text = toSignedText(fields);
  const { kid, privateKey, publicKey } = keys.auditSigners.current;
  const signature = await crypto.subtle.sign("Ed25519", privateKey, new TextEncoder().encode(text));
  return {
    ...fields,
    signed_text: text,
    signature: {
      algorithm: "Ed25519",
      key_id: kid,
      public_key: toBase64Url(publicKey),
      value: toBase64Url(new Uint8Array(signature)),
    },
  };
}

/** Statements that end the erasure: from here on the row has ids, times and counts alone. */
export async function finishErasure(db: Db, keys: Keys, row: ErasureRow, progress: Progress, now: number): Promise<Statement[]> {
  const certificate = await certify(keys, row, progress, now);
  const isCurrent = sql`EXISTS (SELECT 1 FROM erasures WHERE id = ${row.id} AND state = 'erasing' AND progress IS ${row.progress})`;
  const event = {
    event: "erasure.complete",
    action: "D" as const,
    hospitalId: row.hospitalId,
    entity: { type: "erasure", id: row.id },
    subjects: [row.patientId],
    detail: { counts: progress.counts, list_sha256: row.listHash },
  };
  return [
    failsUnless(db, isCurrent),
    db.run(sql`UPDATE erasures SET state = 'erased', erased_at = CAST(${now} AS INTEGER), progress = NULL, reason_sealed = NULL,
      failures = 0, failure = NULL, retry_at = NULL, decision_reason_sealed = NULL, certificate = ${JSON.stringify(certificate)} WHERE id = ${row.id}`),
    db.run(sql`UPDATE erasures SET reason_sealed = NULL, decision_reason_sealed = NULL
      WHERE patient_id = ${row.patientId} AND state = 'rejected'`),
    ...recordAuditEvent(db, newErasureActor(row.id), now, event),
  ];
}
