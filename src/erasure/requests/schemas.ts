// Shapes of requests for erasure and legal holds.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { ERASURE_FAILURES, ERASURE_STATES } from "../../platform/db/vocabulary.ts";
import { Certificate } from "../run/certificate.ts";

export const Reason = z.strictObject({ reason: z.string().trim().min(3).max(500) });
export const exampleReason = { reason: "The person asked in writing on 20 November." };

export const Erasure = z
  .object({
    erasure_id: Id,
    patient_id: Id,
    hospital_id: Id,
    state: z.enum(ERASURE_STATES),
    reason: z.string().nullable().openapi({ description: "Null once erased" }),
    requested_by: Id,
    requested_at: Timestamp,
    decided_by: Id.nullable(),
    decided_at: Timestamp.nullable(),
    decision_reason: z.string().nullable(),
    erase_on: Timestamp.nullable().openapi({ description: "When the last retention period ends; null before the approval" }),
    waits_for: z.enum(["legal_hold", "retention"]).nullable().openapi({ description: "Why an approved erasure has not begun" }),
    failures: z.number().int().openapi({ description: "Runs of the job that failed since the last one that went on" }),
    last_failure: z.enum(ERASURE_FAILURES).nullable().openapi({
      description: "`reference`: rows that are not deleted refer to those of the patient. `error`: see the log of the service",
    }),
    retry_at: Timestamp.nullable().openapi({ description: "When the job tries again; 1 minute to 6 hours after a failure" }),
    erased_at: Timestamp.nullable(),
  })
  .openapi("Erasure");

export const exampleErasure: z.input<typeof Erasure> = {
  erasure_id: EXAMPLES.erasure,
  patient_id: EXAMPLES.patient,
  hospital_id: EXAMPLES.hospital,
  state: "requested",
  ...exampleReason,
  requested_by: EXAMPLES.user,
  requested_at: EXAMPLES.time,
  decided_by: null,
  decided_at: null,
  decision_reason: null,
  erase_on: null,
  waits_for: null,
  failures: 0,
  last_failure: null,
  retry_at: null,
  erased_at: null,
};
const decided = { decided_by: EXAMPLES.user, decided_at: EXAMPLES.time };
export const exampleApproved: z.input<typeof Erasure> = {
  ...exampleErasure,
  ...decided,
  state: "restricted",
  erase_on: "2036-11-21T09:30:00.000Z",
  waits_for: "retention",
};
export const exampleRejected: z.input<typeof Erasure> = {
  ...exampleErasure,
  ...decided,
  state: "rejected",
  decision_reason: "The request was withdrawn.",
};

export const ErasureCertificate = Certificate.openapi("ErasureCertificate");
const exampleFields = {
  erasure_id: EXAMPLES.erasure,
  patient_id: EXAMPLES.patient,
  hospital_id: EXAMPLES.hospital,
  requested_at: EXAMPLES.time,
  approved_at: EXAMPLES.time,
  started_at: EXAMPLES.time,
  erased_at: EXAMPLES.time,
  list_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};
export const exampleCertificate: z.input<typeof ErasureCertificate> = {
  ...exampleFields,
  counts: [
    { store: "d1.reports", count: 3 },
    { store: "object.rows", count: 12 },
    { store: "r2.files", count: 6 },
  ],
  signed_text: "edgecare/erasure/1\nerasure_id …\n",
  signature: { algorithm: "Ed25519", key_id: "a1", public_key: "BASE64URL", value: "BASE64URL" },
};

export const Hold = z
  .object({
    hold_id: Id,
    patient_id: Id,
    hospital_id: Id,
    reason: z.string(),
    set_by: Id,
    set_at: Timestamp,
    release_reason: z.string().nullable(),
    released_by: Id.nullable(),
    released_at: Timestamp.nullable(),
  })
  .openapi("PatientHold");
export const exampleHold: z.input<typeof Hold> = {
  hold_id: EXAMPLES.hold,
  patient_id: EXAMPLES.patient,
  hospital_id: EXAMPLES.hospital,
  reason: "A court has asked for the record.",
  set_by: EXAMPLES.user,
  set_at: EXAMPLES.time,
  release_reason: null,
  released_by: null,
  released_at: null,
};
export const exampleReleased: z.input<typeof Hold> = {
  ...exampleHold,
  release_reason: "The case is closed.",
  released_by: EXAMPLES.user,
  released_at: EXAMPLES.time,
};
