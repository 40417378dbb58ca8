// Routes of devices: registry, credentials, assignments.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../http/conditional-requests.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  TimeInput,
} from "../http/router.ts";
import { assignDevice, getAssignment, listAssignments, unassignDevice } from "./assignments.ts";
import { issueCredential, listCredentials, replayCredential, revokeCredential } from "./device-credentials.ts";
import { getDevice, listDevices } from "./devices.ts";
import { registerDevice } from "./own-devices.ts";
import {
  Assignment,
  Credential,
  Device,
  DeviceChange,
  deviceLabel,
  deviceQuery,
  exampleAssignment,
  exampleCredential,
  exampleDevice,
  NewAssignment,
  NewCredential,
  NewDevice,
} from "./schemas.ts";
import { retireDevice, updateDevice } from "./update-device.ts";

const deviceParam = z.object({ device_id: Id.openapi({ example: EXAMPLES.device }) });
const credentialParam = deviceParam.extend({ credential_id: Id.openapi({ example: EXAMPLES.credential }) });
const DeviceRef = z.object({ device_id: Id });
const tags = ["Device"];

export const deviceRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/devices",
      tags,
      summary: "Register a device",
      description:
        "A patient registers an own device, at most 10: wearable, ecg, oxygen, cpap or bipap, assigned to the own record and to no other.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewDevice, { kind: "ecg", name: "ECG cart 2", serial_number: "SN-0042" }),
      },
      responses: { 201: jsonResponse(Device, "The device", exampleDevice), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => registerDevice(call, input, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "device.create");
      const device = await runOnce(call, idempotencyKey, input, create, (id) => getDevice(call, id));
      return ok(c, device, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices",
      tags,
      summary: "List devices",
      security: BEARER_AUTH,
      request: { query: deviceQuery },
      responses: { 200: pageResponse(Device, "Newest first", exampleDevice), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listDevices(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}",
      tags,
      summary: "Get a device",
      security: BEARER_AUTH,
      request: { params: deviceParam },
      responses: { 200: jsonResponse(Device, "The device", exampleDevice), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const device = await getDevice(c.get("call"), c.req.valid("param").device_id);
      return ok(c, device);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/devices/{device_id}",
      tags,
      summary: "Update a device",
      description: "Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: deviceParam, headers: ifMatchHeaders, body: jsonRequestBody(DeviceChange, { name: "ECG cart 3" }) },
      responses: {
        200: jsonResponse(Device, "The device", exampleDevice),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { device_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const device = await changeIfMatch(c, (call, expected) => updateDevice(call, device_id, expected, change));
      return ok(c, device);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}",
      tags,
      summary: "Deactivate a device",
      description: "Ends its assignment and disables its credentials. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: deviceParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(DeviceRef, "The deactivated device", { device_id: EXAMPLES.device }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { device_id } = c.req.valid("param");
      await changeIfMatch(c, (call, expected) => retireDevice(call, device_id, expected));
      return ok(c, { device_id });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/devices/{device_id}/credentials",
      tags,
      summary: "Issue a device credential",
      description: "The token is returned only once.",
      security: BEARER_AUTH,
      request: {
        params: deviceParam,
        headers: idempotencyHeaders,
        body: jsonRequestBody(z.strictObject({ name: deviceLabel, expires_at: TimeInput.nullable().default(null) }), {
          name: "ward PC",
        }),
      },
      responses: {
        201: jsonResponse(NewCredential, "The credential", {
          ...exampleCredential,
          token: `ecd_${EXAMPLES.credential}_…`,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { device_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const expiresAt = input.expires_at === null ? null : Date.parse(input.expires_at);
      const idempotencyKey = await readIdempotencyKey(c, `credential.issue ${device_id}`);
      const create = (keyStatements: KeyStatements) => issueCredential(call, device_id, input.name, expiresAt, keyStatements);
      return ok(
        c,
        await runOnce<NewCredential>(call, idempotencyKey, input, create, (id) => replayCredential(call, device_id, id)),
        201,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}/credentials",
      tags,
      summary: "List device credentials",
      security: BEARER_AUTH,
      request: { params: deviceParam, query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(Credential, "Newest first, including revoked ones", {
          ...exampleCredential,
          last_used_at: EXAMPLES.time,
          revoked_at: null,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listCredentials(c.get("call"), c.req.valid("param").device_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}/credentials/{credential_id}",
      tags,
      summary: "Revoke a device credential",
      security: BEARER_AUTH,
      request: { params: credentialParam },
      responses: {
        200: jsonResponse(z.object({ credential_id: Id }), "The revoked credential", { credential_id: EXAMPLES.credential }),
        ...problemResponses(401, 403, 404),
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
      summary: "Assign a device to a patient",
      description:
        "Ends the current assignment. With started_at, for what the device has measured before: the device must have been " +
        "assigned to nobody since then, otherwise 409.",
      security: BEARER_AUTH,
      request: {
        params: deviceParam,
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewAssignment, { patient_id: EXAMPLES.patient }),
      },
      responses: {
        201: jsonResponse(Assignment, "The assignment", exampleAssignment),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { device_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const idempotencyKey = await readIdempotencyKey(c, `device.assign ${device_id}`);
      const startedAt = input.started_at === undefined ? null : Date.parse(input.started_at);
      const create = (keyStatements: KeyStatements) => assignDevice(call, device_id, input.patient_id, startedAt, keyStatements);
      return ok(
        c,
        await runOnce<Assignment>(call, idempotencyKey, input, create, (id) => getAssignment(call, device_id, id)),
        201,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/devices/{device_id}/assignments",
      tags,
      summary: "List device assignments",
      security: BEARER_AUTH,
      request: { params: deviceParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Assignment, "Newest first", exampleAssignment), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listAssignments(c.get("call"), c.req.valid("param").device_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/devices/{device_id}/assignments/current",
      tags,
      summary: "End the current assignment of a device",
      security: BEARER_AUTH,
      request: { params: deviceParam },
      responses: {
        200: jsonResponse(DeviceRef, "The unassigned device", { device_id: EXAMPLES.device }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { device_id } = c.req.valid("param");
      await unassignDevice(c.get("call"), device_id);
      return ok(c, { device_id });
    },
  );
