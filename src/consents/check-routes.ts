// What consents allow now. Mounted before routes with the id of a consent in the path.
import { createRoute, z } from "@hono/zod-openapi";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonResponse,
  ok,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../http/router.ts";
import { CONSENT_KINDS, CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { CHECK_REASONS, checkConsent } from "./check-consent.ts";

const Check = z
  .object({
    checked_at: Timestamp,
    allowed: z.boolean(),
    reason: z.enum(CHECK_REASONS).nullable().openapi({
      description:
        "Null where allowed. kind, date: a consent holds, but not for this; not_fulfilled: it is for the documents of a request, and there are none yet; restricted: it holds, but the records are locked until they are erased; not_in_care: it holds, but the caller does not see the hospital's own record; none: also for a record that the caller knows nothing of",
    }),
    grants: z.array(
      z.object({
        consent_id: Id,
        hospital_id: Id.openapi({ description: "The hospital that may read" }),
        practitioner_id: Id.nullable(),
        purpose: z.enum(CONSENT_PURPOSES),
        kinds: z.array(z.enum(CONSENT_KINDS)),
        data_from: Timestamp,
        data_until: Timestamp,
        expires_at: Timestamp,
      }),
    ),
  })
  .openapi("ConsentCheck");
const exampleCheck = {
  checked_at: EXAMPLES.time,
  allowed: true,
  reason: null,
  grants: [
    {
      consent_id: EXAMPLES.consent,
      hospital_id: EXAMPLES.hospital,
      practitioner_id: null,
      purpose: "CAREMGT" as const,
      kinds: ["report:ecg" as const],
      data_from: "2025-01-01T00:00:00.000Z",
      data_until: "2026-12-31T23:59:59.999Z",
      expires_at: "2027-06-30T00:00:00.000Z",
    },
  ],
};

export const consentCheckRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/consents/check",
    tags: ["Consent"],
    summary: "Check what consents allow now",
    description:
      "Staff: about a record elsewhere, or about what is shared for a record of their own. A person: which hospitals may read what, of all their records or of one.",
    security: BEARER_AUTH,
    request: {
      query: z.strictObject({
        patient_id: Id.optional().openapi({ description: "Required from staff" }),
        kind: z.enum(CONSENT_KINDS).optional(),
        at: TimeInput.optional().openapi({ description: "The time that the data is from", example: EXAMPLES.time }),
      }),
    },
    responses: { 200: jsonResponse(Check, "What is allowed", exampleCheck), ...problemResponses(401, 403) },
  }),
  async (c) => {
    const { patient_id: patientId = null, kind = null, at } = c.req.valid("query");
    return ok(c, await checkConsent(c.get("call"), { patientId, kind, at: at === undefined ? null : Date.parse(at) }));
  },
);
