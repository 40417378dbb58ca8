// Schemas that the routes of consents share.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, TimeInput, Timestamp } from "../http/router.ts";
import { CONSENT_KINDS, CONSENT_PURPOSES, CONSENT_STATES } from "../platform/db/vocabulary.ts";

export const consentParams = z.object({ consent_id: Id.openapi({ example: EXAMPLES.consent }) });
export const kinds = z.array(z.enum(CONSENT_KINDS)).min(1).max(CONSENT_KINDS.length);
export const time = TimeInput.transform((text) => Date.parse(text));
/** The scope of a consent in a request. */
export const times = { data_from: time, data_until: time, expires_at: time, erase_at: time };

export const Consent = z
  .object({
    consent_id: Id,
    status: z.enum(CONSENT_STATES),
    hospital_id: Id.openapi({ description: "The hospital that may read" }),
    hospital_name: z.string(),
    patient_id: Id.openapi({ description: "That hospital's own record of the person" }),
    purpose: z.enum(CONSENT_PURPOSES),
    kinds: z.array(z.enum(CONSENT_KINDS)),
    data_from: Timestamp,
    data_until: Timestamp.openapi({ description: "Included, as data_from is" }),
    access_mode: z.literal("VIEW"),
    expires_at: Timestamp.openapi({ description: "From this time on nothing can be read" }),
    erase_at: Timestamp,
    answer_until: Timestamp,
    reason: z.string().nullable(),
    practitioner_id: Id.nullable().openapi({ description: "This practitioner of the hospital alone may read" }),
    requested_by: Id.nullable().openapi({ description: "Null: shared by the person without a request" }),
    requested_by_name: z.string().nullable(),
    document_request_id: Id.nullable().openapi({
      description:
        "The document request that the consent is for: it opens the documents that fulfil the request, and nothing else",
    }),
    shared: z
      .array(z.object({ patient_id: Id, hospital_id: Id, hospital_name: z.string() }))
      .openapi({ description: "Records that are shared; empty before and, for the hospital, after" }),
    decided_at: Timestamp.nullable(),
    ended_at: Timestamp.nullable(),
    erased_at: Timestamp.nullable().openapi({ description: "When the reason and the list of shared records were erased" }),
    created_at: Timestamp,
    version: z.int(),
  })
  .openapi("Consent");
export const exampleConsent = {
  consent_id: EXAMPLES.consent,
  status: "requested" as const,
  hospital_id: EXAMPLES.hospital,
  hospital_name: "Demo General",
  patient_id: EXAMPLES.patient,
  purpose: "CAREMGT" as const,
  kinds: ["report:ecg" as const, "observations" as const],
  data_from: "2025-01-01T00:00:00.000Z",
  data_until: "2026-12-31T23:59:59.999Z",
  access_mode: "VIEW" as const,
  expires_at: "2027-06-30T00:00:00.000Z",
  erase_at: "2027-06-30T00:00:00.000Z",
  answer_until: "2026-12-21T09:30:00.000Z",
  reason: "Chest pain, earlier ECGs wanted",
  practitioner_id: null,
  requested_by: EXAMPLES.user,
  requested_by_name: "Dr Anita Rao",
  document_request_id: null,
  shared: [],
  decided_at: null,
  ended_at: null,
  erased_at: null,
  created_at: EXAMPLES.time,
  version: 1,
};
