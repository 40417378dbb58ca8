// API keys of a hospital's programs.
import { createRoute, z } from "@hono/zod-openapi";
import { APP_SCOPES } from "../../access/roles.ts";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  answer,
  body,
  EXAMPLE,
  Id,
  newRouter,
  ok,
  onceHeaders,
  page,
  pageAnswer,
  problems,
  SECURED,
  Timestamp,
} from "../../http/router.ts";
import { line } from "../../platform/text.ts";
import { getKey, issueKey, listKeys, revokeKey, rotateKey } from "./api-keys.ts";

const Scopes = z
  .array(z.enum(APP_SCOPES))
  .min(1)
  .max(APP_SCOPES.length)
  .refine(
    (scopes) =>
      scopes.includes("patient:read") || !scopes.some((scope) => scope === "patient:create" || scope === "patient:update"),
    "patient:create and patient:update answer with the record: add patient:read",
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
    last_used_at: Timestamp.nullable().openapi({ description: "To five minutes" }),
    revoked_at: Timestamp.nullable(),
  })
  .openapi("ApiKey");
const example = {
  api_key_id: EXAMPLE.credential,
  hospital_id: EXAMPLE.hospital,
  name: "laboratory interface",
  scopes: ["patient:read", "report:create"],
  created_by: EXAMPLE.user,
  created_at: EXAMPLE.time,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};
/** Null when an Idempotency-Key repeats the request: the token was shown then and is kept nowhere. */
const WithToken = ApiKey.extend({ token: z.string().nullable() }).openapi("NewApiKey");
const exampleToken = { ...example, token: "eca_…" };
const keyParam = z.object({ api_key_id: Id.openapi({ example: EXAMPLE.credential }) });
const Replaced = z.object({ api_key_id: Id, expires_at: Timestamp.nullable() }).optional();
const tags = ["API keys"];

export const apiKeyRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/api-keys",
      tags,
      summary: "Issue a key; its token is shown once",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(
          z
            .strictObject({
              name: line(100),
              scopes: Scopes,
              expires_at: z.iso.datetime({ offset: true }).nullable().default(null),
              hospital_id: Id.optional().openapi({ description: "Needed from administrators" }),
            })
            .openapi("ApiKeyRequest"),
          { name: "laboratory interface", scopes: ["patient:read", "report:create"] },
        ),
      },
      responses: { 201: answer(WithToken, "The key", exampleToken), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const until = input.expires_at === null ? null : Date.parse(input.expires_at);
      const create = (taking: Taking) => issueKey(call, { ...input, expires_at: until }, taking);
      return ok(c, await once(call, await readClaim(c, "api_key.issue"), input, create, (id) => getKey(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/api-keys",
      tags,
      summary: "Every key the hospital ever had",
      security: SECURED,
      request: { query: z.strictObject({ ...pageQuery, hospital_id: Id.optional().openapi({ example: EXAMPLE.hospital }) }) },
      responses: { 200: pageAnswer(ApiKey, "Newest first", example), ...problems(401, 403) },
    }),
    async (c) => page(c, await listKeys(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/api-keys/{api_key_id}/rotate",
      tags,
      summary: "A successor; the old key goes on for the grace",
      security: SECURED,
      request: {
        params: keyParam,
        headers: onceHeaders,
        body: body(z.strictObject({ grace_days: z.number().int().min(0).max(30).default(7) }), { grace_days: 7 }),
      },
      responses: {
        201: answer(WithToken.extend({ replaces: Replaced }), "The successor", {
          ...exampleToken,
          replaces: { api_key_id: EXAMPLE.credential, expires_at: EXAMPLE.time },
        }),
        ...problems(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { api_key_id } = c.req.valid("param");
      const { grace_days } = c.req.valid("json");
      const create = (taking: Taking) => rotateKey(call, api_key_id, grace_days, taking);
      const claim = await readClaim(c, "api_key.rotate");
      return ok(c, await once(call, claim, { api_key_id, grace_days }, create, (id) => getKey(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/api-keys/{api_key_id}",
      tags,
      summary: "End a key at once",
      security: SECURED,
      request: { params: keyParam },
      responses: {
        200: answer(z.object({ api_key_id: Id }), "The key that ended", { api_key_id: EXAMPLE.credential }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => {
      const { api_key_id } = c.req.valid("param");
      await revokeKey(c.get("call"), api_key_id);
      return ok(c, { api_key_id });
    },
  );
