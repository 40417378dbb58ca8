// Questions of patients about entries of their own access log and about guardianships over them, which privacy officers answer by
// closing the review.

import { and, eq, inArray, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { isOpenGuardianship } from "../../access/guardians.ts";
import { findOwnEntry } from "../../audit/proofs.ts";
import { selectPlaces } from "../../audit/visible-logs.ts";
import { selectWithheld } from "../../audit/withheld.ts";
import type { LogEntry } from "../../audit-log/contract.ts";
import { buildPage, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { privacyReviews, SELF_CARE_HOSPITAL_ID } from "../../platform/db/schema.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { openReview } from "../reviews/open-review.ts";
import { isHiddenFromLog, type ReviewContent, type ReviewRow, unsealContent, unsealNote } from "../reviews/review.ts";

async function toQuestion({ keys }: Pick<Call, "keys">, row: ReviewRow) {
  const [{ text }, answer] = await Promise.all([unsealContent(keys, row), unsealNote(keys, row)]);
  return {
    question_id: row.id,
    event_id: row.kind === "question" ? row.refId : null,
    guardianship_id: row.kind === "guardianship" ? row.refId : null,
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    text: text === "" ? null : text,
    asked_at: toIso(row.openedAt),
    status: row.status,
    outcome: row.outcome,
    answer,
    answered_at: toIsoOrNull(row.closedAt),
  };
}

/** Nobody reads what another person asks about them: a guardian may have claimed the record too. */
const isVisible = ({ actor }: UserCall) =>
  sql`(${privacyReviews.openedBy} = ${actor.userId} OR ${privacyReviews.subjectUserId} IS NOT ${actor.userId})`;
const ownRecords = ({ actor }: UserCall) => sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = ${actor.userId})`;
const isQuestionOf = (patientId: string) =>
  sql`privacy_reviews WHERE patient_id = ${patientId} AND kind IN ('question', 'guardianship')`;

type QuestionKind = "question" | "guardianship";
const QUESTION_KINDS = ["question", "guardianship"] as const satisfies readonly QuestionKind[];

const selectQuestion = (call: UserCall, refId: string, kind: QuestionKind) =>
  call.db
    .select()
    .from(privacyReviews)
    .where(
      and(
        eq(privacyReviews.refId, refId),
        eq(privacyReviews.kind, kind),
        sql`${privacyReviews.patientId} IN ${ownRecords(call)}`,
        isVisible(call),
      ),
    )
    .limit(1);

const toReviewedEvent = (entry: LogEntry): NonNullable<ReviewContent["event"]> => ({
  event_id: entry.id,
  event: entry.event,
  action: entry.action,
  outcome: entry.outcome,
  recorded: toIso(entry.recorded),
  actor: { kind: entry.actor.kind, id: entry.actor.id, role: entry.actor.role },
  actor_hospital_id: entry.actor_hospital_id,
  basis: entry.basis,
  purpose: entry.purpose,
  entity: entry.entity,
});

/** Records of others that the caller decides or has decided about as a guardian. */
const selectHeld = ({ db, actor }: UserCall) =>
  db.all<{ patientId: string }>(sql`SELECT g.patient_id AS patientId FROM guardianships g WHERE g.guardian_id = ${actor.userId}`);

/**
 * Asks the privacy officers of the hospital about an entry of the own access log. A second question about the same entry changes
 * nothing and returns the first.
 * @throws ApiError not_found (no entry of the own log), conflict (an access to no hospital's data), limit_reached
 */
export async function askQuestion(env: Env, anyCall: Call, eventId: string, text: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "privacy_question:create", (effectiveRole, call) => [
    selectPlaces(call.db, { limit: 1 }, effectiveRole, call.actor),
    selectQuestion(call, eventId, "question"),
    selectWithheld(call.db, effectiveRole, call.actor, call.now),
    selectHeld(call),
  ]);
  const [places, [asked], withheld, held] = results;
  if (asked) return { question: await toQuestion(call, asked), isNew: false };
  const found = await findOwnEntry(env, call, places, withheld, eventId);
  const denyQuestion = () => denyNotFound(call, "privacy_question:create", effectiveRole, { audit_event: eventId });
  if (!found) return denyQuestion();
  const { entry, patientId } = found;
  const subjectUserId = entry.actor.kind === "user" ? entry.actor.id : null;
  // What a guardian has done is the person's to ask about; the answer does not depend on whether they have.
  if (subjectUserId === call.actor.userId && held.some((one) => one.patientId === patientId)) return denyQuestion();
  const event = questionEvent(effectiveRole, entry.hospital_id, eventId);
  if (entry.hospital_id === null || entry.hospital_id === SELF_CARE_HOSPITAL_ID)
    return failWithAudit(
      call,
      "conflict",
      { ...event, subjects: [patientId] },
      "The entry is about no hospital's data: no privacy officer is responsible.",
    );
  const about = { kind: "question", refId: entry.id, subjectUserId, event: toReviewedEvent(entry) } as const;
  const { id, row } = await openQuestion(call, { ...about, patientId, hospitalId: entry.hospital_id, text }, event);
  // Another request was first, and the record was unlinked since.
  if (!row) return denyQuestion();
  return { question: await toQuestion(call, row), isNew: row.id === id };
}

type Guardianship = { patientId: string; hospitalId: string; guardianId: string };

/**
 * Asks the privacy officers of the hospital to look at a guardianship over the caller: whoever cannot decide cannot end it alone. A
 * second question about the same one changes nothing and returns the first.
 * @throws ApiError not_found (no guardianship over the caller, or it has ended), limit_reached
 */
export async function askAboutGuardianship(anyCall: Call, guardianshipId: string, text: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "privacy_question:create", (_, call) => [
    selectQuestion(call, guardianshipId, "guardianship"),
    call.db.all<Guardianship>(sql`SELECT g.patient_id AS patientId, p.hospital_id AS hospitalId, g.guardian_id AS guardianId
      FROM guardianships g JOIN patients p ON p.id = g.patient_id
      WHERE g.id = ${guardianshipId} AND g.patient_id IN ${ownRecords(call)} AND g.guardian_id <> ${call.actor.userId}
        AND ${isOpenGuardianship(call.now)}`),
  ]);
  const [[asked], [found]] = results;
  if (asked) return { question: await toQuestion(call, asked), isNew: false };
  const denyQuestion = () => denyNotFound(call, "privacy_question:create", effectiveRole, { guardianship: guardianshipId });
  if (!found) return denyQuestion();
  const { patientId, hospitalId, guardianId } = found;
  const event = {
    ...questionEvent(effectiveRole, hospitalId, guardianshipId),
    entity: { type: "guardianship", id: guardianshipId },
  };
  const about = { kind: "guardianship", refId: guardianshipId, subjectUserId: guardianId, event: null } as const;
  const { id, row } = await openQuestion(call, { ...about, patientId, hospitalId, text }, event);
  if (!row) return denyQuestion();
  return { question: await toQuestion(call, row), isNew: row.id === id };
}

type NewQuestion = Pick<ReviewRow, "refId" | "patientId" | "hospitalId" | "subjectUserId"> &
  ReviewContent & { kind: QuestionKind };

/** @returns the id of a new question, and the question that exists now: of two at once the first */
async function openQuestion(call: UserCall, question: NewQuestion, event: AuditEvent) {
  const { db, actor, now } = call;
  const { patientId } = question;
  const { openQuestions, questions } = ROW_LIMITS;
  const { id, statements } = await openReview(call, {
    ...question,
    limited: {
      openedAt: unlessFull(sql`CAST(${now} AS INTEGER)`, openQuestions, sql`${isQuestionOf(patientId)} AND status = 'open'`),
      openedBy: unlessFull(actor.userId, questions, isQuestionOf(patientId)),
    },
  });
  const opened = sql`FROM privacy_reviews WHERE id = ${id}`;
  const when = sql`EXISTS (SELECT 1 ${opened})`;
  const subjectsQuery = sql`SELECT patient_id ${opened} AND NOT ${isHiddenFromLog}`;
  const batched = await batch(db, [
    ...statements,
    ...recordAuditEvent(db, actor, now, { ...event, subjectsQuery, when }),
    selectQuestion(call, question.refId, question.kind),
  ]).catch((error: unknown) => {
    throw toLimitError(error, openQuestions, questions);
  });
  const [row] = batched.at(-1) as ReviewRow[];
  return { id, row };
}

const questionEvent = ({ role }: UserEffectiveRole, hospitalId: string | null, eventId: string) =>
  ({
    event: "privacy_question.create",
    action: "C",
    role,
    basis: "self",
    hospitalId,
    entity: { type: "audit_event", id: eventId },
  }) as const;

/** Lists the questions about the caller's own records, newest first, with their answers. */
export async function listQuestions(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "privacy-questions", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "privacy_question:read", (_, call) => {
    const isOwn = and(
      inArray(privacyReviews.kind, QUESTION_KINDS),
      sql`${privacyReviews.patientId} IN ${ownRecords(call)}`,
      isVisible(call),
    );
    return [
      call.db
        .select()
        .from(privacyReviews)
        .where(and(isOwn, start.after ? sql`${privacyReviews.id} < ${start.after.id}` : undefined))
        .orderBy(sql`${privacyReviews.id} DESC`)
        .limit(start.limit + 1)
        .offset(start.skip),
      call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM privacy_reviews WHERE ${isOwn}`),
    ];
  });
  const [found, [counted]] = results;
  const count = { n: counted?.n ?? 0, exact: true };
  const { rows, pagination } = await buildPage(start, found, ({ id }) => ({ value: 0, id }), count);
  const stored = appendAuditEvent(call, {
    event: "privacy_question.list",
    action: "R",
    role: effectiveRole.role,
    hospitalId: null,
    detail: { count: rows.length },
  });
  return { items: await afterAudit(stored, Promise.all(rows.map((row) => toQuestion(call, row)))), pagination };
}
