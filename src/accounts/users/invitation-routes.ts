// Invitations from the inviting side.
import { createRoute, z } from "@hono/zod-openapi";
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
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { Email } from "../auth/names.ts";
import { invite, listInvitations, replayInvitation, revokeInvitation } from "./invitations.ts";
import { FullName } from "./shapes.ts";

const NewInvitation = z
  .strictObject({
    email: Email,
    full_name: FullName.optional(),
    role: z.enum(STAFF_ROLES),
    hospital_id: Id.optional().openapi({ description: "Needed from administrators; others invite to their own hospital" }),
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

const invitee = { email: "ravi@example.org", full_name: "Ravi Kumar", role: "nurse" as const, hospital_id: EXAMPLE.hospital };
const tags = ["Accounts"];

export const invitationRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/users/invite",
      tags,
      summary: "Invite a member of staff; hand them the link",
      security: SECURED,
      request: { headers: onceHeaders, body: body(NewInvitation, invitee) },
      responses: {
        201: answer(InvitationLink, "The link, good for one account and seven days", {
          invitation_id: EXAMPLE.invitation,
          url: "https://edgecare.example.org/invitation#token=eci_…",
          token: "eci_…",
          expires_at: EXAMPLE.time,
        }),
        ...problems(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const { origin } = new URL(c.req.url);
      const create = (taking: Taking) => invite(call, input, origin, taking);
      const claim = await readClaim(c, "invitation.create");
      return ok(c, await once(call, claim, input, create, (id) => replayInvitation(call, id, origin)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/users/invitations",
      tags,
      summary: "Invitations and what became of them",
      security: SECURED,
      request: { query: z.strictObject(pageQuery) },
      responses: {
        200: pageAnswer(Invitation, "Newest first", {
          invitation_id: EXAMPLE.invitation,
          ...invitee,
          state: "open",
          created_at: EXAMPLE.time,
          expires_at: EXAMPLE.time,
        }),
        ...problems(401, 403),
      },
    }),
    async (c) => page(c, await listInvitations(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/users/invitations/{invitation_id}",
      tags,
      summary: "Revoke an invitation",
      security: SECURED,
      request: { params: z.object({ invitation_id: Id.openapi({ example: EXAMPLE.invitation }) }) },
      responses: {
        200: answer(z.object({ invitation_id: Id }), "The revoked invitation", { invitation_id: EXAMPLE.invitation }),
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { invitation_id } = c.req.valid("param");
      await revokeInvitation(c.get("call"), invitation_id);
      return ok(c, { invitation_id });
    },
  );
