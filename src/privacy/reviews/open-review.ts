// Opens a privacy review, in the batch of what is reviewed.
import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { notify } from "../../notifications/notify.ts";
import type { Statement } from "../../platform/db/client.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { selectOfficerIds } from "../officers/officers.ts";
import { type ReviewContent, type ReviewRow, sealContent } from "./review.ts";

export type NewReview = Pick<ReviewRow, "kind" | "refId" | "hospitalId" | "patientId" | "subjectUserId"> &
  ReviewContent & {
    /** Listed before the others. */
    isFlagged?: boolean;
    /** Nothing is opened unless this holds. */
    when?: SQL;
    /** The columns with limits of rows, where a person could open reviews without end (db/row-limits.ts). */
    limited?: { openedAt: SQL; openedBy: SQL };
  };

/**
 * Statements that open a review and notify the privacy officers, for the batch of what is reviewed. One review exists per kind, `refId`
 * and patient: statements of a second one change nothing and notify nobody.
 * @returns `id` of the review, if the statements open it
 */
export async function openReview(
  call: Pick<Call, "db" | "keys" | "actor" | "now">,
  review: NewReview,
): Promise<{ id: string; statements: Statement[] }> {
  const { db, keys, actor, now } = call;
  const { kind, refId, hospitalId, patientId, subjectUserId, text, event, isFlagged = false, when = sql`1` } = review;
  const id = uuidv7();
  const contentSealed = await sealContent(keys, id, { text, event });
  const { openedAt, openedBy } = review.limited ?? { openedAt: sql`CAST(${now} AS INTEGER)`, openedBy: getActorId(actor) };
  const insert = db.run(sql`INSERT INTO privacy_reviews
      (id, hospital_id, kind, ref_id, patient_id, subject_user_id, flagged, content_sealed, opened_by, opened_at)
    SELECT ${id}, ${hospitalId}, ${kind}, ${refId}, ${patientId}, ${subjectUserId}, CAST(${Number(isFlagged)} AS INTEGER),
      ${contentSealed}, ${openedBy}, ${openedAt} WHERE ${when} ON CONFLICT (ref_id, kind, patient_id) DO NOTHING`);
  const notices = notify(db, actor, now, {
    kind: "privacy.review_opened",
    hospitalId,
    refs: { review_id: id },
    recipients: selectReviewers(hospitalId, subjectUserId),
    when: sql`EXISTS (SELECT 1 FROM privacy_reviews WHERE id = ${id})`,
  });
  return { id, statements: [insert, ...notices] };
}

/** Privacy officers other than the person whom the review is about; the administrators of the hospital where there are none. */
function selectReviewers(hospitalId: string, subjectUserId: string | null): SQL {
  const officers = sql`${selectOfficerIds(hospitalId)} AND m.user_id IS NOT ${subjectUserId}`;
  return sql`${officers} UNION ALL SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId}
    AND m.role = 'hospital_admin' AND m.user_id IS NOT ${subjectUserId} AND ${ACTIVE_MEMBERSHIP} AND NOT EXISTS (${officers})`;
}
