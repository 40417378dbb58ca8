// Routes of open times: schedules of practitioners, exceptions, closures of a hospital.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { changeIfMatch, type ExpectedVersion } from "../../http/conditional-requests.ts";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../../http/router.ts";
import { SCHEDULE_BOOKERS, SCHEDULE_EXCEPTIONS } from "../../platform/db/vocabulary.ts";
import { singleLine } from "../../platform/text.ts";
import { getAvailability, putAvailability } from "./availability.ts";
import { createClosure, createException, deleteClosure, deleteException } from "./exceptions.ts";

const tags = ["Schedule"];
const PractitionerId = Id.openapi({ example: EXAMPLES.practitioner });
const LocationId = Id.openapi({ example: EXAMPLES.location });
const ExceptionId = Id.openapi({ example: EXAMPLES.scheduleException });
const practitionerParams = z.object({ practitioner_id: PractitionerId });
const hospitalParams = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });

const MAX_SCHEDULES = 20;
const MAX_WINDOWS = 50;
const Window = z
  .tuple([z.int().min(1).max(7), z.int().min(0).max(1_435).multipleOf(5), z.int().min(5).max(1_440).multipleOf(5)])
  .refine(([, from, until]) => from < until, "Must end after it begins");
const LocalDate = z.iso.date().openapi({ example: "2026-12-31" });
const scheduleFields = {
  location_id: LocationId.nullable(),
  weekly: z
    .array(Window)
    .min(1)
    .max(MAX_WINDOWS)
    .openapi({
      description: "`[ISO weekday, from, until]` in minutes of the local day; 1 is Monday",
      example: [[1, 540, 780]],
      items: { type: "array", items: { type: "integer", minimum: 0, maximum: 1_440 }, minItems: 3, maxItems: 3 },
    }),
  valid_from: LocalDate.nullable(),
  valid_until: LocalDate.nullable().openapi({ description: "The last day" }),
  slot_minutes: z.int().min(5).max(480).multipleOf(5),
  buffer_before: z.int().min(0).max(120),
  buffer_after: z.int().min(0).max(120),
  bookable_by: z.enum(SCHEDULE_BOOKERS).openapi({ description: "`patients`: they too, by the hospital's rules" }),
};
const NewSchedule = z.strictObject({
  ...scheduleFields,
  location_id: scheduleFields.location_id.default(null),
  valid_from: scheduleFields.valid_from.default(null),
  valid_until: scheduleFields.valid_until.default(null),
  slot_minutes: scheduleFields.slot_minutes.default(30),
  buffer_before: scheduleFields.buffer_before.default(0),
  buffer_after: scheduleFields.buffer_after.default(0),
  bookable_by: scheduleFields.bookable_by.default("patients"),
});
const Schedules = z.strictObject({ schedules: z.array(NewSchedule).max(MAX_SCHEDULES) }).openapi("AvailabilityChange");
const Schedule = z.object({ schedule_id: Id.openapi({ example: EXAMPLES.schedule }), ...scheduleFields });
const exceptionFields = {
  exception_id: ExceptionId,
  kind: z.enum(SCHEDULE_EXCEPTIONS),
  location_id: LocationId.nullable(),
  from: Timestamp,
  until: Timestamp,
  note: z.string().nullable().openapi({ description: "For staff; null for patients" }),
};
const Exception = z.object(exceptionFields).openapi("ScheduleException");
const AddedException = z
  .object({
    ...exceptionFields,
    conflicting: z.array(Id).openapi({ description: "Appointments within it, at most 100: they stay until somebody moves them" }),
  })
  .openapi("AddedScheduleException");
const Availability = z
  .object({
    practitioner_id: PractitionerId,
    hospital_id: Id,
    time_zone: z.string(),
    schedules: z.array(Schedule),
    exceptions: z.array(Exception).openapi({ description: "That have not ended, closures of the hospital among them" }),
    version: z.int().openapi({ description: "0 while there are no schedules" }),
  })
  .openapi("Availability");

const MAX_EXCEPTION_MS = 400 * 86_400_000;
const newExceptionFields = {
  from: TimeInput.openapi({ example: "2026-12-24T00:00:00Z" }),
  until: TimeInput.openapi({ example: "2026-12-27T00:00:00Z" }),
  location_id: LocationId.nullable().default(null),
  note: singleLine(200).nullable().default(null).openapi({ example: "Conference" }),
};
const isSpan = ({ from, until }: { from: string; until: string }) =>
  Date.parse(from) < Date.parse(until) && Date.parse(until) - Date.parse(from) <= MAX_EXCEPTION_MS;
const SPAN_FAULT = { path: ["until"], message: "Must be after from, by at most 400 days" };
const NewException = z
  .strictObject({ kind: z.enum(["leave", "extra"]), ...newExceptionFields })
  .refine(isSpan, SPAN_FAULT)
  .openapi("NewScheduleException");
const NewClosure = z.strictObject(newExceptionFields).refine(isSpan, SPAN_FAULT).openapi("NewClosure");

const exampleSchedule = {
  schedule_id: EXAMPLES.schedule,
  location_id: null,
  weekly: [[1, 540, 780] as [number, number, number]],
  valid_from: null,
  valid_until: null,
  slot_minutes: 30,
  buffer_before: 0,
  buffer_after: 5,
  bookable_by: "patients" as const,
};
const exampleException = {
  exception_id: EXAMPLES.scheduleException,
  kind: "leave" as const,
  location_id: null,
  from: "2026-12-24T00:00:00.000Z",
  until: "2026-12-27T00:00:00.000Z",
  note: "Conference",
};
const exampleAvailability = {
  practitioner_id: EXAMPLES.practitioner,
  hospital_id: EXAMPLES.hospital,
  time_zone: "Asia/Kolkata",
  schedules: [exampleSchedule],
  exceptions: [exampleException],
  version: 1,
};
const exampleSpan = { from: "2026-12-24T00:00:00Z", until: "2026-12-27T00:00:00Z" };
const { schedule_id: _, ...exampleNewSchedule } = exampleSchedule;

type Span = { from: string; until: string; location_id: string | null; note: string | null };
const toSpan = ({ from, until, location_id, note }: Span) => ({
  ...{ from: Date.parse(from), until: Date.parse(until) },
  ...{ locationId: location_id, note },
});

const putIfMatch = <T>(c: Context<AppEnv>, put: (call: Call, expected: ExpectedVersion | null) => Promise<T>): Promise<T> =>
  c.req.header("If-Match") === undefined ? put(c.get("call"), null) : changeIfMatch(c, put);
const deleted = jsonResponse(z.object({ deleted: z.literal(true) }), "Deleted", { deleted: true });

export const availabilityRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/practitioners/{practitioner_id}/availability",
      tags,
      summary: "Get a practitioner's availability",
      security: BEARER_AUTH,
      request: { params: practitionerParams },
      responses: {
        200: jsonResponse(Availability, "Schedules and exceptions", exampleAvailability),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getAvailability(c.get("call"), c.req.valid("param").practitioner_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/practitioners/{practitioner_id}/availability",
      tags,
      summary: "Replace a practitioner's schedules",
      description:
        "Doctors and nurses their own. If-Match is required when there are schedules, and must be absent when there were none.",
      security: BEARER_AUTH,
      request: {
        params: practitionerParams,
        headers: ifMatchHeaders,
        body: jsonRequestBody(Schedules, { schedules: [exampleNewSchedule] }),
      },
      responses: {
        200: jsonResponse(Availability, "Schedules and exceptions", exampleAvailability),
        ...problemResponses(401, 403, 404, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { practitioner_id } = c.req.valid("param");
      const { schedules } = c.req.valid("json");
      return ok(c, await putIfMatch(c, (call, expected) => putAvailability(call, practitioner_id, expected, schedules)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/practitioners/{practitioner_id}/availability/exceptions",
      tags,
      summary: "Add leave or extra time",
      description: "Appointments within leave stay as they are; the answer lists them.",
      security: BEARER_AUTH,
      request: {
        params: practitionerParams,
        body: jsonRequestBody(NewException, { kind: "leave" as const, ...exampleSpan, note: "Conference" }),
      },
      responses: {
        201: jsonResponse(AddedException, "The exception", { ...exampleException, conflicting: [] }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { kind, ...span } = c.req.valid("json");
      return ok(c, await createException(c.get("call"), c.req.valid("param").practitioner_id, { kind, ...toSpan(span) }), 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/practitioners/{practitioner_id}/availability/exceptions/{exception_id}",
      tags,
      summary: "Delete leave or extra time",
      security: BEARER_AUTH,
      request: { params: practitionerParams.extend({ exception_id: ExceptionId }) },
      responses: { 200: deleted, ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const { practitioner_id, exception_id } = c.req.valid("param");
      await deleteException(c.get("call"), practitioner_id, exception_id);
      return ok(c, { deleted: true as const });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/hospitals/{hospital_id}/closures",
      tags,
      summary: "Add a time at which the hospital is closed",
      description:
        "No practitioner of the hospital is open then. Appointments within it stay as they are; the answer lists them.",
      security: BEARER_AUTH,
      request: { params: hospitalParams, body: jsonRequestBody(NewClosure, { ...exampleSpan, note: "Holiday" }) },
      responses: {
        201: jsonResponse(AddedException, "The closure", {
          ...{ ...exampleException, kind: "closed" as const, note: "Holiday" },
          conflicting: [],
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await createClosure(c.get("call"), c.req.valid("param").hospital_id, toSpan(c.req.valid("json"))), 201),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/closures/{exception_id}",
      tags,
      summary: "Delete a closure",
      security: BEARER_AUTH,
      request: { params: hospitalParams.extend({ exception_id: ExceptionId }) },
      responses: { 200: deleted, ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const { hospital_id, exception_id } = c.req.valid("param");
      await deleteClosure(c.get("call"), hospital_id, exception_id);
      return ok(c, { deleted: true as const });
    },
  );
