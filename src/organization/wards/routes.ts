// Location: the wards of a hospital.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { flag, pageQuery } from "../../http/pagination.ts";
import {
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
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
import { createWard, deleteWard, getWard, listWards, MAX_SHOWN, updateWard } from "./wards.ts";

/** In one normal form, so that two spellings of one name are one name. */
const Name = line(120).normalize("NFC").openapi({ example: "Cardiology 2" });
const Ward = z
  .object({
    ward_id: Id,
    hospital_id: Id,
    name: z.string(),
    is_active: z.boolean(),
    patient_count: z
      .number()
      .int()
      .openapi({ description: `Patients on it whom the caller may see, at most ${MAX_SHOWN}` }),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Ward");
const example = {
  ward_id: EXAMPLE.ward,
  hospital_id: EXAMPLE.hospital,
  name: "Cardiology 2",
  is_active: true,
  patient_count: 12,
  created_at: EXAMPLE.time,
  updated_at: EXAMPLE.time,
  version: 1,
};
const NewWard = z
  .strictObject({ name: Name, hospital_id: Id.optional().openapi({ description: "Needed from administrators" }) })
  .openapi("NewWard");
const WardChange = z
  .strictObject({ name: Name.optional(), is_active: z.boolean().optional() })
  .refine((change) => Object.keys(change).length > 0, "Nothing to change")
  .openapi("WardChange");
const wardParam = z.object({ ward_id: Id.openapi({ example: EXAMPLE.ward }) });
const listQuery = z.strictObject({ ...pageQuery, hospital_id: Id.optional(), active: flag.optional() });
const tags = ["Location"];

export const wardRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/wards",
      tags,
      summary: "Create a ward",
      security: SECURED,
      request: { headers: onceHeaders, body: body(NewWard, { name: "Cardiology 3" }) },
      responses: { 201: answer(Ward, "The ward", example), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createWard(call, input, taking);
      const ward = await once(call, await readClaim(c, "ward.create"), input, create, (id) => getWard(call, id));
      c.header("ETag", etag(ward.version));
      return ok(c, ward, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards",
      tags,
      summary: "Wards of my hospital",
      security: SECURED,
      request: { query: listQuery },
      responses: { 200: pageAnswer(Ward, "Oldest first", example), ...problems(401, 403) },
    }),
    async (c) => page(c, await listWards(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}",
      tags,
      summary: "One ward",
      security: SECURED,
      request: { params: wardParam },
      responses: { 200: answer(Ward, "The ward", example), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const ward = await getWard(c.get("call"), c.req.valid("param").ward_id);
      c.header("ETag", etag(ward.version));
      return ok(c, ward);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/wards/{ward_id}",
      tags,
      summary: "Rename, close or reopen a ward (needs If-Match)",
      security: SECURED,
      request: { params: wardParam, headers: matchHeaders, body: body(WardChange, { name: "Cardiology 4" }) },
      responses: { 200: answer(Ward, "The ward", example), ...problems(401, 403, 404, 409, 412, 413, 415, 428) },
    }),
    async (c) => {
      const ward = await updateWard(c.get("call"), c.req.valid("param").ward_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(ward.version));
      return ok(c, ward);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/wards/{ward_id}",
      tags,
      summary: "Delete a ward that nobody lies on (needs If-Match); one with patients can be closed",
      security: SECURED,
      request: { params: wardParam, headers: matchHeaders },
      responses: {
        200: answer(z.object({ ward_id: Id }), "The ward that was", { ward_id: EXAMPLE.ward }),
        ...problems(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { ward_id } = c.req.valid("param");
      await deleteWard(c.get("call"), ward_id, ifMatch(c));
      return ok(c, { ward_id });
    },
  );
