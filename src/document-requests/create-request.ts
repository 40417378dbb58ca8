// Staff asks for documents of a patient of their own hospital: the request and its consent, which the person decides about.
import { sql } from "drizzle-orm";
import { type Call, getActorId, type UserEffectiveRole } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import type { Access } from "../access/patient-access.ts";
import { requestConsent } from "../consents/request-consent.ts";
import { findScopeErrors } from "../consents/scope.ts";
import type { DocumentTypeCode } from "../documents/document-types.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { isConditionFailed } from "../platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { ApiError, type FieldError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { DAY_MS } from "../platform/time.ts";
import { readAfter } from "./list-requests.ts";
import { REQUEST_MS, toDataDates } from "./open-dates.ts";
import { type RequestRow, sealText, toDocumentRequest } from "./request-rows.ts";

/** How long the fulfilled documents can be read, unless the request says otherwise. */
const DEFAULT_LIFE_MS = 90 * DAY_MS;

/** Times in Unix ms. `dateTo` is not included. */
export type NewRequest = {
  patientId: string;
  /** Null: the person chooses. */
  hospitalId: string | null;
  type: DocumentTypeCode | null;
  description: string;
  dateFrom: number | null;
  dateTo: number | null;
  purpose: (typeof CONSENT_PURPOSES)[number];
  expiresAt: number | null;
};

const fieldError = (path: string, message: string): FieldError => ({ path, message, code: "custom" });
const invalid = (errors: FieldError[]) => new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });

/** The fields of a consent as a request names them. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ["data_from", "date_from"],
  ["data_until", "date_to"],
]);

/** The consent covers what is asked for: without dates, everything until the request expires. */
function toScope({ dateFrom, dateTo, expiresAt }: NewRequest, now: number) {
  const end = expiresAt ?? now + DEFAULT_LIFE_MS;
  return { kinds: ["documents"] as const, ...toDataDates(dateFrom, dateTo, now), expiresAt: end, eraseAt: end };
}

/** The statements that belong to the consent. A hospital that cannot be asked fails the batch (`document_requests.status`). */
function insertRequest(
  call: Call,
  id: string,
  request: NewRequest,
  descriptionSealed: string,
  consentId: string,
  access: Access,
) {
  const { db, actor, now } = call;
  const { patient, role, basis, hospitalId } = access;
  const asked = sql`(SELECT h.id FROM hospitals h WHERE h.id = ${request.hospitalId} AND h.active = 1
    AND h.id NOT IN (${hospitalId}, ${SELF_CARE_HOSPITAL_ID}))`;
  const status = request.hospitalId === null ? sql`'requested'` : sql`iif(${asked} IS NULL, NULL, 'requested')`;
  return [
    db.run(sql`INSERT INTO document_requests (id, hospital_id, patient_id, consent_id, asked_hospital_id, status, description_sealed,
        type_code, date_from, date_to, requested_by, expires_at, created_at, updated_at)
      VALUES (${id}, ${hospitalId}, ${patient.id}, ${consentId}, ${asked}, ${status}, ${descriptionSealed}, ${request.type},
        CAST(${request.dateFrom} AS INTEGER), CAST(${request.dateTo} AS INTEGER), ${getActorId(actor)},
        CAST(${now + REQUEST_MS} AS INTEGER), CAST(${now} AS INTEGER), CAST(${now} AS INTEGER))`),
    ...recordAuditEvent(db, actor, now, {
      event: "document_request.create",
      action: "C",
      role,
      basis,
      hospitalId,
      entity: { type: "document_request", id },
      subjects: [patient.id],
      detail: { consent_id: consentId, purpose: request.purpose },
    }),
  ];
}

/**
 * Creates a request with its consent, in one batch. It says nothing of other hospitals: the asked one learns of it by the grant.
 * @throws ApiError not_found, forbidden, invalid_request, limit_reached
 */
export async function createRequest(call: Call, request: NewRequest, keyStatements: KeyStatements) {
  const { keys, actor, now } = call;
  const { patientId, purpose, description } = request;
  const scope = toScope(request, now);
  const errors = findScopeErrors(scope, now).map((error) => ({ ...error, path: FIELDS.get(error.path) ?? error.path }));
  if (errors.length > 0) throw invalid(errors);
  const id = uuidv7();
  const descriptionSealed = await sealText(keys, "description", id, description);
  const answers: { row: RequestRow; viewer: UserEffectiveRole }[] = [];
  const attach = (consentId: string, access: Access) => {
    const viewer = access.effectiveRole;
    if (actor.kind !== "user" || viewer === null || viewer.role === "app") throw new ApiError("forbidden");
    const read = readAfter({ ...call, actor }, viewer, id, (row) => answers.push({ row, viewer }));
    return [...insertRequest(call, id, request, descriptionSealed, consentId, access), read];
  };
  const consent = { patientId, purpose, reason: description, isForDocumentsOnly: true, ...scope };
  const options = { permission: "document_request:create", attach } as const;
  await requestConsent(call, consent, () => keyStatements(id), options).catch((error: unknown) => {
    if (isConditionFailed(error, "document_requests.status"))
      throw invalid([fieldError("hospital_id", "Must be another hospital that is active")]);
    throw error;
  });
  const [answer] = answers;
  if (!answer) throw new ApiError("unavailable");
  return toDocumentRequest(keys, answer.row, answer.viewer);
}
