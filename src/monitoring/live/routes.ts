// Routes of live views: tickets, WebSocket and server-sent events. docs/live.md describes the protocol.
import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import {
  type AppEnv,
  BEARER_AUTH,
  BEARER_OR_LINK_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
  Uuid,
} from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { authenticate, connect, denyForeignOrigin, issueTicket } from "./connect.ts";
import { createEventStream } from "./event-stream.ts";
import { MAX_NAMED_PATIENTS } from "./open-view.ts";

const tags = ["Live"];

const NewTicket = z
  .strictObject({
    patient_id: Id.optional(),
    patient_ids: z.array(Id).min(1).max(MAX_NAMED_PATIENTS).optional(),
    hospital_id: Id.optional().openapi({ description: "All monitored patients of the hospital; required for administrators" }),
  })
  .refine((input) => Object.keys(input).length <= 1, "Only one of patient_id, patient_ids and hospital_id is allowed")
  .openapi("NewLiveTicket");
const Ticket = z.object({ ticket: z.string(), expires_at: Timestamp, url: z.string() }).openapi("LiveTicket");

const wholeNumber = z
  .string()
  .regex(/^\d{1,16}$/, "Must be a whole number")
  .transform(Number)
  .refine(Number.isSafeInteger, "Must be at most 2^53 - 1");
const seq = {
  type: "integer",
  description: "The last seq received in this view",
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;
const since = wholeNumber.optional().openapi(seq);
const MAX_LIST_LENGTH = MAX_NAMED_PATIENTS * 37;
const query = z
  .strictObject({
    ticket: z.string().max(8000).optional(),
    // Without examples, since the parameters exclude each other.
    patient_id: Uuid.optional(),
    patient_ids: z
      .string()
      .max(MAX_LIST_LENGTH)
      .transform((text) => text.split(","))
      .pipe(z.array(Uuid).max(MAX_NAMED_PATIENTS))
      .optional()
      .openapi({
        type: "string",
        maxLength: MAX_LIST_LENGTH,
        description: `At most ${MAX_NAMED_PATIENTS} ids, separated by commas`,
      }),
    hospital_id: Uuid.optional(),
    since,
  })
  .refine(
    ({ since, ...named }) => Object.values(named).filter((value) => value !== undefined).length <= 1,
    "Only one of ticket, patient_id, patient_ids and hospital_id is allowed",
  );

type ViewParams = { patient_id?: string | undefined; patient_ids?: string[] | undefined; hospital_id?: string | undefined };
const toRequestedView = ({ patient_id, patient_ids, hospital_id }: ViewParams) => ({
  patientIds: patient_id === undefined ? (patient_ids ?? null) : [patient_id],
  hospitalId: hospital_id ?? null,
});

/** Checks the origin first, and rejects tokens in the URL, since URLs end up in logs. */
const checkOrigin: MiddlewareHandler<AppEnv> = async (c, next) => {
  denyForeignOrigin(c);
  if (["access_token", "token"].some((name) => c.req.query(name) !== undefined)) throw new ApiError("unauthenticated");
  await next();
};

export const liveTicketRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/live/tickets",
    tags,
    summary: "Create a live ticket",
    description:
      "Valid for 30 seconds and one use. For the given patients, or all monitored patients of the caller's hospital; for patients, their own records.",
    security: BEARER_AUTH,
    request: { body: jsonRequestBody(NewTicket, { patient_id: EXAMPLES.patient }) },
    responses: {
      201: jsonResponse(Ticket, "The ticket", {
        ticket: "eyJpZCI6…",
        expires_at: EXAMPLES.time,
        url: "wss://clinic.example.org/api/v1/live?ticket=eyJpZCI6…",
      }),
      ...problemResponses(401, 403, 404, 409, 413, 415),
    },
  }),
  async (c) => ok(c, await issueTicket(c, toRequestedView(c.req.valid("json"))), 201),
);

/** Mounted before `authenticate`, since a ticket is a credential of its own. */
export const liveRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/live",
      tags,
      summary: "Open a live WebSocket",
      description:
        "Authenticated by a ticket or a bearer token. Sends a snapshot, then frames with increasing `seq`. Protocol: docs/live.md.",
      security: BEARER_OR_LINK_AUTH,
      middleware: [checkOrigin] as const,
      request: { query },
      responses: { 101: { description: "WebSocket" }, ...problemResponses(401, 403, 404, 409, 426) },
    }),
    async (c) => {
      const { ticket, since, ...named } = c.req.valid("query");
      const liveRequest = await authenticate(c, ticket, toRequestedView(named));
      if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
        throw new ApiError("upgrade_required", undefined, { headers: { Upgrade: "websocket" } });
      }
      const webSocket = await connect(c, liveRequest, since ?? null);
      // A new response: the headers of a response from an object are immutable.
      return new Response(null, { status: 101, webSocket });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/live/sse",
      tags,
      summary: "Stream live frames as server-sent events",
      description: "`id` is the frame's `seq`; Last-Event-ID resumes after it. The stream ends when access ends.",
      security: BEARER_OR_LINK_AUTH,
      middleware: [checkOrigin] as const,
      request: { query, headers: z.object({ "last-event-id": wholeNumber.optional().openapi(seq) }) },
      responses: {
        200: { description: "The events", content: { "text/event-stream": { schema: z.string() } } },
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { ticket, since, ...named } = c.req.valid("query");
      const liveRequest = await authenticate(c, ticket, toRequestedView(named));
      const socket = await connect(c, liveRequest, c.req.valid("header")["last-event-id"] ?? since ?? null);
      return c.body(createEventStream(socket), 200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
    },
  );
