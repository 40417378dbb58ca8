// Routes of consents without a request: share, and codes that share. Mounted before those with an id in the path.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
import { limitConsentCode } from "../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../http/router.ts";
import { ClaimCode } from "../patients/record/claim-codes.ts";
import { CONSENT_KINDS, CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { readCreated } from "./consent-rows.ts";
import { createOffer, listOffers, withdrawOffer } from "./offers.ts";
import { redeemOffer } from "./redeem-offer.ts";
import { Consent, exampleConsent, kinds, time, times } from "./schemas.ts";
import { shareConsent } from "./share-consent.ts";

const tags = ["Consent"];
const offerParams = z.object({ offer_id: Id.openapi({ example: EXAMPLES.offer }) });

const shared = {
  patient_ids: z.array(Id).min(1).max(20).openapi({ description: "The caller's records to share" }),
  purpose: z.enum(CONSENT_PURPOSES).default("PATRQT"),
  kinds,
  ...times,
  erase_at: time.optional().openapi({ description: "Default: expires_at" }),
};
const exampleShared = {
  patient_ids: [EXAMPLES.patient],
  kinds: ["report:ecg" as const],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: "2027-06-30T00:00:00Z",
};
const Share = z
  .strictObject({
    hospital_id: Id.optional().openapi({ description: "A hospital that has a record of the caller", example: EXAMPLES.hospital }),
    practitioner_id: Id.optional().openapi({
      description: "This practitioner of the hospital alone may read",
      example: EXAMPLES.practitioner,
    }),
    patient_id: Id.optional().openapi({
      description: "The record at the hospital that the consent is for, such as a child's. Required where several fit",
    }),
    ...shared,
  })
  .refine(({ hospital_id, practitioner_id }) => hospital_id !== undefined || practitioner_id !== undefined, {
    path: ["hospital_id"],
    message: "hospital_id or practitioner_id is required",
  })
  .openapi("ConsentShare");

const NewOffer = z
  .strictObject({
    ...shared,
    valid_until: time.optional().openapi({ description: "Default: in 24 hours; at most in seven days" }),
  })
  .openapi("NewConsentOffer");
const Offer = z
  .object({
    offer_id: Id,
    state: z.enum(["open", "used", "withdrawn", "expired"]),
    patient_ids: z.array(Id),
    purpose: z.enum(CONSENT_PURPOSES),
    kinds: z.array(z.enum(CONSENT_KINDS)),
    data_from: Timestamp,
    data_until: Timestamp,
    expires_at: Timestamp.openapi({ description: "Of the consent" }),
    erase_at: Timestamp,
    valid_until: Timestamp.openapi({ description: "Of the code" }),
    created_at: Timestamp,
    used_at: Timestamp.nullable(),
    consent_id: Id.nullable().openapi({ description: "The consent that the use of the code created" }),
  })
  .openapi("ConsentOffer");
const exampleOffer = {
  offer_id: EXAMPLES.offer,
  state: "open" as const,
  patient_ids: [EXAMPLES.patient],
  purpose: "PATRQT" as const,
  kinds: ["report:ecg" as const],
  data_from: "2025-01-01T00:00:00.000Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: "2027-06-30T00:00:00.000Z",
  erase_at: "2027-06-30T00:00:00.000Z",
  valid_until: "2026-11-22T09:30:00.000Z",
  created_at: EXAMPLES.time,
  used_at: null,
  consent_id: null,
};

type SharedInput = z.output<z.ZodObject<typeof shared>>;
const toShared = (input: SharedInput) => ({
  patientIds: input.patient_ids,
  purpose: input.purpose,
  kinds: input.kinds,
  dataFrom: input.data_from,
  dataUntil: input.data_until,
  expiresAt: input.expires_at,
  eraseAt: input.erase_at ?? input.expires_at,
});

export const consentOfferRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/share",
      tags,
      summary: "Share records",
      description:
        "By the person, without a request: with a hospital that has a record linked to the caller's login, or with one practitioner there. Granted at once. Where several records of the caller and of those whom they are guardian of fit, the response is 409 recipient_ambiguous with choices, each with its patient_id.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(Share, { hospital_id: EXAMPLES.hospital, ...exampleShared }),
      },
      responses: {
        201: jsonResponse(Consent, "The consent", {
          ...exampleConsent,
          status: "granted" as const,
          requested_by: null,
          reason: null,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const { hospital_id: hospitalId = null, practitioner_id: practitionerId = null, patient_id: ownId = null } = input;
      const key = await readIdempotencyKey(c, "consent.share");
      const share = { hospitalId, practitionerId, ownId, ...toShared(input) };
      const consent = await runOnce(
        call,
        key,
        input,
        (statements) => shareConsent(call, share, statements),
        (id) => readCreated(call, id, true),
      );
      return ok(c, consent, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/offers",
      tags,
      summary: "Create a code that shares records",
      description: "By the person. Staff of any hospital may use the code once. It is shown in this response alone.",
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(NewOffer, exampleShared) },
      responses: {
        201: jsonResponse(Offer.extend({ code: z.string() }), "The code", { ...exampleOffer, code: "MFRG-GZDF-MZTW" }),
        ...problemResponses(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return ok(c, await createOffer(c.get("call"), { ...toShared(input), validUntil: input.valid_until ?? null }), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/consents/offers",
      tags,
      summary: "List codes that share records",
      description: "The caller's own, without the codes themselves, newest first. An ended one is listed for 90 days.",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Offer, "Codes", exampleOffer), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listOffers(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/consents/offers/{offer_id}",
      tags,
      summary: "Withdraw a code that shares records",
      description: "A code that was used cannot be withdrawn; revoke its consent.",
      security: BEARER_AUTH,
      request: { params: offerParams },
      responses: {
        200: jsonResponse(z.object({ offer_id: Id }), "The withdrawn code", { offer_id: EXAMPLES.offer }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { offer_id } = c.req.valid("param");
      await withdrawOffer(c.get("call"), offer_id);
      return ok(c, { offer_id });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/redeem",
      tags,
      summary: "Use a code that shares records",
      description:
        "By staff, for a record of their own hospital, which may then read what the person shares. Records of the hospital itself are left out.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ code: ClaimCode, patient_id: PatientRef }).openapi("ConsentRedemption"), {
          code: "MFRG-GZDF-MZTW",
          patient_id: EXAMPLES.patient,
        }),
      },
      responses: {
        201: jsonResponse(Consent, "The consent", {
          ...exampleConsent,
          status: "granted" as const,
          requested_by: null,
          reason: null,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      await limitConsentCode(c);
      const { code, patient_id } = c.req.valid("json");
      return ok(c, await redeemOffer(c.get("call"), code, patient_id), 201);
    },
  );
