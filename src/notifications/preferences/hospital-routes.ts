// Routes of a hospital's rules of messages: required channels, and members whom no channel reaches.
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
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { PERSON_CHANNELS } from "../../platform/db/vocabulary.ts";
import { getRequiredChannels, replaceRequiredChannels } from "./required-channels.ts";
import { listUnreachableMembers } from "./unreachable-members.ts";

const tags = ["Notifications"];
const hospitalParam = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });
const RequiredChannel = z.strictObject({ role: z.enum(STAFF_ROLES), channel: z.enum(PERSON_CHANNELS) });
const RequiredChannels = z
  .object({
    hospital_id: Id,
    required: z.array(RequiredChannel.extend({ set_by: Id, set_at: Timestamp })),
  })
  .openapi("RequiredChannels");
const exampleRequired = {
  hospital_id: EXAMPLES.hospital,
  required: [{ role: "nurse" as const, channel: "push" as const, set_by: EXAMPLES.user, set_at: EXAMPLES.time }],
};
const UnreachableMember = z
  .object({ user_id: Id, full_name: z.string(), role: z.enum(STAFF_ROLES) })
  .openapi("UnreachableMember");

export const hospitalPreferenceRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/required-channels",
      tags,
      summary: "List required channels",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: { 200: jsonResponse(RequiredChannels, "By role", exampleRequired), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getRequiredChannels(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/required-channels",
      tags,
      summary: "Replace required channels",
      description: "Members with the role cannot switch the channel off for messages of the hospital.",
      security: BEARER_AUTH,
      request: {
        params: hospitalParam,
        body: jsonRequestBody(
          z.strictObject({ required: z.array(RequiredChannel).max(STAFF_ROLES.length * PERSON_CHANNELS.length) }),
          { required: [{ role: "nurse", channel: "push" }] },
        ),
      },
      responses: {
        200: jsonResponse(RequiredChannels, "By role", exampleRequired),
        ...problemResponses(401, 403, 404, 413, 415),
      },
    }),
    async (c) =>
      ok(c, await replaceRequiredChannels(c.get("call"), c.req.valid("param").hospital_id, c.req.valid("json").required)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/unreachable-members",
      tags,
      summary: "List members whom no channel reaches",
      description: "Active members without a verified e-mail address, a browser with Web Push or a verified phone number.",
      security: BEARER_AUTH,
      request: { params: hospitalParam, query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(UnreachableMember, "Ordered by user id", {
          user_id: EXAMPLES.user,
          full_name: "Asha Rao",
          role: "nurse",
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listUnreachableMembers(c.get("call"), c.req.valid("param").hospital_id, c.req.valid("query"))),
  );
