// Document requests as the person and both hospitals see them.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../http/pagination.ts";
import { onResult } from "../platform/db/client.ts";
import { openListItems } from "../platform/sealed-documents.ts";
import {
  directionOf,
  isIncoming,
  isOutgoing,
  isVisible,
  parseIds,
  REQUESTS,
  type RequestRow,
  selectColumns,
  toDocumentRequest,
} from "./request-rows.ts";
import { isInState, type RequestState } from "./states.ts";

export type RequestFilters = PageQuery & {
  direction?: "in" | "out" | undefined;
  status?: RequestState | undefined;
  patient_id?: string | undefined;
};

/** A person has requests about them, without a direction. */
function isInDirection(effectiveRole: UserEffectiveRole, call: UserCall, { direction }: RequestFilters): SQL {
  if (direction === undefined || effectiveRole.role === "patient") return isVisible(effectiveRole, call);
  return direction === "in" ? isIncoming(effectiveRole, call) : isOutgoing(effectiveRole, call);
}

/** What the caller sees of it: the subject in the log of the caller's hospital, or of the one that asks. */
const subjectsOf = (effectiveRole: UserEffectiveRole, row: RequestRow) =>
  directionOf(effectiveRole, row) === "in" ? parseIds(row.visible) : [row.patientId];
const logHospitalOf = (effectiveRole: UserEffectiveRole, row: RequestRow) =>
  directionOf(effectiveRole, row) === "in" ? row.askedHospitalId : row.hospitalId;

/** Newest first. */
export async function listRequests(anyCall: Call, query: RequestFilters) {
  const { status, patient_id: patientId } = query;
  const start = await resolvePageStart(anyCall, "document_requests", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "document_request:read", (effectiveRole, call) => {
    const isOfPatient = sql`(q.patient_id = ${patientId} OR EXISTS (SELECT 1 FROM consent_records r
      WHERE r.consent_id = q.consent_id AND r.patient_id = ${patientId}))`;
    const rows = sql`${REQUESTS} WHERE ${isInDirection(effectiveRole, call, query)}
      AND ${status ? isInState(status, call.now) : sql`1`} AND ${patientId ? isOfPatient : sql`1`}`;
    const after = start.after ? sql`(q.created_at, q.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      call.db.all<RequestRow>(sql`SELECT ${selectColumns(effectiveRole, call)} FROM ${rows} AND ${after}
        ORDER BY q.created_at DESC, q.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      call.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: RequestRow) => ({ value: row.createdAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const events = toListEvents(
    rows,
    (row) => logHospitalOf(effectiveRole, row),
    effectiveRole.hospitalId,
    (of) => ({
      event: "document_request.list",
      action: "R",
      role: effectiveRole.role,
      subjects: of.flatMap((row) => subjectsOf(effectiveRole, row)),
      detail: { count: of.length },
    }),
  );
  const items = openListItems(call.actor.via.requestId, rows, (row, onCorrupt) =>
    toDocumentRequest(call.keys, row, effectiveRole, onCorrupt),
  );
  return { items: (await afterAudit(appendAuditEvent(call, events), items)).items, pagination };
}

/** One request that the caller may see. @throws ApiError not_found */
export async function requireRequest(
  anyCall: Call,
  id: string,
  permission: "document_request:read" | "document_request:answer" | "document_request:create",
  select: (effectiveRole: UserEffectiveRole, call: UserCall) => SQL = isVisible,
) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, call) => [
    call.db.all<RequestRow>(sql`SELECT ${selectColumns(effectiveRole, call)} FROM ${REQUESTS}
      WHERE q.id = ${id} AND ${select(effectiveRole, call)}`),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, permission, effectiveRole, { document_request: id });
  return { call, effectiveRole, row };
}

/** The statement that reads a request as the batch leaves it, for the answer. Put it behind the changes. */
export const readAfter = (call: UserCall, effectiveRole: UserEffectiveRole, id: string, onRow: (row: RequestRow) => void) =>
  onResult(
    call.db.all<RequestRow>(sql`SELECT ${selectColumns(effectiveRole, call)} FROM ${REQUESTS} WHERE q.id = ${id}`),
    (rows) => rows.forEach(onRow),
  );

/** @throws ApiError not_found */
export async function getRequest(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireRequest(anyCall, id, "document_request:read");
  const stored = appendAuditEvent(call, {
    event: "document_request.read",
    action: "R",
    role: effectiveRole.role,
    hospitalId: logHospitalOf(effectiveRole, row),
    entity: { type: "document_request", id },
    subjects: subjectsOf(effectiveRole, row),
  });
  return afterAudit(stored, toDocumentRequest(call.keys, row, effectiveRole));
}
