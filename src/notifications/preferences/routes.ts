// Routes of a person's settings and preferences of messages.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { limitTestMessage } from "../../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
} from "../../http/router.ts";
import { LANGUAGES, NOTIFICATION_PRIORITIES, PERSON_CHANNELS } from "../../platform/db/vocabulary.ts";
import { isTimeZone } from "../../platform/local-time.ts";
import { CHOSEN_KINDS, getNotificationPreferences, replaceNotificationPreferences } from "./preferences.ts";
import { getNotificationSettings, updateNotificationSettings } from "./settings.ts";
import { MAX_TESTS_PER_DAY, sendTestMessage } from "./test-message.ts";

const tags = ["Notifications"];
const Channel = z.enum(PERSON_CHANNELS);
const LocalTime = z
  .string()
  .max(5)
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, "Must be a time such as 22:00")
  .openapi({ example: "22:00" });
const QuietHours = z
  .strictObject({ from: LocalTime, until: LocalTime })
  .refine(({ from, until }) => from !== until, "Must not be equal")
  .openapi({ description: "Local times; from 22:00 until 06:00 passes midnight" });
const TimeZone = z.string().max(60).refine(isTimeZone, "Must be an IANA time zone").nullable();

const Settings = z
  .object({
    language: z.enum(LANGUAGES),
    time_zone: z.string().nullable().openapi({ description: "IANA name; null: that of the hospital" }),
    quiet_hours: QuietHours.nullable(),
    version: z.number().int(),
  })
  .openapi("NotificationSettings");
const exampleSettings = {
  language: "hi" as const,
  time_zone: "Asia/Kolkata",
  quiet_hours: { from: "22:00", until: "06:00" },
  version: 2,
};
const SettingsChange = z
  .strictObject({
    language: z.enum(LANGUAGES).optional(),
    time_zone: TimeZone.optional(),
    quiet_hours: QuietHours.nullable().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("NotificationSettingsChange");

const Kind = z.enum(CHOSEN_KINDS as [(typeof CHOSEN_KINDS)[number], ...typeof CHOSEN_KINDS]);
const Preferences = z
  .object({
    channels: z.array(z.object({ channel: Channel, is_reachable: z.boolean() })),
    kinds: z.array(
      z.object({
        kind: Kind,
        priority: z.enum(NOTIFICATION_PRIORITIES),
        channels: z.array(
          z.object({
            channel: Channel,
            is_on: z.boolean(),
            is_default: z.boolean(),
            rule: z.enum(["fixed", "required"]).nullable().openapi({
              description: "Why it cannot be switched off: the account's security, or the hospital requires it",
            }),
          }),
        ),
      }),
    ),
  })
  .openapi("NotificationPreferences");
const examplePreferences = {
  channels: [
    { channel: "email" as const, is_reachable: true },
    { channel: "push" as const, is_reachable: false },
    { channel: "sms" as const, is_reachable: false },
  ],
  kinds: [
    {
      kind: "alert.raised" as const,
      priority: "alarm" as const,
      channels: [
        { channel: "email" as const, is_on: true, is_default: true, rule: "required" as const },
        { channel: "push" as const, is_on: false, is_default: false, rule: null },
        { channel: "sms" as const, is_on: false, is_default: true, rule: null },
      ],
    },
  ],
};
const MAX_CHOICES = CHOSEN_KINDS.length * PERSON_CHANNELS.length;
const Choices = z
  .strictObject({ choices: z.array(z.strictObject({ kind: Kind, channel: Channel, is_on: z.boolean() })).max(MAX_CHOICES) })
  .openapi("NotificationChoices");

export const preferenceRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/notification-settings",
      tags,
      summary: "Get your message settings",
      security: BEARER_AUTH,
      responses: { 200: jsonResponse(Settings, "The settings", exampleSettings), ...problemResponses(401, 403) },
    }),
    async (c) => ok(c, await getNotificationSettings(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/notification-settings",
      tags,
      summary: "Update your message settings",
      description:
        "Quiet hours hold back messages of normal priority; alarms and matters of security never wait. Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        headers: ifMatchHeaders,
        body: jsonRequestBody(SettingsChange, { language: "hi", quiet_hours: { from: "22:00", until: "06:00" } }),
      },
      responses: {
        200: jsonResponse(Settings, "The settings", exampleSettings),
        ...problemResponses(401, 403, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const change = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => updateNotificationSettings(call, expected, change)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/notification-preferences",
      tags,
      summary: "Get your channels per kind of message",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(Preferences, "Every kind with every channel", examplePreferences),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await getNotificationPreferences(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/notification-preferences",
      tags,
      summary: "Replace your channels per kind of message",
      description: "What `choices` does not name has its default again.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(Choices, { choices: [{ kind: "alert.raised", channel: "push", is_on: false }] }),
      },
      responses: {
        200: jsonResponse(Preferences, "Every kind with every channel", examplePreferences),
        ...problemResponses(401, 403, 413, 415),
      },
    }),
    async (c) => ok(c, await replaceNotificationPreferences(c.get("call"), c.req.valid("json").choices)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/notification-settings/test",
      tags,
      summary: "Send yourself a test message",
      description: `Over one channel alone. At most ${MAX_TESTS_PER_DAY} per channel and 24 hours.`,
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(z.strictObject({ channel: Channel }), { channel: "push" }) },
      responses: {
        202: jsonResponse(
          z
            .object({
              event_id: Id,
              channel: Channel,
              deliveries: z.int().openapi({ description: "Browsers, addresses or numbers" }),
            })
            .openapi("TestMessage"),
          "The message is on its way",
          { event_id: EXAMPLES.request, channel: "push", deliveries: 1 },
        ),
        ...problemResponses(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      await limitTestMessage(c);
      return ok(c, await sendTestMessage(c.get("call"), c.req.valid("json").channel), 202);
    },
  );
