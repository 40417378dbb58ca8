// Guardianships as the staff of a record, the guardian and the person see them.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../access/audit.ts";
import { accessFields, withPatient } from "../access/patient-access.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, type PageStart, resolvePageStart } from "../http/pagination.ts";
import type { Db } from "../platform/db/client.ts";
import { type GuardianshipRow, isOverLogin, selectGuardianships, toGuardianship } from "./guardian-rows.ts";

export const GUARDIAN_SIDES = ["guardian", "person"] as const;
export type GuardianSide = (typeof GUARDIAN_SIDES)[number];

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
  const items = Promise.all(rows.map((row) => toGuardianship(keys, row, now, "staff")));
  return { items: await afterAudit(appendAuditEvent(call, event), items), pagination };
}

/** Rows `g` of a login: those that it holds, and those over its person. */
function isOf(userId: string, side: GuardianSide | undefined): SQL {
  const isHeld = sql`g.guardian_id = ${userId}`;
  if (side === "guardian") return isHeld;
  const isOver = sql`(${isOverLogin(userId)} AND g.guardian_id <> ${userId})`;
  return side === "person" ? isOver : sql`(${isHeld} OR ${isOver})`;
}

/** The guardianships that the caller holds and those over them, ended ones included, newest first. */
export async function listGuardianships(anyCall: Call, query: PageQuery & { caller?: GuardianSide | undefined }) {
  const side = query.caller;
  const start = await resolvePageStart(anyCall, `guardianships:${side ?? ""}`, query);
  const { call, effectiveRole, results } = await withUser(anyCall, "guardianship:read", (_, { db, actor }) =>
    selectPage(db, start, isOf(actor.userId, side)),
  );
  const [found, [counted]] = results;
  const { rows, pagination } = await toPage(start, found, counted?.n ?? 0);
  const { role, hospitalId } = effectiveRole;
  const callerOf = (row: GuardianshipRow) => (row.guardianId === call.actor.userId ? "guardian" : "person");
  const toEvents = (of: readonly GuardianshipRow[], caller: GuardianSide) =>
    toListEvents(
      of,
      (row) => row.hospitalId,
      hospitalId,
      (group) => ({
        event: "guardianship.list",
        action: "R",
        role,
        basis: caller === "person" ? "self" : "guardian",
        subjects: group.map((row) => row.patientId),
        detail: { count: group.length },
      }),
    );
  const sides = [...Map.groupBy(rows, callerOf)];
  const events = sides.length === 0 ? toEvents([], side ?? "guardian") : sides.flatMap(([caller, of]) => toEvents(of, caller));
  const items = Promise.all(rows.map((row) => toGuardianship(call.keys, row, call.now, callerOf(row))));
  return { items: await afterAudit(appendAuditEvent(call, events), items), pagination };
}
