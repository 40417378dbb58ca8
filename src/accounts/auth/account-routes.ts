// Routes: the caller's own account: registration, invitations, passwords, profile and acting hospital.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { limitLink, limitPasswordChange, limitSignup } from "../../http/rate-limit.ts";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  SETS_COOKIE,
  Timestamp,
} from "../../http/router.ts";
import { ROLES, STAFF_ROLES } from "../../platform/db/schema.ts";
import { changeOwnPassword } from "../passwords/change-password.ts";
import { accountName, rememberBrowser } from "../sessions/known-browser.ts";
import { switchHospital } from "../sessions/sessions.ts";
import { exampleTokens, issueAccessTokenOnly, issueTokens, TokenPair } from "../sessions/token-pair.ts";
import { getOwnProfile, updateOwnProfile } from "../users/own-profile.ts";
import { exampleUser, FullName } from "../users/schemas.ts";
import { acceptInvitation, joinHospital } from "./accept-invitation.ts";
import { readClient, type SessionTokens } from "./login.ts";
import { Password, Username } from "./login-names.ts";
import { PatientRegistration, Registration, registerPatient, resolveFullName, TokenTransport } from "./registration.ts";

const tags = ["Accounts"];
const Registered = TokenPair.extend({ patient_id: Id.nullable() }).openapi("Registered");
const exampleRegistered = { ...exampleTokens, role: "patient" as const, hospital_id: null, patient_id: EXAMPLES.patient };
const exampleRegistration = {
  email: "meera@example.org",
  password: "lanterns over seven hills",
  full_name: "Meera Iyer",
  phone: "+91 98765 43210",
  date_of_birth: "1988-11-02",
  gender: "female" as const,
};
const OneTimeToken = z.string().min(1).max(200);
const example = exampleUser;

/** The browser of a registration is one that the person uses. */
async function rememberOwnBrowser(c: Context<AppEnv>, transport: "json" | "cookie", { userId, claimedRole }: SessionTokens) {
  if (transport === "cookie") await rememberBrowser(c, [accountName(userId)], claimedRole.role !== "patient");
}

async function registerAndIssueTokens(c: Context<AppEnv>, input: z.output<typeof PatientRegistration>) {
  await limitSignup(c, "registration");
  const { patientId, ...session } = await registerPatient(c.get("call"), input, readClient(c));
  await rememberOwnBrowser(c, input.transport, session);
  return { ...(await issueTokens(c, session, input.transport)), patient_id: patientId };
}

export const publicAccountRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/register",
      tags,
      summary: "Register as a patient, or with an invitation as staff",
      request: { body: jsonRequestBody(Registration, exampleRegistration) },
      responses: {
        201: { ...jsonResponse(Registered, "The new account with its tokens", exampleRegistered), ...SETS_COOKIE },
        ...problemResponses(403, 409, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const { invitation_token: token, email, password, username, transport } = input;
      if (token === undefined) return ok(c, await registerAndIssueTokens(c, input), 201);
      await limitLink(c, token);
      const acceptance = { token, password, username, email, full_name: resolveFullName(input) };
      const session = await acceptInvitation(c.get("call"), acceptance, readClient(c));
      await rememberOwnBrowser(c, transport, session);
      return ok(c, { ...(await issueTokens(c, session, transport)), patient_id: null }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/register/patient",
      tags,
      summary: "Register as a patient",
      request: { body: jsonRequestBody(PatientRegistration, { ...exampleRegistration, email: "kavya@example.org" }) },
      responses: {
        201: { ...jsonResponse(Registered, "The new account with its tokens", exampleRegistered), ...SETS_COOKIE },
        ...problemResponses(409, 413, 415),
      },
    }),
    async (c) => ok(c, await registerAndIssueTokens(c, c.req.valid("json")), 201),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/invitations/accept",
      tags,
      summary: "Accept an invitation with a new account",
      request: {
        body: jsonRequestBody(
          z.strictObject({
            token: OneTimeToken,
            password: Password,
            full_name: FullName.optional(),
            username: Username.optional(),
            transport: TokenTransport,
          }),
          { token: "eci_…", password: "lanterns over seven hills", full_name: "Ravi Kumar" },
        ),
      },
      responses: {
        201: { ...jsonResponse(TokenPair, "The new account with its tokens", exampleTokens), ...SETS_COOKIE },
        ...problemResponses(403, 409, 413, 415),
      },
    }),
    async (c) => {
      const { transport, ...input } = c.req.valid("json");
      await limitLink(c, input.token);
      const session = await acceptInvitation(c.get("call"), input, readClient(c));
      await rememberOwnBrowser(c, transport, session);
      return ok(c, await issueTokens(c, session, transport), 201);
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
const TimeZoneName = z.string().openapi({ description: "IANA time zone of the hospital" });
const RecordZone = z.string().nullable().openapi({ description: "IANA time zone of the hospital; null for a record at none" });
const SecondStepState = z.object({
  required_from: Timestamp.nullable().openapi({ description: "Set by the acting hospital for the caller's role" }),
  is_enrolled: z.boolean().openapi({ description: "The caller has a passkey or an authenticator app" }),
  is_done: z.boolean().openapi({ description: "The sign-in of this session had a second step" }),
});
const Me = Profile.extend({
  email_verified: z.boolean().openapi({ description: "Whether a link that was sent to the address was opened" }),
  role: z.enum(ROLES),
  is_privacy_officer: z.boolean().openapi({ description: "Of the acting hospital" }),
  hospital: z.object({ id: Id, name: z.string(), time_zone: TimeZoneName }).nullable(),
  memberships: z.array(z.object({ hospital_id: Id, name: z.string(), role: z.enum(STAFF_ROLES) })),
  patients: z.array(z.object({ patient_id: Id, hospital_id: Id, hospital_name: z.string(), time_zone: RecordZone })),
  second_step: SecondStepState,
  unread_notifications: z.int().openapi({ description: "At most 1,000 are counted" }),
  created_at: Timestamp,
}).openapi("Me");

export const accountRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/auth/me",
      tags: ["Authentication"],
      summary: "Get your profile",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(Me, "The caller's profile", {
          ...exampleProfile,
          email_verified: true,
          role: "doctor",
          is_privacy_officer: false,
          hospital: { id: EXAMPLES.hospital, name: "Demo General", time_zone: "Asia/Kolkata" },
          memberships: [{ hospital_id: EXAMPLES.hospital, name: "Demo General", role: "doctor" }],
          patients: [
            {
              patient_id: EXAMPLES.patient,
              hospital_id: EXAMPLES.hospital,
              hospital_name: "Demo General",
              time_zone: "Asia/Kolkata",
            },
          ],
          second_step: { required_from: null, is_enrolled: true, is_done: true },
          unread_notifications: 1,
          created_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => {
      const profile = await getOwnProfile(c.get("call"));
      return ok(c, profile);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/auth/me",
      tags,
      summary: "Update your profile",
      security: BEARER_AUTH,
      request: {
        headers: ifMatchHeaders,
        body: jsonRequestBody(
          z
            .strictObject({ full_name: FullName.optional(), username: Username.nullable().optional() })
            .refine((change) => Object.keys(change).length > 0, "At least one field is required"),
          { full_name: "Asha Rao" },
        ),
      },
      responses: {
        200: jsonResponse(Profile, "The updated profile", exampleProfile),
        ...problemResponses(401, 403, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const change = c.req.valid("json");
      const profile = await changeIfMatch(c, (call, expected) => updateOwnProfile(call, expected, change));
      return ok(c, profile);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/password/change",
      tags,
      summary: "Change your password",
      description: "Ends the caller's other sessions.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ current_password: Password, new_password: Password }), {
          current_password: "quiet river stones",
          new_password: "lanterns over seven hills",
        }),
      },
      responses: {
        200: jsonResponse(z.object({ changed: z.literal(true) }), "The password was changed; all other sessions ended", {
          changed: true,
        }),
        ...problemResponses(401, 403, 409, 413, 415, 423),
      },
    }),
    async (c) => {
      const { current_password, new_password } = c.req.valid("json");
      await changeOwnPassword(c.get("call"), current_password, new_password, () => limitPasswordChange(c));
      return ok(c, { changed: true as const });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/switch-hospital",
      tags: ["Authentication"],
      summary: "Switch the acting hospital",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ hospital_id: Id.nullable().openapi({ example: EXAMPLES.hospital }) }), {
          hospital_id: EXAMPLES.hospital,
        }),
      },
      responses: {
        200: jsonResponse(TokenPair, "A new access token of the same session; the refresh token stays valid", {
          ...exampleTokens,
          refresh_token: null,
        }),
        ...problemResponses(401, 403, 404, 413, 415),
      },
    }),
    async (c) => ok(c, await issueAccessTokenOnly(c, await switchHospital(c.get("call"), c.req.valid("json").hospital_id))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/invitations/join",
      tags,
      summary: "Accept an invitation with an existing account",
      description: "Ends the caller's other sessions.",
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(z.strictObject({ token: OneTimeToken }), { token: "eci_…" }) },
      responses: {
        200: jsonResponse(z.object({ hospital_id: Id, role: z.enum(STAFF_ROLES) }), "The membership", {
          hospital_id: EXAMPLES.hospital,
          role: "nurse",
        }),
        ...problemResponses(401, 403, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await joinHospital(c.get("call"), c.req.valid("json").token)),
  );
