// Routes of claim codes: a device exchanges a code that staff type into it for its own credential.
import { createRoute, z } from "@hono/zod-openapi";
import { limitSignup } from "../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
} from "../http/router.ts";
import { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { claimDevice, DeviceClaimCode, issueDeviceClaimCode } from "./claim-codes.ts";

const tags = ["Device"];
const exampleCode = "K7MQ-2XWH";
const ClaimedDevice = z
  .object({
    device_id: Id,
    hospital_id: Id,
    kind: z.enum(DEVICE_KINDS),
    name: z.string(),
    credential_id: Id,
    token: z.string().openapi({ description: "Returned only once" }),
    created_at: Timestamp,
  })
  .openapi("ClaimedDevice");

/** Public, with the rate limit of registration: a device without a credential has nothing but the code. */
export const publicDeviceRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/claim",
    tags,
    summary: "Claim a device",
    description: "Exchanges a claim code, once, for a credential of the device.",
    request: { body: jsonRequestBody(z.strictObject({ code: DeviceClaimCode }), { code: exampleCode }) },
    responses: {
      201: jsonResponse(ClaimedDevice, "The credential", {
        device_id: EXAMPLES.device,
        hospital_id: EXAMPLES.hospital,
        kind: "bedside_monitor",
        name: "Monitor 4",
        credential_id: EXAMPLES.credential,
        token: `ecd_${EXAMPLES.credential}_…`,
        created_at: EXAMPLES.time,
      }),
      ...problemResponses(404, 409, 413, 415),
    },
  }),
  async (c) => {
    await limitSignup(c, "device claim");
    return ok(c, await claimDevice(c.get("call"), c.req.valid("json").code), 201);
  },
);

export const claimCodeRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/{device_id}/claim-code",
    tags,
    summary: "Issue a claim code",
    description: "The code is returned once, is valid for 10 minutes and can be used once. It replaces the device's unused code.",
    security: BEARER_AUTH,
    request: { params: z.object({ device_id: Id.openapi({ example: EXAMPLES.device }) }) },
    responses: {
      201: jsonResponse(z.object({ device_id: Id, code: z.string(), expires_at: Timestamp }), "The code", {
        device_id: EXAMPLES.device,
        code: exampleCode,
        expires_at: EXAMPLES.time,
      }),
      ...problemResponses(401, 403, 404, 409),
    },
  }),
  async (c) => ok(c, await issueDeviceClaimCode(c.get("call"), c.req.valid("param").device_id), 201),
);
