// Routes of locations.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { booleanParam, pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { phoneNumber } from "../../platform/phone.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { createLocation, getLocation, listLocations, updateLocation } from "./locations.ts";

const tags = ["Location"];
const LocationId = Id.openapi({ example: EXAMPLES.location });
const params = z.object({ location_id: LocationId });
const name = singleLine(120).normalize("NFC").openapi({ example: "Outpatient clinic" });
const address = multiLine(500).nullable().openapi({ example: "12 Lake Road, Pune" });
const phone = phoneNumber.nullable().openapi({ example: "+91 20 5550 0100" });

const Location = z
  .object({
    location_id: LocationId,
    hospital_id: Id,
    name: z.string(),
    address: z.string().nullable(),
    phone: z.string().nullable(),
    is_active: z.boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.int(),
  })
  .openapi("Location");
const NewLocation = z
  .strictObject({
    hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
    name,
    address: address.default(null),
    phone: phone.default(null),
  })
  .openapi("NewLocation");
const LocationChange = z
  .strictObject({
    name: name.optional(),
    address: address.optional(),
    phone: phone.optional(),
    is_active: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("LocationChange");
const example = {
  location_id: EXAMPLES.location,
  hospital_id: EXAMPLES.hospital,
  name: "Outpatient clinic",
  address: "12 Lake Road, Pune",
  phone: null,
  is_active: true,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};

export const locationRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/locations",
      tags,
      summary: "Create a location",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewLocation, { name: "Outpatient clinic", address: "12 Lake Road, Pune" }),
      },
      responses: { 201: jsonResponse(Location, "The location", example), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const key = await readIdempotencyKey(c, "location.create");
      const create = (statements: Parameters<typeof createLocation>[2]) => createLocation(call, input, statements);
      return ok(c, await runOnce(call, key, input, create, (id) => getLocation(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/locations",
      tags,
      summary: "List locations",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          ...pageQuery,
          hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
          active: booleanParam.optional(),
        }),
      },
      responses: { 200: pageResponse(Location, "Newest first", example), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listLocations(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/locations/{location_id}",
      tags,
      summary: "Get a location",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(Location, "The location", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getLocation(c.get("call"), c.req.valid("param").location_id)),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/locations/{location_id}",
      tags,
      summary: "Update a location",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(LocationChange, { name: "Outpatient clinic, first floor" }),
      },
      responses: {
        200: jsonResponse(Location, "The location", { ...example, name: "Outpatient clinic, first floor", version: 2 }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { location_id } = c.req.valid("param");
      const change = c.req.valid("json");
      return ok(
        c,
        await changeIfMatch(c, (call, expected) =>
          updateLocation(call, location_id, expected, change as Parameters<typeof updateLocation>[3]),
        ),
      );
    },
  );
