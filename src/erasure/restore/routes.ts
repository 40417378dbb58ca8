// Routes for platform administrators: erasures that a restored backup does not know.
import { createRoute, z } from "@hono/zod-openapi";
import { integerParam } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  TimeInput,
} from "../../http/router.ts";
import { ErasureCertificate, exampleCertificate } from "../requests/schemas.ts";
import { SignedCertificate } from "../run/certificate.ts";
import { APPLIED_STATES, applyErasures, MAX_APPLIED } from "./apply-erasures.ts";
import { listCertificates } from "./list-certificates.ts";

const tags = ["Admin"];

const Query = z
  .strictObject({
    erased_after: TimeInput.optional().openapi({ description: "`erased_at` of the last certificate that you have" }),
    after_id: Id.optional().openapi({ description: "Its `erasure_id`" }),
    limit: integerParam(1, 100).default(100).openapi({ example: 100, default: 100 }),
  })
  .refine(({ erased_after, after_id }) => (erased_after === undefined) === (after_id === undefined), {
    path: ["after_id"],
    message: "erased_after and after_id belong together",
  });

const Certificates = z
  .object({
    certificates: z.array(ErasureCertificate),
    has_more: z.boolean().openapi({ description: "Whether more follow: ask again after the last one" }),
  })
  .openapi("ErasureCertificates");

const Application = z.strictObject({ certificates: z.array(SignedCertificate).min(1).max(MAX_APPLIED) });
const exampleApplication: z.input<typeof Application> = {
  certificates: [{ signed_text: exampleCertificate.signed_text, key_id: "a1", signature: "BASE64URL" }],
};

const Applied = z
  .object({
    erasures: z.array(
      z.object({
        erasure_id: Id.nullable().openapi({ description: "Null of a certificate that was refused" }),
        state: z.enum(APPLIED_STATES).openapi({
          description:
            "`absent`: nothing is left to erase. `erasing`: the job erases the record again. `refused`: the signature is not that of " +
            "this deployment",
        }),
      }),
    ),
  })
  .openapi("AppliedErasures");

export const restoreRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/erasures",
      tags,
      summary: "List certificates of erasures",
      description:
        "In the order of `erased_at`, the start of the run that ended the erasure. A certificate may be listed some minutes after it: read " +
        "again from one hour before the last one that you have. Keep them outside of backups, and apply them after a backup was restored.",
      security: BEARER_AUTH,
      request: { query: Query },
      responses: {
        200: jsonResponse(Certificates, "Oldest first", { certificates: [exampleCertificate], has_more: false }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await listCertificates(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/admin/erasures/apply",
      tags,
      summary: "Apply erasures to a restored backup",
      description:
        "Locks the record of each patient who exists again, and begins the erasure. Repeat the request until no erasure is `erasing`; " +
        "one that was applied before changes nothing. Needs a sign-in with a second step in the last ten minutes.",
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(Application, exampleApplication) },
      responses: {
        200: jsonResponse(Applied, "In the order of the certificates", {
          erasures: [{ erasure_id: EXAMPLES.erasure, state: "erasing" as const }],
        }),
        ...problemResponses(401, 403, 413, 415),
      },
    }),
    async (c) => ok(c, { erasures: await applyErasures(c.get("call"), c.req.valid("json").certificates) }),
  );
