// Routes of a person's own notifications.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  Pagination,
  problemResponses,
  Timestamp,
  Uuid,
} from "../../http/router.ts";
import { NOTIFICATION_PRIORITIES } from "../../platform/db/vocabulary.ts";
import { getUnreadCount, listNotifications, MAX_COUNTED, markAllRead, markRead } from "./notifications.ts";

export const Refs = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .openapi({ description: "Ids of what it is about", example: { alert_id: EXAMPLES.patient, patient_id: EXAMPLES.patient } });
const Notification = z
  .object({
    id: Id,
    kind: z
      .string()
      .openapi({ description: "What happened; clients ignore kinds that they do not know", example: "alert.raised" }),
    priority: z.enum(NOTIFICATION_PRIORITIES),
    hospital_id: Id.nullable(),
    refs: Refs,
    guardian_name: z
      .string()
      .nullable()
      .openapi({ description: "Whom a notification about a guardian is about; null for others" }),
    created_at: Timestamp,
    read_at: Timestamp.nullable(),
  })
  .openapi("Notification");
const unread_count = z
  .number()
  .int()
  .openapi({ description: `At most ${MAX_COUNTED}`, minimum: 0, maximum: MAX_COUNTED, example: 1 });
const UnreadCount = z.object({ unread_count }).openapi("UnreadCount");

const example: z.input<typeof Notification> = {
  id: EXAMPLES.request,
  kind: "alert.raised",
  priority: "alarm",
  hospital_id: EXAMPLES.hospital,
  refs: { patient_id: EXAMPLES.patient },
  guardian_name: null,
  created_at: EXAMPLES.time,
  read_at: null,
};
const pagination = { limit: 20, offset: 0, total: 1, total_is_exact: true, has_more: false, next_cursor: null };
const listResponse = {
  description: "A page of notifications",
  content: {
    "application/json": {
      schema: z.object({
        data: z.array(Notification),
        meta: z.object({ pagination: Pagination, unread_count }),
        request_id: z.string(),
      }),
      example: { data: [example], meta: { pagination, unread_count: 1 }, request_id: EXAMPLES.request },
    },
  },
};
const tags = ["Notifications"];

export const notificationRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/notifications",
      tags,
      security: BEARER_AUTH,
      summary: "List own notifications",
      description: "Unread ones first, then read ones, each newest first. Kept for 180 days, the newest 1,000 per person.",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: listResponse, ...problemResponses(401, 403) },
    }),
    async (c) => {
      const { items, pagination, unread_count } = await listNotifications(c.get("call"), c.req.valid("query"));
      return c.json({ data: items, meta: { pagination, unread_count }, request_id: c.get("requestId") }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/notifications/unread-count",
      tags,
      security: BEARER_AUTH,
      summary: "Count own unread notifications",
      responses: { 200: jsonResponse(UnreadCount, "The number", { unread_count: 1 }), ...problemResponses(401, 403) },
    }),
    async (c) => ok(c, await getUnreadCount(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/notifications/read-all",
      tags,
      security: BEARER_AUTH,
      summary: "Mark notifications as read",
      description: "All of the caller, or those up to `up_to`, so that one that arrived meanwhile stays unread.",
      request: {
        body: jsonRequestBody(
          z.strictObject({
            up_to: Uuid.optional().openapi({ description: "Id of the newest that was seen", example: EXAMPLES.request }),
          }),
          { up_to: EXAMPLES.request },
        ),
      },
      responses: { 200: jsonResponse(UnreadCount, "What is still unread", { unread_count: 0 }), ...problemResponses(401, 403) },
    }),
    async (c) => ok(c, await markAllRead(c.get("call"), c.req.valid("json").up_to)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/notifications/{notification_id}/read",
      tags,
      security: BEARER_AUTH,
      summary: "Mark a notification as read",
      request: { params: z.object({ notification_id: Id }) },
      responses: {
        200: jsonResponse(UnreadCount, "What is still unread", { unread_count: 0 }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await markRead(c.get("call"), c.req.valid("param").notification_id)),
  );
