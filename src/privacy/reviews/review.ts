// A privacy review as a row and as the API shows it.
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { UserEffectiveRole } from "../../access/actor.ts";
import type { AuditAction, KnownEvent } from "../../access/audit.ts";
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import type { privacyReviews } from "../../platform/db/schema.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";

export type ReviewRow = typeof privacyReviews.$inferSelect;

/** The audit event that a question is about, as it stood in the log. */
export const ReviewedEvent = z.object({
  event_id: z.string(),
  event: z.string(),
  action: z.enum(["C", "R", "U", "D", "E"]),
  outcome: z.enum(["success", "denied", "failed"]),
  recorded: z.string(),
  actor: z.object({ kind: z.string(), id: z.string().nullable(), role: z.string().nullable() }),
  actor_hospital_id: z.string().nullable(),
  basis: z.string().nullable(),
  purpose: z.string().nullable(),
  entity: z.object({ type: z.string(), id: z.string() }).nullable(),
});

const Content = z.object({ text: z.string(), event: ReviewedEvent.nullable() });
/** `text`: the patient's question, or the reason of an emergency access. `event`: what a question about the access log is about. */
export type ReviewContent = z.infer<typeof Content>;

const sealContext = (column: "content" | "note", id: string) => ({ table: "privacy_reviews", column, id });

export const sealContent = ({ fields }: Keys, id: string, content: ReviewContent): Promise<string> =>
  sealValue(fields, sealContext("content", id), content);
export const unsealContent = ({ fields }: Keys, { id, contentSealed }: Pick<ReviewRow, "id" | "contentSealed">) =>
  readSealed(fields, sealContext("content", id), contentSealed, Content);

export const sealNote = ({ fields }: Keys, id: string, note: string): Promise<string> =>
  sealValue(fields, sealContext("note", id), note);
export async function unsealNote({ fields }: Keys, { id, noteSealed }: Pick<ReviewRow, "id" | "noteSealed">) {
  return noteSealed === null ? null : String(await unsealValue(fields, sealContext("note", id), noteSealed));
}

/** What lists show: nothing that is sealed. */
export type ListedReview = Omit<ReviewRow, "contentSealed" | "noteSealed">;

export const toListedReview = (row: ListedReview) => ({
  review_id: row.id,
  hospital_id: row.hospitalId,
  kind: row.kind,
  ref_id: row.refId,
  patient_id: row.patientId,
  subject_user_id: row.subjectUserId,
  is_flagged: row.flagged === 1,
  status: row.status,
  opened_by: row.openedBy,
  opened_at: toIso(row.openedAt),
  outcome: row.outcome,
  closed_by: row.closedBy,
  closed_at: toIsoOrNull(row.closedAt),
});

export async function toReview(keys: Keys, row: ReviewRow) {
  const [{ text, event }, note] = await Promise.all([unsealContent(keys, row), unsealNote(keys, row)]);
  return { ...toListedReview(row), text, event, note };
}

/**
 * Of a row of `privacy_reviews`: 1 for a question about somebody else who reads the record's access log, or could once they claim it as its
 * guardian. Its events leave the record out, so that they do not learn of the question there.
 */
export const isHiddenFromLog = sql<number>`(kind <> 'emergency' AND opened_by <> subject_user_id AND (EXISTS (SELECT 1 FROM patient_links l
    WHERE l.user_id = privacy_reviews.subject_user_id AND l.patient_id = privacy_reviews.patient_id)
  OR EXISTS (SELECT 1 FROM guardianships g
    WHERE g.guardian_id = privacy_reviews.subject_user_id AND g.patient_id = privacy_reviews.patient_id)))`;

/** The record of a review, where its events name it. */
export const subjectsOf = ({ patientId, isHidden }: { patientId: string; isHidden: number }): string[] =>
  isHidden === 1 ? [] : [patientId];

export const reviewEvent = (
  { role }: UserEffectiveRole,
  { id, hospitalId, kind, ...row }: Pick<ReviewRow, "id" | "hospitalId" | "patientId" | "kind"> & { isHidden: number },
  event: string,
  action: AuditAction,
): KnownEvent => ({
  event,
  action,
  role,
  hospitalId,
  entity: { type: "privacy_review", id },
  subjects: subjectsOf(row),
  detail: { kind },
});
