// Lists of documents, newest first, in one round trip.
import { and, type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole, PrincipalCall } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { selectGroundOf } from "../../access/emergency.ts";
import { roleAllows } from "../../access/permissions.ts";
import { countedVisibility, patientVisibility } from "../../access/visibility.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, resolvePageStart } from "../../http/pagination.ts";
import { documents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { openListItems } from "../../platform/sealed-documents.ts";
import { type DocumentRow, selectDocuments, toDocument } from "./document.ts";
import type { DocumentQuery } from "./schemas.ts";

/** Filters without an index over a hospital's documents: they are for the documents of one patient. */
const FILTERS_OF_A_PATIENT = ["type", "content_type", "date_from", "date_to"] as const;

const isOfOnePatient = ({ role }: EffectiveRole, query: DocumentQuery) => role === "patient" || query.patient_id !== undefined;

/** The filters of the query that need a patient and have none. */
function listUnboundFilters(effectiveRole: EffectiveRole, query: DocumentQuery): string[] {
  if (isOfOnePatient(effectiveRole, query)) return [];
  return [...FILTERS_OF_A_PATIENT.filter((name) => query[name] !== undefined), ...(query.status === "current" ? [] : ["status"])];
}

/** What opens a document of the record that the list is about beyond the role; nothing opens a hospital's list. */
const groundOf = (effectiveRole: EffectiveRole, { actor, now }: PrincipalCall, { patient_id }: DocumentQuery): SQL =>
  patient_id === undefined
    ? sql`NULL`
    : selectGroundOf(effectiveRole, actor, now, {
        patientId: sql`documents.patient_id`,
        hospitalId: sql`+documents.hospital_id`,
        kind: sql`'documents'`,
        at: sql`documents.date_at`,
        documentId: sql`documents.id`,
      });

/** The condition for visible rows that match. SQLite has no statistics here: `+` keeps it from the index of a whole hospital. */
function buildFilter(
  effectiveRole: EffectiveRole,
  call: PrincipalCall,
  query: DocumentQuery,
  visibility: typeof patientVisibility,
): SQL | undefined {
  const hospitalId = isOfOnePatient(effectiveRole, query) ? sql`+documents.hospital_id` : sql`documents.hospital_id`;
  const { patient_id, type, content_type, status, date_from, date_to } = query;
  return and(
    sql`((${visibility(effectiveRole, call.actor, sql`documents.patient_id`, hospitalId)}) OR
      (+documents.status <> 'entered-in-error' AND ${groundOf(effectiveRole, call, query)} IS NOT NULL))`,
    patient_id === undefined ? undefined : sql`documents.patient_id = ${patient_id}`,
    sql`+documents.status = ${status}`,
    // Those who may not correct do not see what was entered in error.
    roleAllows(effectiveRole, "document:correct") ? undefined : sql`+documents.status <> 'entered-in-error'`,
    type === undefined ? undefined : sql`documents.type_code = ${type}`,
    content_type === undefined ? undefined : sql`documents.content_type = ${content_type}`,
    date_from === undefined ? undefined : sql`+documents.date_at >= ${Date.parse(date_from)}`,
    date_to === undefined ? undefined : sql`+documents.date_at < ${Date.parse(date_to)}`,
  );
}

/**
 * Lists documents of patients whom the caller may see.
 * @throws ApiError invalid_request for a filter that needs patient_id
 */
export async function listDocuments(anyCall: Call, query: DocumentQuery) {
  const start = await resolvePageStart(anyCall, "documents", query);
  const { where, orderBy } = keysetClauses(start, documents.createdAt, documents.id);
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "document:read", (effectiveRole, call) => {
    const { db } = call;
    const isRefused = listUnboundFilters(effectiveRole, query).length > 0;
    const visible = isRefused ? sql`0` : buildFilter(effectiveRole, call, query, patientVisibility);
    const counted = isRefused
      ? sql`0`
      : buildFilter(effectiveRole, call, query, query.patient_id ? patientVisibility : countedVisibility);
    return [
      selectDocuments({ db }, and(visible, where), groundOf(effectiveRole, call, query))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM documents WHERE ${counted ?? sql`1`} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const unbound = listUnboundFilters(effectiveRole, query);
  if (unbound.length > 0) throw unboundError(unbound);
  const [found, [counted]] = results;
  const key = (row: DocumentRow) => ({ value: row.createdAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const opened = openListItems(call.actor.via.requestId, rows, (row, onCorrupt) => toDocument(call, row, onCorrupt));
  const { items } = await afterAudit(appendAuditEvent(call, listEvents(effectiveRole, rows)), opened);
  return { items, pagination };
}

const unboundError = (names: readonly string[]) =>
  new ApiError("invalid_request", "These filters require patient_id.", {
    errors: names.map((path) => ({ path, message: "Requires patient_id", code: "required" })),
  });

const listEvents = ({ role, hospitalId }: EffectiveRole, rows: readonly DocumentRow[]) =>
  toListEvents(
    rows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      event: "document.list",
      action: "R",
      role,
      subjects: ofHospital.map(({ patientId }) => patientId),
      detail: { document_ids: ofHospital.map(({ id }) => id) },
    }),
    ({ ground }) => ground ?? null,
  );
