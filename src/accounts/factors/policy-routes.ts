// Routes for managers: the policy of second steps, and the reset of a person's factors.
import { createRoute, z } from "@hono/zod-openapi";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../../http/router.ts";
import { userParam } from "../users/schemas.ts";
import { byRole, getFactorPolicy, type PolicyRole, type PolicyTimes, setFactorPolicy } from "./factor-policy.ts";
import { resetFactors } from "./reset-factors.ts";

const tags = ["Accounts"];
const params = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });

const Policy = z
  .object({ hospital_id: Id, required_from: z.strictObject(byRole(() => Timestamp.nullable())) })
  .openapi("FactorPolicy", { description: "From when each role needs a second step; null: not required" });
const exampleTimes = { nurse: null, doctor: "2030-01-01T00:00:00.000Z", hospital_admin: null };
const examplePolicy = { hospital_id: EXAMPLES.hospital, required_from: exampleTimes };

const toTimes = (input: Record<PolicyRole, string | null>): PolicyTimes =>
  byRole((role) => {
    const time = input[role];
    return time === null ? null : Date.parse(time);
  });

export const factorPolicyRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/factor-policy",
      tags,
      summary: "Get the policy of second steps",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(Policy, "The policy", examplePolicy), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getFactorPolicy(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/factor-policy",
      tags,
      summary: "Set the policy of second steps",
      description:
        "Needs a sign-in of the last 10 minutes. Before the date people are reminded; from then on a session without a second step " +
        "answers 403 `enrolment_required` everywhere but in the own account.",
      security: BEARER_AUTH,
      request: {
        params,
        body: jsonRequestBody(z.strictObject({ required_from: z.strictObject(byRole(() => TimeInput.nullable())) }), {
          required_from: exampleTimes,
        }),
      },
      responses: { 200: jsonResponse(Policy, "The policy", examplePolicy), ...problemResponses(401, 403, 404, 413, 415) },
    }),
    async (c) => {
      const times = toTimes(c.req.valid("json").required_from);
      return ok(c, await setFactorPolicy(c.get("call"), c.req.valid("param").hospital_id, times));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/users/{user_id}/factors/reset",
      tags,
      summary: "Remove all second factors of a user",
      description: "Needs the caller's own second step within the last 10 minutes. Ends the user's sessions; the user is told.",
      security: BEARER_AUTH,
      request: { params: userParam },
      responses: {
        200: jsonResponse(z.object({ user_id: Id }), "The account", { user_id: EXAMPLES.user }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      await resetFactors(c.get("call"), user_id);
      return ok(c, { user_id });
    },
  );
