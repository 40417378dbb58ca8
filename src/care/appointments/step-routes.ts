// Routes of an appointment's steps: confirm, cancel, reschedule, no-show.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import {
  BEARER_AUTH,
  createRouter,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
} from "../../http/router.ts";
import { singleLine } from "../../platform/text.ts";
import { stepAppointment } from "./change.ts";
import { moveAppointment } from "./move.ts";
import { Appointment, AppointmentMove, appointmentParams, exampleAppointment } from "./schemas.ts";

const tags = ["Appointment"];
const Cancellation = z
  .strictObject({ reason: singleLine(500).optional().openapi({ description: "The patient sees it" }) })
  .openapi("AppointmentCancellation");
const changed = { ...exampleAppointment, version: 2 };

export const appointmentStepRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/appointments/{appointment_id}/confirm",
      tags,
      summary: "Confirm a requested appointment",
      description: "By staff; by the person, what the waiting list offers.",
      security: BEARER_AUTH,
      request: { params: appointmentParams },
      responses: { 200: jsonResponse(Appointment, "The appointment", changed), ...problemResponses(401, 403, 404, 409, 412) },
    }),
    async (c) => ok(c, await stepAppointment(c.get("call"), c.req.valid("param").appointment_id, null, "confirm")),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/appointments/{appointment_id}/cancel",
      tags,
      summary: "Cancel an appointment",
      description: "By staff; by the patient or a guardian until the hospital's limit before the start.",
      security: BEARER_AUTH,
      request: { params: appointmentParams, body: jsonRequestBody(Cancellation, { reason: "The doctor is away" }) },
      responses: {
        200: jsonResponse(Appointment, "The appointment", {
          ...changed,
          status: "cancelled" as const,
          legacy_status: "cancelled" as const,
          cancel_reason: "The doctor is away",
        }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415),
      },
    }),
    async (c) => {
      const { reason } = c.req.valid("json");
      return ok(c, await stepAppointment(c.get("call"), c.req.valid("param").appointment_id, null, "cancel", reason));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/appointments/{appointment_id}/no-show",
      tags,
      summary: "Record that the patient did not come",
      security: BEARER_AUTH,
      request: { params: appointmentParams },
      responses: {
        200: jsonResponse(Appointment, "The appointment", {
          ...changed,
          status: "noshow" as const,
          legacy_status: "no_show" as const,
        }),
        ...problemResponses(401, 403, 404, 409, 412),
      },
    }),
    async (c) => ok(c, await stepAppointment(c.get("call"), c.req.valid("param").appointment_id, null, "no_show")),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/appointments/{appointment_id}/reschedule",
      tags,
      summary: "Move an appointment",
      description: "To another time, practitioner or place, all or nothing: if it cannot be moved, it stays as it is.",
      security: BEARER_AUTH,
      request: {
        params: appointmentParams,
        headers: ifMatchHeaders,
        body: jsonRequestBody(AppointmentMove, { start: "2026-12-01T05:30:00Z" }),
      },
      responses: {
        200: jsonResponse(Appointment, "The appointment", {
          ...changed,
          start: "2026-12-01T05:30:00.000Z",
          end: "2026-12-01T06:00:00.000Z",
          changed_from: "2026-12-01T04:30:00.000Z",
        }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { appointment_id: id } = c.req.valid("param");
      const { start, ...input } = c.req.valid("json");
      const move = { ...input, start: Date.parse(start) };
      return ok(c, await changeIfMatch(c, (call, expected) => moveAppointment(call, id, expected, move)));
    },
  );
