// Device: how one gets a credential of its own, by a code that staff read off a screen.
import { createRoute, z } from "@hono/zod-openapi";
import { answer, body, EXAMPLE, Id, newRouter, ok, problems, SECURED, Timestamp } from "../http/router.ts";
import { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { claimDevice, DeviceClaimCode, issueDeviceCode } from "./claims.ts";

const tags = ["Device"];
const exampleCode = "K7MQ-2XWH";
const Claimed = z
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
export const publicDevices = newRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/claim",
    tags,
    summary: "Exchange a claim code, once, for the device's own credential",
    request: { body: body(z.strictObject({ code: DeviceClaimCode }), { code: exampleCode }) },
    responses: {
      201: answer(Claimed, "The credential", {
        device_id: EXAMPLE.device,
        hospital_id: EXAMPLE.hospital,
        kind: "bedside_monitor",
        name: "Monitor 4",
        credential_id: EXAMPLE.credential,
        token: `ecd_${EXAMPLE.credential}_…`,
        created_at: EXAMPLE.time,
      }),
      ...problems(404, 413, 415),
    },
  }),
  async (c) => ok(c, await claimDevice(c.get("call"), c.req.valid("json").code), 201),
);

export const deviceCodeRoutes = newRouter().openapi(
  createRoute({
    method: "post",
    path: "/devices/{device_id}/claim-code",
    tags,
    summary: "A code for which the device gets a credential of its own: shown once, ten minutes, one use",
    security: SECURED,
    request: { params: z.object({ device_id: Id.openapi({ example: EXAMPLE.device }) }) },
    responses: {
      201: answer(z.object({ device_id: Id, code: z.string(), expires_at: Timestamp }), "The code", {
        device_id: EXAMPLE.device,
        code: exampleCode,
        expires_at: EXAMPLE.time,
      }),
      ...problems(401, 403, 404, 409),
    },
  }),
  async (c) => ok(c, await issueDeviceCode(c.get("call"), c.req.valid("param").device_id), 201),
);
