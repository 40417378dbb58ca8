// Routes: API keys of a hospital's apps.
import { createRoute, z } from "@hono/zod-openapi";
import { APP_SCOPES } from "../../access/permissions.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { pageQuery } from "../../http/pagination.ts";
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
  pageResponse,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../../http/router.ts";
import { singleLine } from "../../platform/text.ts";
import { getApiKey, issueApiKey, listApiKeys, revokeApiKey, rotateApiKey } from "./api-keys.ts";

const Scopes = z
  .array(z.enum(APP_SCOPES))
  .min(1)
  .max(APP_SCOPES.length)
  .refine(
    (scopes) =>
      scopes.includes("patient:read") || !scopes.some((scope) => scope === "patient:create" || scope === "patient:update"),
    "patient:create and patient:update return the record and require patient:read",
  );
const ApiKey = z
  .object({
    api_key_id: Id,
    hospital_id: Id,
    name: z.string(),
    scopes: z.array(z.string()),
    created_by: z.string(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable().openapi({ description: "Resolution of five minutes" }),
    revoked_at: Timestamp.nullable(),
  })
  .openapi("ApiKey");
const example = {
  api_key_id: EXAMPLES.credential,
  hospital_id: EXAMPLES.hospital,
  name: "laboratory interface",
  scopes: ["patient:read", "report:create"],
  created_by: EXAMPLES.user,
  created_at: EXAMPLES.time,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};
/** Null on a replay with the same Idempotency-Key: the token was shown once and is not stored. */
const ApiKeyWithToken = ApiKey.extend({ token: z.string().nullable() }).openapi("NewApiKey");
const exampleToken = { ...example, token: "eca_…" };
const apiKeyParam = z.object({ api_key_id: Id.openapi({ example: EXAMPLES.credential }) });
const Replaced = z.object({ api_key_id: Id, expires_at: Timestamp.nullable() }).optional();
const tags = ["API keys"];

export const apiKeyRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/api-keys",
      tags,
      summary: "Create an API key",
      description: "The token is shown once.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(
          z
            .strictObject({
              name: singleLine(100),
              scopes: Scopes,
              expires_at: TimeInput.nullable().default(null),
              hospital_id: Id.optional().openapi({ description: "Required for administrators" }),
            })
            .openapi("ApiKeyRequest"),
          { name: "laboratory interface", scopes: ["patient:read", "report:create"] },
        ),
      },
      responses: {
        201: jsonResponse(ApiKeyWithToken, "The key", exampleToken),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const expiresAt = input.expires_at === null ? null : Date.parse(input.expires_at);
      const create = (keyStatements: KeyStatements) => issueApiKey(call, { ...input, expires_at: expiresAt }, keyStatements);
      return ok(
        c,
        await runOnce(call, await readIdempotencyKey(c, "api_key.issue"), input, create, (id) => getApiKey(call, id)),
        201,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/api-keys",
      tags,
      summary: "List API keys",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }) }) },
      responses: { 200: pageResponse(ApiKey, "Newest first", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listApiKeys(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/api-keys/{api_key_id}/rotate",
      tags,
      summary: "Rotate an API key",
      description: "Creates a successor; the old key stays valid for the grace period.",
      security: BEARER_AUTH,
      request: {
        params: apiKeyParam,
        headers: idempotencyHeaders,
        body: jsonRequestBody(z.strictObject({ grace_days: z.number().int().min(0).max(30).default(7) }), { grace_days: 7 }),
      },
      responses: {
        201: jsonResponse(ApiKeyWithToken.extend({ replaces: Replaced }), "The new key", {
          ...exampleToken,
          replaces: { api_key_id: EXAMPLES.credential, expires_at: EXAMPLES.time },
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { api_key_id } = c.req.valid("param");
      const { grace_days } = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => rotateApiKey(call, api_key_id, grace_days, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "api_key.rotate");
      return ok(c, await runOnce(call, idempotencyKey, { api_key_id, grace_days }, create, (id) => getApiKey(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/api-keys/{api_key_id}",
      tags,
      summary: "End an API key",
      security: BEARER_AUTH,
      request: { params: apiKeyParam },
      responses: {
        200: jsonResponse(z.object({ api_key_id: Id }), "The ended key", { api_key_id: EXAMPLES.credential }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { api_key_id } = c.req.valid("param");
      await revokeApiKey(c.get("call"), api_key_id);
      return ok(c, { api_key_id });
    },
  );
