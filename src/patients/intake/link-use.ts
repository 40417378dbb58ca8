// What a link to an intake form opens without an account: the questions, and one submission of answers.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { hashOneTimeToken } from "../../access/one-time-tokens.ts";
import { notify } from "../../notifications/notify.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { findUnasked, type IntakeAnswers, readForm, sealAnswers } from "./form.ts";
import { isOpenLink, LINK_COLUMNS, type LinkRow } from "./links.ts";

type OpenedLink = LinkRow & { hospitalName: string; open: number };

/** The link of an open hospital. A record that was locked or merged meanwhile ends it. @throws ApiError not_found, link_expired */
async function requireOpenLink({ db, keys, now }: Call, token: string): Promise<OpenedLink> {
  const hash = await hashOneTimeToken(keys, "intake", token);
  const [row] = await db.all<OpenedLink>(sql`SELECT ${LINK_COLUMNS}, h.name AS hospitalName, ${isOpenLink(now)}
      AND (k.patient_id IS NULL OR EXISTS (SELECT 1 FROM patients p WHERE p.id = k.patient_id AND p.restricted_at IS NULL
        AND p.merged_into IS NULL)) AS open
    FROM intake_links k JOIN hospitals h ON h.id = k.hospital_id AND h.active = 1 WHERE k.token_hash = ${hash}`);
  if (!row) throw new ApiError("not_found");
  if (row.open === 0)
    throw new ApiError("link_expired", "The link was used, was withdrawn or has expired; ask the clinic for another.");
  return row;
}

const linkEvent = (event: "intake.open" | "intake.submit", action: "R" | "C", { id, hospitalId }: LinkRow) =>
  ({ event, action, hospitalId, entity: { type: "intake_link", id } }) as const;

/** The answer is the same for a link with and without a record. @throws ApiError not_found, link_expired */
export async function openLink(call: Call, token: string) {
  const row = await requireOpenLink(call, token);
  const form = await readForm(call.keys, row.id, row.formSealed);
  await appendAuditEvent(call, linkEvent("intake.open", "R", row));
  return { hospital_name: row.hospitalName, ...form, language: row.language, expires_at: toIso(row.expiresAt) };
}

/**
 * Stores the answers for review; of several submissions with one link, one counts.
 * @throws ApiError not_found, link_expired, invalid_request (an answer to what is not asked), limit_reached
 */
export async function submitByLink(call: Call, token: string, answers: IntakeAnswers) {
  const { db, keys, actor, now } = call;
  const row = await requireOpenLink(call, token);
  const unasked = findUnasked(await readForm(keys, row.id, row.formSealed), answers);
  if (unasked.length > 0) {
    const errors = unasked.slice(0, 20).map((path) => ({ path, message: "The form does not ask for it", code: "unasked" }));
    throw new ApiError("invalid_request", "Some answers are to nothing that is asked; see errors.", { errors });
  }
  const id = uuidv7();
  const answersSealed = await sealAnswers(keys, id, answers);
  const open = sql`intake_submissions WHERE hospital_id = ${row.hospitalId} AND state = 'submitted'`;
  const isStored = sql`EXISTS (SELECT 1 FROM intake_submissions WHERE id = ${id})`;
  const [used] = await batch(db, [
    db.all(
      sql`UPDATE intake_links AS k SET used_at = CAST(${now} AS INTEGER) WHERE k.id = ${row.id} AND ${isOpenLink(now)} RETURNING 1`,
    ),
    db.run(sql`INSERT INTO intake_submissions (id, hospital_id, patient_id, link_id, source, state, answers_sealed, submitted_at)
      SELECT ${id}, ${row.hospitalId}, ${row.patientId}, ${row.id}, ${unlessFull("link", ROW_LIMITS.openSubmissions, open)}, 'submitted',
        ${answersSealed}, CAST(${now} AS INTEGER) WHERE changes() > 0`),
    ...recordAuditEvent(db, actor, now, {
      ...linkEvent("intake.submit", "C", row),
      detail: { submission_id: id },
      when: isStored,
    }),
    ...notify(db, actor, now, {
      kind: "intake.submitted",
      hospitalId: row.hospitalId,
      refs: { submission_id: id, recipient: "staff", ...(row.patientId !== null && { patient_id: row.patientId }) },
      recipients: sql`SELECT m.user_id FROM memberships m WHERE m.user_id = ${row.createdBy} AND m.hospital_id = ${row.hospitalId}
        AND m.ended_at IS NULL`,
      when: isStored,
    }),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.openSubmissions);
  });
  if (used.length === 0) throw new ApiError("link_expired", "The link was used meanwhile; ask the clinic for another.");
  return { received_at: toIso(now) };
}
