// API schemas of documents and of the filters of their list.
import { z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { EXAMPLES, Id, TimeInput, Timestamp } from "../../http/router.ts";
import { ROW_LIMITS } from "../../platform/db/row-limits.ts";
import { DOCUMENT_STATUSES, DOCUMENT_TYPES } from "../../platform/db/vocabulary.ts";
import { CATEGORY, DOCUMENT_TYPE_CODES } from "../document-types.ts";

const Status = z.enum(DOCUMENT_STATUSES);
const ContentType = z.enum(DOCUMENT_TYPES);
const Uploader = z.object({ kind: z.enum(["user", "device", "app"]), id: Id });
const CORRUPT = "In lists, null if the stored value is corrupt";

export const Document = z
  .object({
    document_id: Id.openapi({ example: EXAMPLES.document, description: "Of this version" }),
    status: Status,
    type: z.object({ code: z.string().openapi({ description: "LOINC" }), display: z.string() }),
    category: z
      .object({ system: z.literal(CATEGORY.system), code: z.literal(CATEGORY.code), display: z.literal(CATEGORY.display) })
      .nullable()
      .openapi({ description: "US Core's category, from the type. Null for prescriptions and consents" }),
    patient_id: Id,
    hospital_id: Id,
    date: Timestamp.openapi({ description: "Time that the document is about" }),
    title: z.string().nullable().openapi({ description: CORRUPT }),
    author: z.string().nullable().openapi({ description: "Who wrote the document, as text. Null: not named" }),
    file_name: z.string().nullable().openapi({ description: CORRUPT }),
    content_type: ContentType.openapi({ description: "From the bytes of the file" }),
    size: z.number().int().openapi({ description: "Bytes" }),
    sha256: z.string(),
    relates_to: Id.nullable().openapi({ description: "The version that this one replaces. Null for the first" }),
    version_number: z.number().int(),
    uploaded_by: Uploader,
    entered_in_error: z.object({ reason: z.string().nullable(), by: z.string(), at: Timestamp }).nullable(),
    created_at: Timestamp,
    file_url: z.string(),
    version: z.number().int().openapi({ description: "Of the entry, for If-Match" }),
  })
  .openapi("DocumentReference");

export const exampleDocument = {
  document_id: EXAMPLES.document,
  status: "current" as const,
  type: { code: "18842-5", display: "Discharge summary" },
  category: CATEGORY,
  patient_id: EXAMPLES.patient,
  hospital_id: EXAMPLES.hospital,
  date: EXAMPLES.time,
  title: "Discharge after pneumonia",
  author: "Dr. Meera Rao",
  file_name: "discharge.pdf",
  content_type: "application/pdf" as const,
  size: 84_213,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  relates_to: null,
  version_number: 1,
  uploaded_by: { kind: "user" as const, id: EXAMPLES.user },
  entered_in_error: null,
  created_at: EXAMPLES.time,
  file_url: `/api/v1/documents/${EXAMPLES.document}/file`,
  version: 1,
};

const Version = z.object({
  document_id: Id,
  version_number: z.number().int(),
  status: Status,
  content_type: ContentType,
  size: z.number().int(),
  created_at: Timestamp,
  uploaded_by: Uploader,
});

export const DetailedDocument = Document.extend({
  versions: z.array(Version).max(ROW_LIMITS.documentVersions.max).openapi({ description: "All versions, oldest first" }),
}).openapi("DetailedDocumentReference");
export const exampleDetailedDocument = {
  ...exampleDocument,
  versions: [
    {
      document_id: exampleDocument.document_id,
      version_number: 1,
      status: exampleDocument.status,
      content_type: exampleDocument.content_type,
      size: exampleDocument.size,
      created_at: exampleDocument.created_at,
      uploaded_by: exampleDocument.uploaded_by,
    },
  ],
};

export const UploadedDocument = Document.extend({
  duplicate_of: Id.nullable().openapi({ description: "The document that holds the same file already; nothing was stored" }),
}).openapi("UploadedDocumentReference");
export const exampleUploadedDocument = { ...exampleDocument, duplicate_of: null };

const ofOnePatient = "Requires patient_id, except for a patient";
export const documentQuery = z.strictObject({
  ...pageQuery,
  patient_id: Id.optional(),
  status: Status.default("current").openapi({
    description: `entered-in-error: for those who may correct documents. Other values than current: ${ofOnePatient}`,
  }),
  type: z
    .enum(DOCUMENT_TYPE_CODES)
    .optional()
    .openapi({ description: `LOINC code. ${ofOnePatient}`, example: "18842-5" }),
  content_type: ContentType.optional().openapi({ description: ofOnePatient }),
  date_from: TimeInput.optional().openapi({ description: `About this time or later. ${ofOnePatient}` }),
  date_to: TimeInput.optional().openapi({ description: `About an earlier time. ${ofOnePatient}` }),
});
export type DocumentQuery = z.output<typeof documentQuery>;
