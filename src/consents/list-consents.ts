// Consents as their person and the hospital that asked see them.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../access/audit.ts";
import { isForReader } from "../access/consented.ts";
import { denyNotFound } from "../access/deny.ts";
import { patientVisibility } from "../access/visibility.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { CONSENT_COLUMNS, type ConsentRow, toConsent } from "./consent-rows.ts";
import { selectConsentsOf } from "./persons.ts";
import type { ConsentState } from "./states.ts";

export type ConsentFilters = PageQuery & { status?: ConsentState | undefined; patient_id?: string | undefined };

/** Rows `c` that the caller may see: a person those about them, staff those of records that they see. */
const isVisible = (effectiveRole: UserEffectiveRole, { actor, now }: UserCall): SQL =>
  effectiveRole.role === "patient"
    ? sql`c.id IN (${selectConsentsOf(actor.userId, now)})`
    : patientVisibility(effectiveRole, actor, sql`c.patient_id`, sql`c.hospital_id`);

/** Colleagues do not learn where the records are that a person shares with one practitioner. */
const isForCaller = ({ actor }: UserCall): SQL => sql`${isForReader(sql`${actor.userId}`)} AS isForReader`;

/** The state by the clock. */
const isInState = (status: ConsentState, now: number): SQL => {
  const isRunning = sql`(c.status = 'requested' AND c.answer_until > ${now}) OR (c.status = 'granted' AND c.expires_at > ${now})`;
  if (status === "expired") return sql`(c.status = 'expired' OR (c.status IN ('requested', 'granted') AND NOT (${isRunning})))`;
  return status === "requested" || status === "granted"
    ? sql`(c.status = ${status} AND (${isRunning}))`
    : sql`c.status = ${status}`;
};

/** Newest first. */
export async function listConsents(anyCall: Call, query: ConsentFilters) {
  const { status, patient_id: patientId } = query;
  const start = await resolvePageStart(anyCall, "consents", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:read", (effectiveRole, call) => {
    const rows = sql`consents c WHERE ${isVisible(effectiveRole, call)}
      AND ${status ? isInState(status, call.now) : sql`1`} AND ${patientId ? sql`c.patient_id = ${patientId}` : sql`1`}`;
    const after = start.after ? sql`(c.created_at, c.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      call.db.all<ConsentRow>(sql`SELECT ${CONSENT_COLUMNS}, ${isForCaller(call)} FROM ${rows} AND ${after}
        ORDER BY c.created_at DESC, c.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [rows, [counted]] = results;
  const key = (row: ConsentRow) => ({ value: row.createdAt, id: row.id });
  const page = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    page.rows,
    (row) => row.hospitalId,
    hospitalId,
    (of) => ({
      event: "consent.list",
      action: "R",
      role,
      subjects: of.map((row) => row.patientId),
      detail: { count: of.length },
    }),
  );
  const items = Promise.all(page.rows.map((row) => toConsent(call.keys, row, call.now, role === "patient")));
  return { items: await afterAudit(appendAuditEvent(call, events), items), pagination: page.pagination };
}

/** @throws ApiError not_found */
export async function getConsent(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "consent:read", (effectiveRole, call) => [
    call.db.all<ConsentRow>(
      sql`SELECT ${CONSENT_COLUMNS}, ${isForCaller(call)} FROM consents c WHERE c.id = ${id} AND ${isVisible(effectiveRole, call)}`,
    ),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, "consent:read", effectiveRole, { consent: id });
  const { role } = effectiveRole;
  const stored = appendAuditEvent(call, {
    event: "consent.read",
    action: "R",
    role,
    hospitalId: row.hospitalId,
    entity: { type: "consent", id },
    subjects: [row.patientId],
  });
  return afterAudit(stored, toConsent(call.keys, row, call.now, role === "patient"));
}
