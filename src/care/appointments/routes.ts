// Routes of appointments: book, list, read, change.
import { createRoute } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import {
  BEARER_AUTH,
  createRouter,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
} from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { bookAppointment } from "./book.ts";
import { changeAppointment, stepAppointment } from "./change.ts";
import { getAppointment, listAppointments } from "./read.ts";
import {
  Appointment,
  AppointmentChange,
  appointmentParams,
  appointmentQuery,
  exampleAppointment,
  exampleNew,
  NewAppointment,
} from "./schemas.ts";
import { parseStatus, stepTo } from "./transitions.ts";

const tags = ["Appointment"];

export const appointmentRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/appointments",
      tags,
      summary: "Book an appointment",
      description:
        "Times of one practitioner never intersect, whatever is booked at once; an overbooking needs its permission and a reason. A " +
        "patient or guardian books within the hospital's rules: as a request that staff confirm, or at once.",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(NewAppointment, exampleNew) },
      responses: {
        201: jsonResponse(Appointment, "The appointment", exampleAppointment),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { start, ...input } = c.req.valid("json");
      const wanted = { ...input, start: Date.parse(start) };
      const key = await readIdempotencyKey(c, "appointment.create");
      const book = (statements: Parameters<typeof bookAppointment>[2]) => bookAppointment(call, wanted, statements);
      return ok(c, await runOnce(call, key, wanted, book, (id) => getAppointment(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/appointments",
      tags,
      summary: "List appointments",
      description:
        "Of patients whom the caller sees, of records that the caller is a guardian of, and a practitioner's own. By start, the earliest " +
        "first; `from` says where to begin.",
      security: BEARER_AUTH,
      request: { query: appointmentQuery },
      responses: { 200: pageResponse(Appointment, "Earliest first", exampleAppointment), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listAppointments(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/appointments/{appointment_id}",
      tags,
      summary: "Get an appointment",
      security: BEARER_AUTH,
      request: { params: appointmentParams },
      responses: { 200: jsonResponse(Appointment, "The appointment", exampleAppointment), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getAppointment(c.get("call"), c.req.valid("param").appointment_id)),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/appointments/{appointment_id}",
      tags,
      summary: "Change an appointment",
      description: "Texts and place, by staff; or `status` alone, as the step of that name.",
      security: BEARER_AUTH,
      request: {
        params: appointmentParams,
        headers: ifMatchHeaders,
        body: jsonRequestBody(AppointmentChange, { notes: "Bring the old ECG" }),
      },
      responses: {
        200: jsonResponse(Appointment, "The appointment", { ...exampleAppointment, notes: "Bring the old ECG", version: 2 }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { appointment_id: id } = c.req.valid("param");
      const { status, ...change } = c.req.valid("json");
      if (status === undefined)
        return ok(c, await changeIfMatch(c, (call, expected) => changeAppointment(call, id, expected, change)));
      const step = stepTo(parseStatus(status));
      if (step === null) throw new ApiError("illegal_transition", "No step leads to this status.");
      return ok(c, await changeIfMatch(c, (call, expected) => stepAppointment(call, id, expected, step)));
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/appointments/{appointment_id}",
      tags,
      summary: "Mark an appointment as entered in error",
      description: "By staff. It stays readable with this status, and its time is free again.",
      security: BEARER_AUTH,
      request: { params: appointmentParams, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(Appointment, "The appointment", {
          ...exampleAppointment,
          status: "entered-in-error" as const,
          legacy_status: "entered_in_error" as const,
          version: 2,
        }),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { appointment_id: id } = c.req.valid("param");
      return ok(c, await changeIfMatch(c, (call, expected) => stepAppointment(call, id, expected, "enter_in_error")));
    },
  );
