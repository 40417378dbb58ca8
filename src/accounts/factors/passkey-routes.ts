// Routes: the caller's passkeys.
import { createRoute, z } from "@hono/zod-openapi";
import { limitFactor } from "../../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
} from "../../http/router.ts";
import { createPasskeyOptions, listPasskeys, registerPasskey, removePasskey, renamePasskey } from "./own-passkeys.ts";
import {
  exampleCodes,
  exampleOptions,
  examplePasskey,
  exampleRegistration,
  Passkey,
  PasskeyName,
  PasskeyRegistration,
  RecoveryCodes,
  WebAuthnOptions,
} from "./schemas.ts";

const tags = ["Accounts"];
const params = z.object({ passkey_id: Id.openapi({ example: EXAMPLES.credential }) });

export const passkeyRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/passkeys/options",
      tags,
      summary: "Get options to register a passkey",
      description: "Needs a sign-in of the last 10 minutes. The challenge is valid for 5 minutes and used once.",
      security: BEARER_AUTH,
      responses: { 200: jsonResponse(WebAuthnOptions, "Options", exampleOptions), ...problemResponses(401, 403) },
    }),
    async (c) => ok(c, await createPasskeyOptions(c.env, c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/passkeys",
      tags,
      summary: "Register a passkey",
      description: "At most 20 per account.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ name: PasskeyName, passkey: PasskeyRegistration }), {
          name: "Phone of Asha",
          passkey: exampleRegistration,
        }),
      },
      responses: {
        201: jsonResponse(
          Passkey.extend({ recovery_codes: RecoveryCodes.nullable() }),
          "The passkey; with recovery codes if the account had none",
          { ...examplePasskey, recovery_codes: exampleCodes },
        ),
        ...problemResponses(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      const { name, passkey } = c.req.valid("json");
      await limitFactor(c);
      return ok(c, await registerPasskey(c.env, c.get("call"), name, passkey), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/auth/passkeys",
      tags,
      summary: "List your passkeys",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(z.object({ passkeys: z.array(Passkey) }), "Oldest first", { passkeys: [examplePasskey] }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, { passkeys: await listPasskeys(c.get("call")) }),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/auth/passkeys/{passkey_id}",
      tags,
      summary: "Rename a passkey",
      security: BEARER_AUTH,
      request: { params, body: jsonRequestBody(z.strictObject({ name: PasskeyName }), { name: "Key on the ward" }) },
      responses: {
        200: jsonResponse(Passkey, "The passkey", { ...examplePasskey, name: "Key on the ward" }),
        ...problemResponses(401, 403, 404, 413, 415),
      },
    }),
    async (c) => ok(c, await renamePasskey(c.get("call"), c.req.valid("param").passkey_id, c.req.valid("json").name)),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/auth/passkeys/{passkey_id}",
      tags,
      summary: "Remove a passkey",
      description: "With the last factor, the recovery codes are removed too.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(z.object({ passkey_id: Id }), "The removed passkey", { passkey_id: EXAMPLES.credential }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { passkey_id } = c.req.valid("param");
      await removePasskey(c.get("call"), passkey_id);
      return ok(c, { passkey_id });
    },
  );
