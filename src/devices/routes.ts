// Device: registry, credentials, assignments.
import { createRoute, z } from "@hono/zod-openapi";
import { DEVICE_KINDS } from "../db/schema.ts";
import { once, readClaim, type Taking } from "../idempotency.ts";
import { pageQuery } from "../pagination.ts";
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
} from "../router.ts";
import { assignDevice, readAssignment, unassignDevice } from "./assignments.ts";
import { issueCredential, listCredentials, reissuedCredential, revokeCredential } from "./credentials.ts";
import { createDevice, getDevice, listDevices } from "./devices.ts";

const Kind = z.enum(DEVICE_KINDS);
const label = z.string().trim().min(1).max(120);
const Device = z
  .object({
    device_id: Id,
    hospital_id: Id,
    kind: Kind,
    name: z.string(),
    manufacturer: z.string().nullable(),
    model: z.string().nullable(),
    serial_number: z.string().nullable(),
    is_active: z.boolean(),
    patient_id: Id.nullable().openapi({ description: "The patient it is bound to; in lists always null" }),
    created_at: Timestamp,
  })
  .openapi("Device");
const example = {
  device_id: EXAMPLE.device,
  hospital_id: EXAMPLE.hospital,
  kind: "ecg" as const,
  name: "ECG cart 2",
  manufacturer: null,
  model: null,
  serial_number: "SN-0042",
  is_active: true,
  patient_id: null,
  created_at: EXAMPLE.time,
};
const Credential = z
  .object({
    credential_id: Id,
    device_id: Id,
    name: z.string(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable().openapi({ description: "To five minutes" }),
    revoked_at: Timestamp.nullable(),
  })
  .openapi("Credential");
const credential = {
  credential_id: EXAMPLE.credential,
  device_id: EXAMPLE.device,
  name: "ward PC",
  created_at: EXAMPLE.time,
  expires_at: null,
};
const NewCredential = Credential.omit({ last_used_at: true, revoked_at: true })
  .extend({ token: z.string().nullable().openapi({ description: "Null when an Idempotency-Key is replayed" }) })
  .openapi("NewCredential");
type NewCredential = z.infer<typeof NewCredential>;
const Assignment = z
  .object({
    assignment_id: Id,
    device_id: Id,
    patient_id: Id,
    started_at: Timestamp,
    ended_at: Timestamp.nullable(),
  })
  .openapi("DeviceAssignment");

type Binding = z.infer<typeof Assignment>;

const deviceParam = z.object({ device_id: Id.openapi({ example: EXAMPLE.device }) });
const credentialParam = deviceParam.extend({ credential_id: Id.openapi({ example: EXAMPLE.credential }) });
const DeviceRef = z.object({ device_id: Id });
const tags = ["Device"];

export const deviceRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/devices",
      tags,
      summary: "Register a device",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(
          z
            .strictObject({
              kind: Kind,
              name: label,
              manufacturer: label.nullable().default(null),
              model: label.nullable().default(null),
              serial_number: label.nullable().default(null),
              hospital_id: Id.optional(),
            })
            .openapi("NewDevice"),
          { kind: "ecg", name: "ECG cart 2", serial_number: "SN-0042" },
        ),
      },
      responses: { 201: answer(Device, "The device", example), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createDevice(call, input, taking);
      const claim = await readClaim(c, "device.create");
      return ok(c, await once(call, claim, input, create, (id) => getDevice(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices",
      tags,
      summary: "Devices of my hospital",
      security: SECURED,
      request: { query: z.strictObject({ ...pageQuery, kind: Kind.optional() }) },
      responses: { 200: pageAnswer(Device, "Newest first", example), ...problems(401, 403) },
    }),
    async (c) => page(c, await listDevices(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}",
      tags,
      summary: "One device",
      security: SECURED,
      request: { params: deviceParam },
      responses: { 200: answer(Device, "The device", example), ...problems(401, 403, 404) },
    }),
    async (c) => ok(c, await getDevice(c.get("call"), c.req.valid("param").device_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/devices/{device_id}/credentials",
      tags,
      summary: "Issue a credential; its token is shown once",
      security: SECURED,
      request: {
        params: deviceParam,
        headers: onceHeaders,
        body: body(z.strictObject({ name: label, expires_at: Timestamp.nullable().default(null) }), { name: "ward PC" }),
      },
      responses: {
        201: answer(NewCredential, "The credential", {
          ...credential,
          token: `ecd_${EXAMPLE.credential}_…`,
        }),
        ...problems(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { device_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const expiry = input.expires_at === null ? null : Date.parse(input.expires_at);
      const claim = await readClaim(c, `credential.issue ${device_id}`);
      const create = (taking: Taking) => issueCredential(call, device_id, input.name, expiry, taking);
      return ok(c, await once<NewCredential>(call, claim, input, create, (id) => reissuedCredential(call, device_id, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}/credentials",
      tags,
      summary: "Credentials of a device",
      security: SECURED,
      request: { params: deviceParam },
      responses: {
        200: answer(z.array(Credential), "Newest first", [{ ...credential, last_used_at: EXAMPLE.time, revoked_at: null }]),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await listCredentials(c.get("call"), c.req.valid("param").device_id)),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}/credentials/{credential_id}",
      tags,
      summary: "Revoke a credential",
      security: SECURED,
      request: { params: credentialParam },
      responses: {
        200: answer(z.object({ credential_id: Id }), "The credential that ended", { credential_id: EXAMPLE.credential }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => {
      const { device_id, credential_id } = c.req.valid("param");
      await revokeCredential(c.get("call"), device_id, credential_id);
      return ok(c, { credential_id });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/devices/{device_id}/assignments",
      tags,
      summary: "Bind the device to a patient from now on",
      security: SECURED,
      request: {
        params: deviceParam,
        headers: onceHeaders,
        body: body(z.strictObject({ patient_id: z.string().min(1).max(64) }), { patient_id: EXAMPLE.patient }),
      },
      responses: {
        201: answer(Assignment, "The binding", {
          assignment_id: EXAMPLE.request,
          device_id: EXAMPLE.device,
          patient_id: EXAMPLE.patient,
          started_at: EXAMPLE.time,
          ended_at: null,
        }),
        ...problems(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { device_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const claim = await readClaim(c, `device.assign ${device_id}`);
      const create = (taking: Taking) => assignDevice(call, device_id, input.patient_id, taking);
      return ok(c, await once<Binding>(call, claim, input, create, (id) => readAssignment(call, device_id, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}/assignments/current",
      tags,
      summary: "End the present binding",
      security: SECURED,
      request: { params: deviceParam },
      responses: { 200: answer(DeviceRef, "The device, now free", { device_id: EXAMPLE.device }), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { device_id } = c.req.valid("param");
      await unassignDevice(c.get("call"), device_id);
      return ok(c, { device_id });
    },
  );
