// Routes of a hospital's storage: use, quotas and import grants.
import { createRoute, z } from "@hono/zod-openapi";
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
import { STORAGE_LIMITS } from "../../platform/storage-quotas.ts";
import { multiLine } from "../../platform/text.ts";
import {
  createImportGrant,
  listImportGrants,
  MAX_GRANT_BYTES,
  MAX_GRANT_DAYS,
  replayImportGrant,
  revokeImportGrant,
} from "./import-grants.ts";
import { hospitalParam } from "./schemas.ts";
import { getStorage } from "./storage.ts";

const tags = ["Organization"];
const bytes = z.int().min(0);

const StorageUse = z.object({ today: bytes, day_quota: bytes, total: bytes, ceiling: bytes });
const Storage = z
  .object({
    hospital_id: Id,
    day_ends_at: Timestamp.openapi({ description: "When the daily quotas end: the next midnight UTC" }),
    records: StorageUse.openapi({ description: "Bytes in the database" }),
    files: StorageUse.openapi({ description: "Bytes of files" }),
    imported_bytes: bytes.openapi({ description: "Stored under import grants, not counted against the quotas" }),
    samples_today: z.int().openapi({ description: "Vital signs of the day (UTC), without the open hours" }),
  })
  .openapi("Storage");
const { records, files } = STORAGE_LIMITS.hospital;
const exampleStorage = {
  hospital_id: EXAMPLES.hospital,
  day_ends_at: EXAMPLES.time,
  records: { today: 2_400_000, day_quota: records.day, total: 90_000_000, ceiling: records.total },
  files: { today: 310_000_000, day_quota: files.day, total: 12_000_000_000, ceiling: files.total },
  imported_bytes: 0,
  samples_today: 1_250_000,
};

const ImportGrant = z
  .object({
    grant_id: Id,
    hospital_id: Id,
    bytes,
    used_bytes: bytes,
    reason: z.string(),
    created_by: Id,
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Timestamp.nullable(),
  })
  .openapi("ImportGrant");
const exampleGrant = {
  grant_id: EXAMPLES.upload,
  hospital_id: EXAMPLES.hospital,
  bytes: 50_000_000_000,
  used_bytes: 0,
  reason: "Reports of 2024 from the earlier system",
  created_by: EXAMPLES.user,
  created_at: EXAMPLES.time,
  expires_at: EXAMPLES.time,
  revoked_at: null,
};
const NewImportGrant = z
  .strictObject({
    bytes: z.int().min(1).max(MAX_GRANT_BYTES),
    expires_at: TimeInput.openapi({ description: `At most ${MAX_GRANT_DAYS} days ahead` }),
    reason: multiLine(500),
  })
  .openapi("NewImportGrant");

const grantParam = hospitalParam.extend({ grant_id: Id.openapi({ example: EXAMPLES.upload }) });

export const storageRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/storage",
      tags,
      summary: "Get storage use",
      description: "Bytes stored today and in all, with the hospital's quotas.",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: { 200: jsonResponse(Storage, "Use and quotas", exampleStorage), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getStorage(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/hospitals/{hospital_id}/import-grants",
      tags,
      summary: "Grant an import",
      description:
        "Requests with the header `Import-Grant: <grant_id>` count against the grant instead of the storage quotas, until it is used up, expires or is revoked.",
      security: BEARER_AUTH,
      request: {
        params: hospitalParam,
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewImportGrant, {
          bytes: 50_000_000_000,
          expires_at: EXAMPLES.time,
          reason: "Reports of 2024 from the earlier system",
        }),
      },
      responses: { 201: jsonResponse(ImportGrant, "The grant", exampleGrant), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const { hospital_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => createImportGrant(call, hospital_id, input, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, `import_grant.create ${hospital_id}`);
      return ok(c, await runOnce(call, idempotencyKey, input, create, (id) => replayImportGrant(call, hospital_id, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/import-grants",
      tags,
      summary: "List import grants",
      security: BEARER_AUTH,
      request: { params: hospitalParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(ImportGrant, "Newest first", exampleGrant), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listImportGrants(c.get("call"), c.req.valid("param").hospital_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/import-grants/{grant_id}",
      tags,
      summary: "Revoke an import grant",
      security: BEARER_AUTH,
      request: { params: grantParam },
      responses: {
        200: jsonResponse(ImportGrant, "The revoked grant", { ...exampleGrant, revoked_at: EXAMPLES.time }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { hospital_id, grant_id } = c.req.valid("param");
      return ok(c, await revokeImportGrant(c.get("call"), hospital_id, grant_id));
    },
  );
