// The asked hospital names the documents that answer a request. Its consent opens these, and nothing else.
import { sql } from "drizzle-orm";
import type { Call, UserCall } from "../access/actor.ts";
import { failsUnless } from "../access/sign-in.ts";
import { ApiError, type FieldError } from "../platform/errors.ts";
import { type Advance, advance, ended, requireStep } from "./advance-request.ts";
import { parseIds } from "./request-rows.ts";

/** Documents that fulfil one request. */
export const MAX_DOCUMENTS = 20;

/** Of a document of the shared record. */
type Found = { id: string; status: string; isCovered: number };

/** Documents among `ids` of the records that the caller sees and the person shares, and whether the grant covers their date. */
const selectShared = (row: Advance["row"], ids: string) => sql`SELECT d.id AS id, d.status AS status,
    (d.date_at BETWEEN c.data_from AND c.data_until) AS isCovered
  FROM json_each(${ids}) j JOIN documents d ON d.id = j.value JOIN consents c ON c.id = ${row.consentId}
  WHERE d.patient_id IN (SELECT value FROM json_each(${row.visible}))`;

/** A document of another record and one that does not exist get the same message. */
function explain(found: Found | undefined): string | null {
  if (!found || found.status === "entered-in-error") return "Must be a document of the record that the person shares";
  if (found.status !== "current") return "Must be the current version of the document";
  return found.isCovered ? null : "Is dated outside of the time that the person shares";
}

/** @throws ApiError invalid_request with one error per document that cannot be shared */
async function checkDocuments({ db }: UserCall, row: Advance["row"], ids: readonly string[]): Promise<void> {
  const found = new Map((await db.all<Found>(selectShared(row, JSON.stringify(ids)))).map((one) => [one.id, one]));
  const errors = ids.flatMap((id, i): FieldError[] => {
    const message = ids.indexOf(id) < i ? "Must be named once" : explain(found.get(id));
    return message === null ? [] : [{ path: `document_ids.${i}`, message, code: "custom" }];
  });
  if (errors.length > 0) throw new ApiError("invalid_request", "Some documents cannot be shared; see errors.", { errors });
}

/**
 * Shares documents of the record that the person shares: current ones, dated within the grant.
 * @throws ApiError not_found, conflict (not approved, or fulfilled), invalid_request
 */
export async function fulfilRequest(anyCall: Call, id: string, documentIds: readonly string[]) {
  const step = await requireStep(anyCall, id, "fulfil");
  const { call, row } = step;
  await checkDocuments(call, row, documentIds);
  const ids = JSON.stringify(documentIds);
  return advance(
    step,
    ended(step),
    [
      failsUnless(
        call.db,
        sql`(SELECT count(*) FROM (${selectShared(row, ids)}) f WHERE f.status = 'current' AND f.isCovered = 1) = ${documentIds.length}`,
      ),
      call.db.run(sql`INSERT INTO consent_documents (consent_id, document_id)
        SELECT ${row.consentId}, j.value FROM json_each(${ids}) j WHERE true`),
    ],
    { document_ids: parseIds(ids) },
  );
}
