// API schemas of document requests.
import { z } from "@hono/zod-openapi";
import { DOCUMENT_TYPE_CODES } from "../documents/document-types.ts";
import { pageQuery } from "../http/pagination.ts";
import { EXAMPLES, Id, PatientRef, TimeInput, Timestamp, Uuid } from "../http/router.ts";
import { CONSENT_PURPOSES, DOCUMENT_REQUEST_STATES } from "../platform/db/vocabulary.ts";
import { plainText } from "../platform/text.ts";
import { MAX_DOCUMENTS } from "./fulfil-request.ts";

export const DocumentRequestId = Uuid.openapi({ example: EXAMPLES.documentRequest });
export const Hospital = z.object({ hospital_id: Id, name: z.string() });
const Status = z.enum(DOCUMENT_REQUEST_STATES);
const CORRUPT = "In lists, null if the stored value is corrupt";

export const DocumentRequest = z
  .object({
    document_request_id: DocumentRequestId,
    status: Status,
    direction: z.enum(["in", "out"]).nullable().openapi({ description: "As the caller's hospital sees it. Null for a person" }),
    requesting_hospital: Hospital,
    hospital: Hospital.nullable().openapi({
      description: "The hospital that is asked. Null while the person has not chosen one",
    }),
    patient_id: Id.nullable().openapi({ description: "The record of the requesting hospital. Null for the asked one" }),
    shared_patient_ids: z.array(Id).openapi({
      description:
        "Records that the person shares. Empty before the grant and, for the requesting hospital, once the consent has ended",
    }),
    consent_id: Uuid,
    purpose: z.enum(CONSENT_PURPOSES),
    description: z.string().nullable().openapi({ description: CORRUPT }),
    type: z.object({ code: z.string().openapi({ description: "LOINC" }), display: z.string() }).nullable(),
    date_from: Timestamp.nullable(),
    date_to: Timestamp.nullable(),
    reason: z
      .string()
      .nullable()
      .openapi({ description: `Why it was rejected. ${CORRUPT}` }),
    document_ids: z.array(Id).openapi({
      description: "Documents that fulfil the request. Empty for the requesting hospital once the consent has ended",
    }),
    requested_by: Id,
    decided_at: Timestamp.nullable().openapi({ description: "When the person granted or denied the consent" }),
    answered_by: Id.nullable().openapi({ description: "Who approved or rejected it" }),
    answered_at: Timestamp.nullable(),
    ended_by: Id.nullable().openapi({ description: "Who rejected, fulfilled or cancelled it" }),
    ended_at: Timestamp.nullable(),
    expires_at: Timestamp.openapi({ description: "When a request that is not fulfilled ends" }),
    access_until: Timestamp.openapi({ description: "Until when documents that fulfil it can be read, while the consent lives" }),
    is_readable: z.boolean().openapi({ description: "Whether the requesting hospital can read them now" }),
    created_at: Timestamp,
    version: z.int(),
  })
  .openapi("DocumentRequest");

export const exampleRequest = {
  document_request_id: EXAMPLES.documentRequest,
  status: "requested" as const,
  direction: "out" as const,
  requesting_hospital: { hospital_id: EXAMPLES.hospital, name: "City Hospital" },
  hospital: null,
  patient_id: EXAMPLES.patient,
  shared_patient_ids: [],
  consent_id: EXAMPLES.consent,
  purpose: "CAREMGT" as const,
  description: "Discharge summary of the pneumonia in spring",
  type: { code: "18842-5", display: "Discharge summary" },
  date_from: "2026-01-01T00:00:00.000Z",
  date_to: "2026-07-01T00:00:00.000Z",
  reason: null,
  document_ids: [],
  requested_by: EXAMPLES.user,
  decided_at: null,
  answered_by: null,
  answered_at: null,
  ended_by: null,
  ended_at: null,
  expires_at: "2026-12-21T09:30:00.000Z",
  access_until: "2027-06-30T00:00:00.000Z",
  is_readable: false,
  created_at: EXAMPLES.time,
  version: 1,
};

const time = TimeInput.transform((text) => Date.parse(text));
export const NewDocumentRequest = z
  .strictObject({
    patient_id: PatientRef,
    hospital_id: Id.optional().openapi({
      description: "The hospital to ask. By default the person chooses one",
      example: EXAMPLES.hospital,
    }),
    type: z.enum(DOCUMENT_TYPE_CODES).optional().openapi({ description: "LOINC code", example: "18842-5" }),
    description: plainText(3, 1000).openapi({ description: "What is needed and why, in words for the person" }),
    date_from: time.optional().openapi({ description: "Documents about this time or later", example: "2026-01-01T00:00:00Z" }),
    date_to: time.optional().openapi({ description: "Documents about an earlier time", example: "2026-07-01T00:00:00Z" }),
    purpose: z.enum(CONSENT_PURPOSES).default("CAREMGT"),
    expires_at: time.optional().openapi({
      description: "Until when the documents can be read, by default for 90 days",
      example: "2027-06-30T00:00:00Z",
    }),
  })
  .openapi("NewDocumentRequest");
export const exampleNewRequest = {
  patient_id: EXAMPLES.patient,
  type: "18842-5" as const,
  description: "Discharge summary of the pneumonia in spring",
  date_from: "2026-01-01T00:00:00Z",
  date_to: "2026-07-01T00:00:00Z",
};

export const Fulfilment = z.strictObject({
  document_ids: z
    .array(Id)
    .min(1)
    .max(MAX_DOCUMENTS)
    .openapi({ description: "Current documents of the records that are shared" }),
});
export const Rejection = z.strictObject({ reason: z.string().trim().min(3).max(500) });

export const requestQuery = z.strictObject({
  ...pageQuery,
  direction: z
    .enum(["in", "out"])
    .optional()
    .openapi({ description: "For staff: requests to their hospital, or those that it made" }),
  status: Status.optional(),
  patient_id: Id.optional().openapi({ description: "The record of either hospital" }),
});
