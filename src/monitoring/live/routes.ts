// Live views: a ticket for browsers, the WebSocket, and the same frames as server-sent events. The protocol: docs/live.md.
import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import {
  type AppEnv,
  answer,
  body,
  EXAMPLE,
  Id,
  newRouter,
  ok,
  problems,
  SECURED,
  SECURED_OR_LINK,
  Timestamp,
} from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { connect, issueTicket, offerOf, refuseOrigin } from "./connect.ts";
import { eventStream } from "./event-stream.ts";
import { MOST_NAMED } from "./opening.ts";

const tags = ["Live"];

const NewTicket = z
  .strictObject({
    patient_id: Id.optional(),
    patient_ids: z.array(Id).min(1).max(MOST_NAMED).optional(),
    hospital_id: Id.optional().openapi({ description: "All monitored patients there; administrators name it" }),
  })
  .refine((input) => Object.keys(input).length <= 1, "Name patient_id, patient_ids or hospital_id")
  .openapi("NewLiveTicket");
const Ticket = z.object({ ticket: z.string(), expires_at: Timestamp, url: z.string() }).openapi("LiveTicket");

const number = z
  .string()
  .regex(/^\d{1,16}$/, "A whole number")
  .transform(Number);
const seq = {
  type: "integer",
  description: "The last seq that this view has seen",
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;
const since = number.optional().openapi(seq);
const LONGEST_LIST = MOST_NAMED * 37;
const query = z
  .strictObject({
    ticket: z.string().max(8000).optional(),
    // Without examples: they exclude each other.
    patient_id: z.uuid().optional(),
    patient_ids: z
      .string()
      .max(LONGEST_LIST)
      .transform((text) => text.split(","))
      .pipe(z.array(z.uuid()).max(MOST_NAMED))
      .optional()
      .openapi({ type: "string", maxLength: LONGEST_LIST, description: `At most ${MOST_NAMED} ids with commas between them` }),
    hospital_id: z.uuid().optional(),
    since,
  })
  .refine(
    ({ since, ...named }) => Object.values(named).filter((value) => value !== undefined).length <= 1,
    "A ticket names its view; else name patient_id, patient_ids or hospital_id",
  );

type Named = { patient_id?: string | undefined; patient_ids?: string[] | undefined; hospital_id?: string | undefined };
const askedOf = ({ patient_id, patient_ids, hospital_id }: Named) => ({
  patientIds: patient_id === undefined ? (patient_ids ?? null) : [patient_id],
  hospitalId: hospital_id ?? null,
});

/** Addresses end up in logs: a token in one is no credential, and the origin is asked before anything else. */
const atTheDoor: MiddlewareHandler<AppEnv> = async (c, next) => {
  refuseOrigin(c);
  if (["access_token", "token"].some((name) => c.req.query(name) !== undefined)) throw new ApiError("unauthenticated");
  await next();
};

export const liveTicketRoutes = newRouter().openapi(
  createRoute({
    method: "post",
    path: "/live/tickets",
    tags,
    summary: "A ticket for a live view, for 30 seconds and one use",
    description: "Of the patients that are named, or of all that are monitored at the caller's hospital. Patients: their own.",
    security: SECURED,
    request: { body: body(NewTicket, { patient_id: EXAMPLE.patient }) },
    responses: {
      201: answer(Ticket, "The ticket", {
        ticket: "eyJpZCI6…",
        expires_at: EXAMPLE.time,
        url: "wss://clinic.example.org/api/v1/live?ticket=eyJpZCI6…",
      }),
      ...problems(401, 403, 404, 409, 413, 415),
    },
  }),
  async (c) => ok(c, await issueTicket(c, askedOf(c.req.valid("json"))), 201),
);

/** They stand above the line that authenticates: a ticket is its own proof. */
export const liveRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/live",
      tags,
      summary: "A live view as a WebSocket, by a ticket or a bearer token",
      description: "Snapshot first, then frames whose `seq` only grows. Protocol, limits and close codes: docs/live.md.",
      security: SECURED_OR_LINK,
      middleware: [atTheDoor] as const,
      request: { query },
      responses: { 101: { description: "The socket" }, ...problems(401, 403, 404, 409, 426) },
    }),
    async (c) => {
      const { ticket, since, ...named } = c.req.valid("query");
      const offer = await offerOf(c, ticket, askedOf(named));
      if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
        throw new ApiError("upgrade_required", undefined, { headers: { Upgrade: "websocket" } });
      }
      const webSocket = await connect(c, offer, since ?? null);
      // Made here, not passed on: the headers of an answer that came from an object cannot be added to.
      return new Response(null, { status: 101, webSocket });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/live/sse",
      tags,
      summary: "The same frames as server-sent events",
      description: "`id` is the frame's seq; Last-Event-ID goes on behind it. Ends when access ends.",
      security: SECURED_OR_LINK,
      middleware: [atTheDoor] as const,
      request: { query, headers: z.object({ "last-event-id": number.optional().openapi(seq) }) },
      responses: {
        200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { ticket, since, ...named } = c.req.valid("query");
      const offer = await offerOf(c, ticket, askedOf(named));
      const socket = await connect(c, offer, c.req.valid("header")["last-event-id"] ?? since ?? null);
      return c.body(eventStream(socket), 200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
    },
  );
