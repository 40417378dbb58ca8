// Routes: staff invitations, for managers.
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
  Timestamp,
} from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { Email } from "../../platform/email.ts";
import { inviteStaff, listInvitations, replayInvitation, revokeInvitation } from "./invitations.ts";
import { FullName } from "./schemas.ts";

const NewInvitation = z
  .strictObject({
    email: Email,
    full_name: FullName.optional(),
    role: z.enum(STAFF_ROLES),
    hospital_id: Id.optional().openapi({ description: "Required for administrators; others invite to their own hospital" }),
  })
  .openapi("NewInvitation");

const InvitationLink = z
  .object({ invitation_id: Id, url: z.string(), token: z.string(), expires_at: Timestamp })
  .openapi("InvitationLink");

const Invitation = z
  .object({
    invitation_id: Id,
    email: z.string(),
    full_name: z.string().nullable(),
    role: z.enum(STAFF_ROLES),
    hospital_id: Id,
    state: z.enum(["open", "accepted", "revoked", "expired"]),
    created_at: Timestamp,
    expires_at: Timestamp,
  })
  .openapi("Invitation");

const exampleInvitee = {
  email: "ravi@example.org",
  full_name: "Ravi Kumar",
  role: "nurse" as const,
  hospital_id: EXAMPLES.hospital,
};
const tags = ["Accounts"];

export const invitationRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/users/invite",
      tags,
      summary: "Invite a staff member",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(NewInvitation, exampleInvitee) },
      responses: {
        201: jsonResponse(InvitationLink, "A single-use link, valid for seven days", {
          invitation_id: EXAMPLES.invitation,
          url: "https://edgecare.example.org/invitation#token=eci_…",
          token: "eci_…",
          expires_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const origin = getPublicOrigin(c.env);
      const create = (keyStatements: KeyStatements) => inviteStaff(call, input, origin, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "invitation.create");
      return ok(c, await runOnce(call, idempotencyKey, input, create, (id) => replayInvitation(call, id, origin)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/users/invitations",
      tags,
      summary: "List invitations",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(Invitation, "Newest first", {
          invitation_id: EXAMPLES.invitation,
          ...exampleInvitee,
          state: "open",
          created_at: EXAMPLES.time,
          expires_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listInvitations(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/users/invitations/{invitation_id}",
      tags,
      summary: "Revoke an invitation",
      security: BEARER_AUTH,
      request: { params: z.object({ invitation_id: Id.openapi({ example: EXAMPLES.invitation }) }) },
      responses: {
        200: jsonResponse(z.object({ invitation_id: Id }), "The revoked invitation", { invitation_id: EXAMPLES.invitation }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { invitation_id } = c.req.valid("param");
      await revokeInvitation(c.get("call"), invitation_id);
      return ok(c, { invitation_id });
    },
  );
