// Routes of a hospital's retention policy.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { RECORD_KINDS } from "./jurisdictions.ts";
import { getPolicy, putPolicy } from "./policy.ts";
import { previewRetention } from "./preview.ts";
import { PolicyFields } from "./stored-policy.ts";

const tags = ["Erasure"];
const params = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });

const Policy = PolicyFields.openapi("RetentionPolicy");
const RetentionSettings = z
  .object({
    hospital_id: Id,
    jurisdiction: z.string().nullable().openapi({ description: "Country whose periods apply; null: the default" }),
    minimum: Policy,
    own: PolicyFields.nullable().openapi({ description: "Null while the hospital has set nothing" }),
    in_force: Policy,
    version: z.int().nullable(),
    updated_by: Id.nullable(),
    updated_at: Timestamp.nullable(),
  })
  .openapi("RetentionSettings");

const years = (n: number) => ({ patient_record: n, reports: n, documents: n, observations: n });
const examplePolicy = { years: { ...years(10), patient_record: 15 }, minors_until_age: 28 };
const exampleSettings: z.input<typeof RetentionSettings> = {
  hospital_id: EXAMPLES.hospital,
  jurisdiction: null,
  minimum: { years: years(10), minors_until_age: 28 },
  own: examplePolicy,
  in_force: examplePolicy,
  version: 1,
  updated_by: EXAMPLES.user,
  updated_at: EXAMPLES.time,
};

const Preview = z
  .object({
    hospital_id: Id,
    kinds: z.array(
      z.object({
        kind: z.enum(RECORD_KINDS),
        years: z.int(),
        older_than: Timestamp,
        count: z.int().openapi({ description: "At most 1,000" }),
        is_exact: z.boolean(),
      }),
    ),
  })
  .openapi("RetentionPreview");
const examplePreview: z.input<typeof Preview> = {
  hospital_id: EXAMPLES.hospital,
  kinds: [{ kind: "reports", years: 10, older_than: "2016-11-21T09:30:00.000Z", count: 42, is_exact: true }],
};

export const retentionRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/retention",
      tags,
      summary: "Get the retention policy of a hospital",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(RetentionSettings, "The policy", exampleSettings),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getPolicy(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/retention",
      tags,
      summary: "Set the retention policy of a hospital",
      description:
        "No period may be shorter than `minimum`. If-Match is required when the hospital has a policy of its own, and must be absent when " +
        "it has none.",
      security: BEARER_AUTH,
      request: { params, headers: ifMatchHeaders, body: jsonRequestBody(Policy, examplePolicy) },
      responses: {
        200: jsonResponse(RetentionSettings, "The policy", exampleSettings),
        ...problemResponses(401, 403, 404, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const policy = c.req.valid("json");
      if (c.req.header("If-Match") === undefined) return ok(c, await putPolicy(c.get("call"), hospital_id, null, policy));
      return ok(c, await changeIfMatch(c, (call, expected) => putPolicy(call, hospital_id, expected, policy)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/retention/preview",
      tags,
      summary: "Preview what is past its retention period",
      description:
        "Deletes nothing. Counts reports, documents, months of observations and records without a change since; the longer period of " +
        "minors is not considered, since birth dates are encrypted.",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(Preview, "The counts", examplePreview), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await previewRetention(c.get("call"), c.req.valid("param").hospital_id)),
  );
