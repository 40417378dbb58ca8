// API calls for notifications and deliveries.
import { hc } from "hono/client";
import type { deliveryRoutes } from "../../../src/notifications/delivery/routes.ts";
import type { notificationRoutes } from "../../../src/notifications/in-app/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";

const { notifications } = hc<typeof notificationRoutes>(API_BASE, CLIENT_OPTIONS);
const { deliveries } = hc<typeof deliveryRoutes>(API_BASE, CLIENT_OPTIONS).notifications;

export const countUnread = () => readData(notifications["unread-count"].$get());
export const listNotifications = () => readPage(notifications.$get({ query: { limit: "50" } }));
export type Notification = Awaited<ReturnType<typeof listNotifications>>["items"][number];
export const markRead = (notification_id: string) =>
  readData(notifications[":notification_id"].read.$post({ param: { notification_id } }));
export const markAllRead = (up_to: string) => readData(notifications["read-all"].$post({ json: { up_to } }));

type ListQuery = NonNullable<Parameters<typeof deliveries.$get>[0]["query"]>;
export type DeliveryFilters = Pick<ListQuery, "channel" | "status">;
export const listDeliveries = (filters: DeliveryFilters, cursor: string | null) =>
  readPage(deliveries.$get({ query: { ...filters, limit: "50", ...(cursor && { cursor }) } }));
export type Delivery = Awaited<ReturnType<typeof listDeliveries>>["items"][number];
export const resendDelivery = (delivery_id: string, key: string) =>
  readData(deliveries[":delivery_id"].resend.$post({ param: { delivery_id }, header: { "idempotency-key": key } }));
