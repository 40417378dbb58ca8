// Routes: claim codes, which link logins to a patient's record, and these logins.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { CLAIM_PROOFS } from "../../platform/db/schema.ts";
import { patientParam } from "../schemas.ts";
import { Claim, claimRecord, issueClaimCode, listClaimCodes } from "./claim-codes.ts";
import { listPatientLinks, removePatientLink } from "./patient-links.ts";

const tags = ["Patient"];
const PatientRef = z.object({ patient_id: Id });
const linkParam = patientParam.extend({ user_id: Id.openapi({ example: EXAMPLES.user }) });
const proof = z
  .enum(CLAIM_PROOFS)
  .nullable()
  .openapi({ description: "What was asked beside the code; null for self-registration and claims before it was asked" });

export const claimRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/claim",
      tags,
      summary: "Claim a record with a code",
      description:
        "With the birth date or the phone number that the hospital has, one of the two. Five attempts with a wrong one end the code. The response does not say whether the code or the other was wrong.",
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(Claim, { code: "MFRG-GZDF-MZTW", date_of_birth: "1964-03-04" }) },
      responses: {
        200: jsonResponse(PatientRef, "The record", { patient_id: EXAMPLES.patient }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, { patient_id: await claimRecord(c.get("call"), c.req.valid("json")) }),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/claim-codes",
      tags,
      summary: "Create a claim code",
      description:
        "The patient enters the code, with the birth date or phone number of the record, to link a login to it. Shown once, single use, valid for three days. The record must have a whole birth date or a phone number; a change of either ends the code.",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        201: jsonResponse(PatientRef.extend({ code: z.string(), expires_at: Timestamp }), "The code", {
          patient_id: EXAMPLES.patient,
          code: "MFRG-GZDF-MZTW",
          expires_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await issueClaimCode(c.get("call"), c.req.valid("param").patient_id), 201),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/claim-codes",
      tags,
      summary: "List claim codes",
      description: "The last 20 codes of the patient and the failed attempts with them, without the codes themselves.",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(
          z
            .object({
              state: z.enum(["open", "used", "blocked", "ended", "expired"]).openapi({
                description: "blocked: five failed attempts; ended: replaced, or the birth date or phone number was changed",
              }),
              issued_by: z.object({ id: z.string(), name: z.string() }),
              issued_at: Timestamp,
              expires_at: Timestamp,
              failed_attempts: z.number().int(),
              last_failed_at: Timestamp.nullable(),
              used_at: Timestamp.nullable(),
              used_by: z.string().nullable(),
              proof,
            })
            .openapi("ClaimCode"),
          "Newest first",
          {
            state: "used",
            issued_by: { id: EXAMPLES.user, name: "Anita Desai" },
            issued_at: EXAMPLES.time,
            expires_at: EXAMPLES.time,
            failed_attempts: 1,
            last_failed_at: EXAMPLES.time,
            used_at: EXAMPLES.time,
            used_by: EXAMPLES.user,
            proof: "date_of_birth",
          },
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listClaimCodes(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/links",
      tags,
      summary: "List linked logins",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(
          z.object({
            user_id: Id,
            full_name: z.string(),
            method: z.enum(["claim_code", "self_registration"]),
            proof,
            verified_by: z.string(),
            created_at: Timestamp,
          }),
          "Oldest first",
          {
            user_id: EXAMPLES.user,
            full_name: "Asha Verma",
            method: "claim_code",
            proof: "date_of_birth",
            verified_by: EXAMPLES.user,
            created_at: EXAMPLES.time,
          },
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listPatientLinks(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/links/{user_id}",
      tags,
      summary: "Unlink a login",
      security: BEARER_AUTH,
      request: { params: linkParam },
      responses: {
        200: jsonResponse(z.object({ patient_id: Id, user_id: Id }), "The unlinked login", {
          patient_id: EXAMPLES.patient,
          user_id: EXAMPLES.user,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await removePatientLink(c.get("call"), patient_id, user_id), user_id });
    },
  );
