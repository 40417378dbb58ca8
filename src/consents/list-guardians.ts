// Guardianships as the staff of a record and the guardian see them.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../access/audit.ts";
import { accessFields, withPatient } from "../access/patient-access.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, type PageStart, resolvePageStart } from "../http/pagination.ts";
import type { Db } from "../platform/db/client.ts";
import { type GuardianshipRow, selectGuardianships, toGuardianship } from "./guardian-rows.ts";

/** A page of rows `g`, newest first, and their number. */
function selectPage(db: Db, start: PageStart, condition: SQL) {
  const after = start.after ? sql`(g.recorded_at, g.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
  return [
    db.all<GuardianshipRow>(
      selectGuardianships(sql`${condition} AND ${after}
        ORDER BY g.recorded_at DESC, g.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
    ),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM guardianships g WHERE ${condition} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ] as const;
}

const toPage = (start: PageStart, rows: GuardianshipRow[], count: number) =>
  buildPage(start, rows, (row) => ({ value: row.recordedAt, id: row.id }), { n: count, exact: false });

/** The guardians of a record, ended ones included, newest first. @throws ApiError not_found */
export async function listGuardians(call: Call, patientRef: string, query: PageQuery) {
  const { db, keys, now } = call;
  const start = await resolvePageStart(call, `guardians of ${patientRef}`, query);
  const { access, results } = await withPatient(call, { patient: patientRef }, "guardian:read", (patientId) =>
    selectPage(db, start, sql`g.patient_id = ${patientId}`),
  );
  const [found, [counted]] = results;
  const { rows, pagination } = await toPage(start, found, counted?.n ?? 0);
  const detail = { count: rows.length };
  const event = { ...accessFields(access), event: "guardian.list", action: "R", subjects: [access.patient.id], detail } as const;
  const items = Promise.all(rows.map((row) => toGuardianship(keys, row, now, true)));
  return { items: await afterAudit(appendAuditEvent(call, event), items), pagination };
}

/** The caller's guardianships, ended ones included, newest first. */
export async function listGuardianships(anyCall: Call, query: PageQuery) {
  const start = await resolvePageStart(anyCall, "guardianships", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "guardianship:read", (_, { db, actor }) =>
    selectPage(db, start, sql`g.guardian_id = ${actor.userId}`),
  );
  const [found, [counted]] = results;
  const { rows, pagination } = await toPage(start, found, counted?.n ?? 0);
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (of) => ({
      event: "guardianship.list",
      action: "R",
      role,
      basis: "guardian",
      subjects: of.map((row) => row.patientId),
      detail: { count: of.length },
    }),
  );
  const items = Promise.all(rows.map((row) => toGuardianship(call.keys, row, call.now, false)));
  return { items: await afterAudit(appendAuditEvent(call, events), items), pagination };
}
