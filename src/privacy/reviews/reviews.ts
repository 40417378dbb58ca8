// The review queue of a hospital's privacy officers: list, read and close.
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserActor, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, denyNotFound, failWithAudit } from "../../access/deny.ts";
import { activeSession } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { enrolmentRequired } from "../../access/sign-in.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { notify } from "../../notifications/notify.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { privacyReviews } from "../../platform/db/schema.ts";
import { selectOfficerIds } from "../officers/officers.ts";
import { selectInvolvement } from "./open-review.ts";
import { isHiddenFromLog, type ReviewRow, reviewEvent, sealNote, subjectsOf, toListedReview, toReview } from "./review.ts";

export type ReviewQuery = PageQuery & { status?: ReviewRow["status"] | undefined };
export type Closing = { outcome: NonNullable<ReviewRow["outcome"]>; note: string };

const selectIsOfficer = (db: Db, { userId }: UserActor, { hospitalId }: UserEffectiveRole) =>
  db.all<{ is_officer: number }>(sql`SELECT ${userId} IN (${selectOfficerIds(hospitalId ?? "")}) AS is_officer`);

type Checked = { call: UserCall; effectiveRole: UserEffectiveRole };

/** @throws ApiError forbidden (audited) unless the caller is a privacy officer of the acting hospital */
async function requireOfficer({ call, effectiveRole }: Checked, permission: Permission, [row]: { is_officer: number }[]) {
  const { role, hospitalId } = effectiveRole;
  if (row?.is_officer !== 1) await denyAccess(call, permission, "forbidden", { role, hospitalId });
}

const LISTED = {
  id: privacyReviews.id,
  hospitalId: privacyReviews.hospitalId,
  kind: privacyReviews.kind,
  refId: privacyReviews.refId,
  patientId: privacyReviews.patientId,
  subjectUserId: privacyReviews.subjectUserId,
  flagged: privacyReviews.flagged,
  status: privacyReviews.status,
  openedBy: privacyReviews.openedBy,
  openedAt: privacyReviews.openedAt,
  outcome: privacyReviews.outcome,
  closedBy: privacyReviews.closedBy,
  closedAt: privacyReviews.closedAt,
  isHidden: isHiddenFromLog,
};

/** Lists the reviews of the caller's hospital, flagged ones first, then newest first. @throws ApiError forbidden */
export async function listReviews(anyCall: Call, query: ReviewQuery) {
  const start = await resolvePageStart(anyCall, "privacy-reviews", query);
  const { where, orderBy } = keysetClauses(start, privacyReviews.flagged, privacyReviews.id);
  const checked = await withUser(anyCall, "privacy_review:read", (effectiveRole, { db, actor }) => {
    const isListed = and(
      eq(privacyReviews.hospitalId, effectiveRole.hospitalId ?? ""),
      query.status === undefined ? undefined : eq(privacyReviews.status, query.status),
      sql`${actor.userId} IN (${selectOfficerIds(effectiveRole.hospitalId ?? "")})`,
    );
    return [
      selectIsOfficer(db, actor, effectiveRole),
      db
        .select(LISTED)
        .from(privacyReviews)
        .where(and(isListed, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM privacy_reviews WHERE ${isListed} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const { call, effectiveRole, results } = checked;
  const [officer, found, [counted]] = results;
  await requireOfficer(checked, "privacy_review:read", officer);
  const count = { n: counted?.n ?? 0, exact: false };
  const { rows, pagination } = await buildPage(start, found, ({ flagged, id }) => ({ value: flagged, id }), count);
  await appendAuditEvent(call, {
    event: "privacy_review.list",
    action: "R",
    role: effectiveRole.role,
    hospitalId: effectiveRole.hospitalId,
    subjects: rows.flatMap(subjectsOf),
    detail: { review_ids: rows.map(({ id }) => id) },
  });
  return { items: rows.map(toListedReview), pagination };
}

/** @throws ApiError forbidden, not_found (both audited) */
async function requireReview(anyCall: Call, id: string, permission: "privacy_review:read" | "privacy_review:close") {
  const checked = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    selectIsOfficer(db, actor, effectiveRole),
    db
      .select({ ...getTableColumns(privacyReviews), isHidden: isHiddenFromLog, isInvolved: isInvolved(actor) })
      .from(privacyReviews)
      .where(isOfHospital(id, effectiveRole)),
  ]);
  const { call, effectiveRole, results } = checked;
  await requireOfficer(checked, permission, results[0]);
  const [row] = results[1];
  if (!row) return denyNotFound(call, permission, effectiveRole, { privacy_review: id });
  return { call, effectiveRole, row };
}

/** Of a row of `privacy_reviews`: 1 where it is about the user, or about a guardianship that they recorded or confirmed. */
const isInvolved = ({ userId }: UserActor) => sql<number>`(subject_user_id IS ${userId}
  OR (kind = 'guardianship' AND EXISTS (${selectInvolvement(sql`privacy_reviews.ref_id`, userId)})))`;

const isOfHospital = (id: string, { hospitalId }: UserEffectiveRole) =>
  and(eq(privacyReviews.id, id), eq(privacyReviews.hospitalId, hospitalId ?? ""));

export async function getReview(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireReview(anyCall, id, "privacy_review:read");
  const stored = appendAuditEvent(call, reviewEvent(effectiveRole, row, "privacy_review.read", "R"));
  return afterAudit(stored, toReview(call.keys, row));
}

/**
 * Closes a review and tells the patient who asked.
 * @throws ApiError forbidden (no privacy officer, the person whom it is about, or who recorded or confirmed it), not_found, conflict (closed already)
 */
export async function closeReview(anyCall: Call, id: string, { outcome, note }: Closing) {
  const { call, effectiveRole, row } = await requireReview(anyCall, id, "privacy_review:close");
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  if (row.isInvolved === 1)
    return denyAccess(call, "privacy_review:close", "forbidden", { role, hospitalId, target: { privacy_review: id } });
  const event = reviewEvent(effectiveRole, row, "privacy_review.close", "U");
  const closed = {
    status: "closed" as const,
    outcome,
    noteSealed: await sealNote(keys, id, note),
    closedBy: actor.userId,
    closedAt: now,
  };
  const isClosedByThis = sql`EXISTS (SELECT 1 FROM privacy_reviews WHERE id = ${id} AND note_sealed = ${closed.noteSealed})`;
  const [changed] = await batch(db, [
    db
      .update(privacyReviews)
      .set(closed)
      .where(and(isOfHospital(id, effectiveRole), eq(privacyReviews.status, "open"), isStillOfficer(call, effectiveRole)))
      .returning({ id: privacyReviews.id }),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { ...event.detail, outcome }, when: sql`changes() > 0` }),
    ...(row.kind === "emergency" ? [] : notifyAsker(call, row, isClosedByThis)),
  ]);
  if (changed.length === 0) return failWithAudit(call, "conflict", event, "The review is closed already.");
  return toReview(keys, { ...row, ...closed });
}

function isStillOfficer({ actor, now }: UserCall, { hospitalId }: UserEffectiveRole): SQL {
  const { from, where } = activeSession(actor, now);
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND s.hospital_id = ${hospitalId} AND m.privacy_officer = 1
    AND h.id IS NOT NULL AND NOT ${enrolmentRequired(now)})`;
}

/** The person who asked, while the record is linked to their login. The answer is read in the portal only. */
const notifyAsker = ({ db, actor, now }: UserCall, { kind, refId, openedBy, hospitalId, patientId }: ReviewRow, when: SQL) =>
  notify(db, actor, now, {
    kind: "privacy.question_answered",
    hospitalId,
    refs: kind === "guardianship" ? { guardianship_id: refId } : { event_id: refId },
    recipients: sql`SELECT l.user_id FROM patient_links l WHERE l.user_id = ${openedBy} AND l.patient_id = ${patientId}`,
    when,
  });
