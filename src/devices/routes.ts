// Device: registry, credentials, assignments.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
import {
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
  newRouter,
  ok,
  onceHeaders,
  page,
  pageAnswer,
  problems,
  SECURED,
  Timestamp,
} from "../http/router.ts";
import { assignDevice, listAssignments, readAssignment, unassignDevice } from "./assignments.ts";
import { retireDevice, updateDevice } from "./changes.ts";
import { issueCredential, listCredentials, reissuedCredential, revokeCredential } from "./credentials.ts";
import { createDevice, getDevice, listDevices } from "./devices.ts";
import {
  Assignment,
  Credential,
  Device,
  DeviceChange,
  deviceQuery,
  exampleAssignment,
  exampleCredential,
  exampleDevice,
  label,
  NewCredential,
  NewDevice,
} from "./shapes.ts";

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
        body: body(NewDevice, { kind: "ecg", name: "ECG cart 2", serial_number: "SN-0042" }),
      },
      responses: { 201: answer(Device, "The device", exampleDevice), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createDevice(call, input, taking);
      const claim = await readClaim(c, "device.create");
      const device = await once(call, claim, input, create, (id) => getDevice(call, id));
      c.header("ETag", etag(device.version));
      return ok(c, device, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices",
      tags,
      summary: "Devices of my hospital",
      security: SECURED,
      request: { query: deviceQuery },
      responses: { 200: pageAnswer(Device, "Newest first", exampleDevice), ...problems(401, 403) },
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
      responses: { 200: answer(Device, "The device", exampleDevice), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const device = await getDevice(c.get("call"), c.req.valid("param").device_id);
      c.header("ETag", etag(device.version));
      return ok(c, device);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/devices/{device_id}",
      tags,
      summary: "Change what a device is called, or take it into service again (needs If-Match)",
      security: SECURED,
      request: { params: deviceParam, headers: matchHeaders, body: body(DeviceChange, { name: "ECG cart 3" }) },
      responses: { 200: answer(Device, "The device", exampleDevice), ...problems(401, 403, 404, 409, 412, 413, 415, 428) },
    }),
    async (c) => {
      const device = await updateDevice(c.get("call"), c.req.valid("param").device_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(device.version));
      return ok(c, device);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}",
      tags,
      summary: "Take a device out of service: its binding ends, its credentials stop working (needs If-Match)",
      security: SECURED,
      request: { params: deviceParam, headers: matchHeaders },
      responses: {
        200: answer(DeviceRef, "The device, no more in service", { device_id: EXAMPLE.device }),
        ...problems(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { device_id } = c.req.valid("param");
      await retireDevice(c.get("call"), device_id, ifMatch(c));
      return ok(c, { device_id });
    },
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
          ...exampleCredential,
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
        200: answer(z.array(Credential), "Newest first", [
          { ...exampleCredential, last_used_at: EXAMPLE.time, revoked_at: null },
        ]),
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
        201: answer(Assignment, "The binding", exampleAssignment),
        ...problems(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { device_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const claim = await readClaim(c, `device.assign ${device_id}`);
      const create = (taking: Taking) => assignDevice(call, device_id, input.patient_id, taking);
      return ok(c, await once<Assignment>(call, claim, input, create, (id) => readAssignment(call, device_id, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}/assignments",
      tags,
      summary: "Whose the device has been, and when",
      security: SECURED,
      request: { params: deviceParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageAnswer(Assignment, "Newest first", exampleAssignment), ...problems(401, 403, 404) },
    }),
    async (c) => page(c, await listAssignments(c.get("call"), c.req.valid("param").device_id, c.req.valid("query"))),
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
