// Device: how one gets a credential of its own, by a code that staff read off a screen.
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
    token: z.string().openapi({ description: "Told this once" }),
    created_at: Timestamp,
  })
  .openapi("ClaimedDevice");

/** Open to everybody, as often as signing up is: a device that has no credential yet has nothing but the code. */
export const publicDeviceRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/claim",
    tags,
    summary: "Exchange a claim code, once, for the device's own credential",
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
      ...problemResponses(404, 413, 415),
    },
  }),
  async (c) => ok(c, await claimDevice(c.get("call"), c.req.valid("json").code), 201),
);

export const claimCodeRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/{device_id}/claim-code",
    tags,
    summary: "A code for which the device gets a credential of its own: shown once, ten minutes, one use",
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
