// Accounts from their owners' side: register, accept an invitation, passwords, profile, where a session acts.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  type AppEnv,
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
  newRouter,
  ok,
  problems,
  SECURED,
  Timestamp,
} from "../../http/router.ts";
import { ROLES, STAFF_ROLES } from "../../platform/db/schema.ts";
import { changeOwnPassword } from "../passwords/new-password.ts";
import { redeemReset } from "../passwords/password-reset.ts";
import { actAt } from "../sessions/sessions.ts";
import { accessAlone, exampleTokens, TokenPair, tokens } from "../sessions/token-pair.ts";
import { me, updateMe } from "../users/self.ts";
import { exampleUser, FullName } from "../users/shapes.ts";
import { acceptInvitation, joinHospital } from "./accept.ts";
import { clientOf } from "./login.ts";
import { Password, Username } from "./names.ts";
import { fullNameOf, PatientRegistration, Registration, register, Transport } from "./registration.ts";

const tags = ["Accounts"];
const Registered = TokenPair.extend({ patient_id: Id.nullable() }).openapi("Registered");
const exampleRegistered = { ...exampleTokens, role: "patient" as const, hospital_id: null, patient_id: EXAMPLE.patient };
const exampleRegistration = {
  email: "meera@example.org",
  password: "lanterns over seven hills",
  full_name: "Meera Iyer",
  phone: "+91 98765 43210",
  date_of_birth: "1988-11-02",
  gender: "female" as const,
};
const Token = z.string().min(1).max(200);
const example = exampleUser;

async function registered(c: Context<AppEnv>, input: z.output<typeof PatientRegistration>) {
  const { patientId, ...session } = await register(c.get("call"), input, clientOf(c));
  return { ...(await tokens(c, session, input.transport)), patient_id: patientId };
}

export const publicAccounts = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/register",
      tags,
      summary: "Register oneself as a patient, or with an invitation as staff",
      request: { body: body(Registration, exampleRegistration) },
      responses: {
        201: answer(Registered, "The account, logged in", exampleRegistered),
        ...problems(403, 409, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const { invitation_token: token, email, password, username, transport } = input;
      if (token === undefined) return ok(c, await registered(c, input), 201);
      const acceptance = { token, password, username, email, full_name: fullNameOf(input) };
      const session = await acceptInvitation(c.get("call"), acceptance, clientOf(c));
      return ok(c, { ...(await tokens(c, session, transport)), patient_id: null }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/register/patient",
      tags,
      summary: "Register oneself as a patient",
      request: { body: body(PatientRegistration, { ...exampleRegistration, email: "kavya@example.org" }) },
      responses: { 201: answer(Registered, "The account, logged in", exampleRegistered), ...problems(409, 413, 415) },
    }),
    async (c) => ok(c, await registered(c, c.req.valid("json")), 201),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/invitations/accept",
      tags,
      summary: "Make the account that an invitation is for",
      request: {
        body: body(
          z.strictObject({
            token: Token,
            password: Password,
            full_name: FullName.optional(),
            username: Username.optional(),
            transport: Transport,
          }),
          { token: "eci_…", password: "lanterns over seven hills", full_name: "Ravi Kumar" },
        ),
      },
      responses: { 201: answer(TokenPair, "The account, logged in", exampleTokens), ...problems(403, 409, 413, 415) },
    }),
    async (c) => {
      const { transport, ...input } = c.req.valid("json");
      const session = await acceptInvitation(c.get("call"), input, clientOf(c));
      return ok(c, await tokens(c, session, transport), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/password/reset",
      tags,
      summary: "Set a password by the link that a manager gave",
      request: {
        body: body(z.strictObject({ token: Token, new_password: Password }), {
          token: "ecp_…",
          new_password: "lanterns over seven hills",
        }),
      },
      responses: {
        200: answer(z.object({ changed: z.literal(true) }), "Log in with it now", { changed: true }),
        ...problems(403, 413, 415),
      },
    }),
    async (c) => {
      const { token, new_password } = c.req.valid("json");
      await redeemReset(c.get("call"), token, new_password);
      return ok(c, { changed: true as const });
    },
  );

const Profile = z
  .object({
    user_id: Id,
    email: z.string(),
    username: z.string().nullable(),
    full_name: z.string(),
    version: z.number().int(),
  })
  .openapi("Profile");
const { user_id, email, username, full_name, version } = example;
const exampleProfile = { user_id, email, username, full_name, version };
const Me = Profile.extend({
  role: z.enum(ROLES),
  hospital: z.object({ id: Id, name: z.string() }).nullable(),
  memberships: z.array(z.object({ hospital_id: Id, name: z.string(), role: z.enum(STAFF_ROLES) })),
  patients: z.array(z.object({ patient_id: Id, hospital_id: Id })),
  created_at: Timestamp,
}).openapi("Me");

export const accountRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/auth/me",
      tags: ["Authentication"],
      summary: "Who I am",
      security: SECURED,
      responses: {
        200: answer(Me, "The caller", {
          ...exampleProfile,
          role: "doctor",
          hospital: { id: EXAMPLE.hospital, name: "Demo General" },
          memberships: [{ hospital_id: EXAMPLE.hospital, name: "Demo General", role: "doctor" }],
          patients: [{ patient_id: EXAMPLE.patient, hospital_id: EXAMPLE.hospital }],
          created_at: EXAMPLE.time,
        }),
        ...problems(401, 403),
      },
    }),
    async (c) => {
      const self = await me(c.get("call"));
      c.header("ETag", etag(self.version));
      return ok(c, self);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/auth/me",
      tags,
      summary: "Change my name or user name",
      security: SECURED,
      request: {
        headers: matchHeaders,
        body: body(
          z
            .strictObject({ full_name: FullName.optional(), username: Username.nullable().optional() })
            .refine((change) => Object.keys(change).length > 0, "Nothing to change"),
          { full_name: "Asha Rao" },
        ),
      },
      responses: { 200: answer(Profile, "As it is now", exampleProfile), ...problems(401, 403, 409, 412, 413, 415, 428) },
    }),
    async (c) => {
      const profile = await updateMe(c.get("call"), ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(profile.version));
      return ok(c, profile);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/password/change",
      tags,
      summary: "Change my password; my other sessions end",
      security: SECURED,
      request: {
        body: body(z.strictObject({ current_password: Password, new_password: Password }), {
          current_password: "quiet river stones",
          new_password: "lanterns over seven hills",
        }),
      },
      responses: {
        200: answer(z.object({ changed: z.literal(true) }), "This session goes on", { changed: true }),
        ...problems(401, 403, 409, 413, 415, 423),
      },
    }),
    async (c) => {
      const { current_password, new_password } = c.req.valid("json");
      await changeOwnPassword(c.get("call"), current_password, new_password);
      return ok(c, { changed: true as const });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/switch-hospital",
      tags: ["Authentication"],
      summary: "Act for another of my hospitals, or for myself alone",
      security: SECURED,
      request: {
        body: body(z.strictObject({ hospital_id: Id.nullable().openapi({ example: EXAMPLE.hospital }) }), {
          hospital_id: EXAMPLE.hospital,
        }),
      },
      responses: {
        200: answer(TokenPair, "The same session; its refresh token stays", { ...exampleTokens, refresh_token: null }),
        ...problems(401, 403, 404, 413, 415),
      },
    }),
    async (c) => ok(c, await accessAlone(c, await actAt(c.get("call"), c.req.valid("json").hospital_id))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/invitations/join",
      tags,
      summary: "Take an invitation with the account that I have; my other sessions end",
      security: SECURED,
      request: { body: body(z.strictObject({ token: Token }), { token: "eci_…" }) },
      responses: {
        200: answer(z.object({ hospital_id: Id, role: z.enum(STAFF_ROLES) }), "The membership", {
          hospital_id: EXAMPLE.hospital,
          role: "nurse",
        }),
        ...problems(401, 403, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await joinHospital(c.get("call"), c.req.valid("json").token)),
  );
