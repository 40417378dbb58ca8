// Routes of consents: ask, grant, deny, end and read.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
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
} from "../http/router.ts";
import { CONSENT_PURPOSES, CONSENT_STATES } from "../platform/db/vocabulary.ts";
import { ApiError } from "../platform/errors.ts";
import { plainText } from "../platform/text.ts";
import { denyConsent, grantConsent, revokeConsent } from "./decide-consent.ts";
import { getConsent, listConsents } from "./list-consents.ts";
import { requestConsent } from "./request-consent.ts";
import { Consent, consentParams, exampleConsent, kinds, time, times } from "./schemas.ts";

const tags = ["Consent"];
const Request = z
  .strictObject({
    patient_id: PatientRef,
    purpose: z.enum(CONSENT_PURPOSES),
    kinds,
    ...times,
    erase_at: time.optional().openapi({ description: "Default: expires_at" }),
    reason: plainText(1, 500).nullable().optional(),
    access_mode: z.string().max(20).optional().openapi({ description: "VIEW alone is supported", example: "VIEW" }),
    frequency: z.unknown().optional().openapi({ description: "Not supported" }),
  })
  .openapi("ConsentRequest");
const exampleRequest = {
  patient_id: EXAMPLES.patient,
  purpose: "CAREMGT" as const,
  kinds: ["report:ecg" as const, "observations" as const],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: "2027-06-30T00:00:00Z",
  reason: "Chest pain, earlier ECGs wanted",
};

/** @throws ApiError not_supported */
function assertSupported({ access_mode = "VIEW", frequency }: { access_mode?: string | undefined; frequency?: unknown }): void {
  if (access_mode !== "VIEW") throw new ApiError("not_supported", "access_mode VIEW alone is supported.");
  if (frequency !== undefined) throw new ApiError("not_supported", "A frequency is not supported.");
}

const Grant = z
  .strictObject({
    patient_ids: z.array(Id).min(1).max(20).openapi({ description: "The caller's records to share" }),
    kinds: kinds.optional(),
    data_from: time.optional(),
    data_until: time.optional(),
    expires_at: time.optional(),
    erase_at: time.optional(),
  })
  .openapi("ConsentGrant", { description: "What is left out stays as requested" });

export const consentRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/consents",
      tags,
      summary: "Request a consent",
      description:
        "Asks the person of a record of the caller's own hospital for access to records elsewhere. The response is the same whether " +
        "such records exist. The person has 30 days to answer.",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(Request, exampleRequest) },
      responses: {
        201: jsonResponse(Consent, "The request", exampleConsent),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      assertSupported(input);
      const request = {
        patientId: input.patient_id,
        purpose: input.purpose,
        kinds: input.kinds,
        dataFrom: input.data_from,
        dataUntil: input.data_until,
        expiresAt: input.expires_at,
        eraseAt: input.erase_at ?? input.expires_at,
        reason: input.reason ?? null,
      };
      const key = await readIdempotencyKey(c, "consent.request");
      const consent = await runOnce(
        call,
        key,
        input,
        (statements) => requestConsent(call, request, statements),
        (id) => getConsent(call, id),
      );
      return ok(c, consent, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/consents",
      tags,
      summary: "List consents",
      description:
        "A person: those about their records. Staff: those that their hospital asked for, of patients whom they see. Newest first.",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({ ...pageQuery, status: z.enum(CONSENT_STATES).optional(), patient_id: Id.optional() }),
      },
      responses: { 200: pageResponse(Consent, "Consents", exampleConsent), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listConsents(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/consents/{consent_id}",
      tags,
      summary: "Get a consent",
      security: BEARER_AUTH,
      request: { params: consentParams },
      responses: { 200: jsonResponse(Consent, "The consent", exampleConsent), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getConsent(c.get("call"), c.req.valid("param").consent_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/{consent_id}/grant",
      tags,
      summary: "Grant a consent",
      description: "By the person alone, never wider than requested.",
      security: BEARER_AUTH,
      request: {
        params: consentParams,
        body: jsonRequestBody(Grant, { patient_ids: [EXAMPLES.patient], kinds: ["report:ecg" as const] }),
      },
      responses: {
        200: jsonResponse(Consent, "The consent", { ...exampleConsent, status: "granted" as const, version: 2 }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { patient_ids, data_from, data_until, expires_at, erase_at, ...rest } = c.req.valid("json");
      const narrowed = Object.fromEntries(
        Object.entries({ ...rest, dataFrom: data_from, dataUntil: data_until, expiresAt: expires_at, eraseAt: erase_at }).filter(
          ([, value]) => value !== undefined,
        ),
      );
      const grant = { patientIds: patient_ids, ...narrowed };
      return ok(c, await grantConsent(c.get("call"), c.req.valid("param").consent_id, grant));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/{consent_id}/deny",
      tags,
      summary: "Deny a consent",
      description: "By the person alone.",
      security: BEARER_AUTH,
      request: { params: consentParams },
      responses: {
        200: jsonResponse(Consent, "The consent", { ...exampleConsent, status: "denied" as const, version: 2 }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await denyConsent(c.get("call"), c.req.valid("param").consent_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/consents/{consent_id}/revoke",
      tags,
      summary: "Revoke a consent",
      description: "By the person alone, at any time. What begins after the response is refused.",
      security: BEARER_AUTH,
      request: { params: consentParams },
      responses: {
        200: jsonResponse(Consent, "The consent", { ...exampleConsent, status: "revoked" as const, version: 3 }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await revokeConsent(c.env, c.get("call"), c.req.valid("param").consent_id)),
  );
