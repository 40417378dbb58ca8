// API calls for message settings, channels per kind, browsers with Web Push, and a hospital's rules.
import { hc } from "hono/client";
import type { hospitalPreferenceRoutes } from "../../../../src/notifications/preferences/hospital-routes.ts";
import type { preferenceRoutes } from "../../../../src/notifications/preferences/routes.ts";
import type { pushRoutes } from "../../../../src/notifications/push/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage, readVersioned } from "../../platform/api/client.ts";

const preferenceApi = hc<typeof preferenceRoutes>(API_BASE, CLIENT_OPTIONS);
const pushApi = hc<typeof pushRoutes>(API_BASE, CLIENT_OPTIONS).push;
const hospitalApi = hc<typeof hospitalPreferenceRoutes>(API_BASE, CLIENT_OPTIONS).hospitals[":hospital_id"];

export const readMessageSettings = () => readVersioned(preferenceApi["notification-settings"].$get());
export type MessageSettings = Awaited<ReturnType<typeof readMessageSettings>>;
type SettingsChange = Parameters<(typeof preferenceApi)["notification-settings"]["$patch"]>[0]["json"];
export const changeMessageSettings = (etag: string, json: SettingsChange) =>
  readData(preferenceApi["notification-settings"].$patch({ header: { "if-match": etag }, json }));

export const readPreferences = () => readData(preferenceApi["notification-preferences"].$get());
export type MessagePreferences = Awaited<ReturnType<typeof readPreferences>>;
export type Channel = MessagePreferences["channels"][number]["channel"];
export type Choices = Parameters<(typeof preferenceApi)["notification-preferences"]["$put"]>[0]["json"]["choices"];
export const replacePreferences = (choices: Choices) =>
  readData(preferenceApi["notification-preferences"].$put({ json: { choices } }));
/** @throws Problem conflict (not reachable), rate_limited, limit_reached */
export const sendTest = (channel: Channel) => readData(preferenceApi["notification-settings"].test.$post({ json: { channel } }));

export const readPushKey = () => readData(pushApi.key.$get());
export const listPushSubscriptions = async () => (await readData(pushApi.subscriptions.$get())).subscriptions;
export type PushBrowser = Awaited<ReturnType<typeof listPushSubscriptions>>[number];
export type NewPushSubscription = Parameters<typeof pushApi.subscriptions.$post>[0]["json"];
export const registerPushSubscription = (json: NewPushSubscription) => readData(pushApi.subscriptions.$post({ json }));
export const removePushSubscription = (id: string) =>
  readData(pushApi.subscriptions[":push_subscription_id"].$delete({ param: { push_subscription_id: id } }));

export const readRequiredChannels = async (hospital_id: string) =>
  (await readData(hospitalApi["required-channels"].$get({ param: { hospital_id } }))).required;
export type RequiredChannels = Parameters<(typeof hospitalApi)["required-channels"]["$put"]>[0]["json"]["required"];
export const replaceRequiredChannels = async (hospital_id: string, required: RequiredChannels) =>
  (await readData(hospitalApi["required-channels"].$put({ param: { hospital_id }, json: { required } }))).required;
export const listUnreachableMembers = (hospital_id: string, cursor: string | null) =>
  readPage(
    hospitalApi["unreachable-members"].$get({ param: { hospital_id }, query: { limit: "50", ...(cursor && { cursor }) } }),
  );
