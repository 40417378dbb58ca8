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
    recipients: selectReviewers(review),
    when: sql`EXISTS (SELECT 1 FROM privacy_reviews WHERE id = ${id})`,
  });
  return { id, statements: [insert, ...notices] };
}

/**
 * Privacy officers other than the person whom the review is about; the administrators of the hospital where there are none. Those who
 * recorded or confirmed the guardianship that it is about are left out where somebody else is found.
 */
function selectReviewers({ hospitalId, subjectUserId, kind, refId }: NewReview): SQL {
  const isOther = sql`m.user_id IS NOT ${subjectUserId}`;
  if (kind !== "guardianship") return selectStaff(hospitalId, isOther);
  const uninvolved = selectStaff(hospitalId, sql`${isOther} AND NOT EXISTS (${selectInvolvement(refId, sql`m.user_id`)})`);
  return sql`${uninvolved} UNION ALL SELECT user_id FROM (${selectStaff(hospitalId, isOther)}) WHERE NOT EXISTS (${uninvolved})`;
}

/** @param isReviewer condition on `memberships m` */
function selectStaff(hospitalId: string, isReviewer: SQL): SQL {
  const officers = sql`${selectOfficerIds(hospitalId)} AND ${isReviewer}`;
  return sql`${officers} UNION ALL SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId}
    AND m.role = 'hospital_admin' AND ${isReviewer} AND ${ACTIVE_MEMBERSHIP} AND NOT EXISTS (${officers})`;
}

/** The guardianship, where the member of staff has recorded or confirmed it. */
export const selectInvolvement = (guardianshipId: string | SQL, userId: string | SQL): SQL =>
  sql`SELECT 1 FROM guardianships g WHERE g.id = ${guardianshipId} AND ${userId} IN (g.recorded_by, g.confirmed_by)`;
