// How a person is notified: language, time zone and quiet hours. Without a row the defaults hold, as version 1.

import { eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch } from "../../platform/db/client.ts";
import { notificationSettings } from "../../platform/db/schema.ts";
import type { LANGUAGES } from "../../platform/db/vocabulary.ts";

export type Language = (typeof LANGUAGES)[number];
export type QuietTimes = { from: string; until: string };
export type SettingsChange = {
  language?: Language | undefined;
  time_zone?: string | null | undefined;
  quiet_hours?: QuietTimes | null | undefined;
};
type SettingsRow = Pick<
  typeof notificationSettings.$inferSelect,
  "language" | "timeZone" | "quietFrom" | "quietUntil" | "version"
>;

const DEFAULTS: SettingsRow = { language: "en", timeZone: null, quietFrom: null, quietUntil: null, version: 1 };

const toText = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
/** @param text `HH:MM` */
const toMinutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

function toSettings({ language, timeZone, quietFrom, quietUntil, version }: SettingsRow) {
  const quiet_hours = quietFrom === null || quietUntil === null ? null : { from: toText(quietFrom), until: toText(quietUntil) };
  return { language, time_zone: timeZone, quiet_hours, version };
}

const selectSettings = ({ db, actor }: UserCall) =>
  db.select().from(notificationSettings).where(eq(notificationSettings.userId, actor.userId));

export async function getNotificationSettings(anyCall: Call) {
  const { results } = await withUser(anyCall, "notification:read", (_, call) => [selectSettings(call)]);
  return toSettings(results[0][0] ?? DEFAULTS);
}

function toColumns({ language, time_zone, quiet_hours }: SettingsChange) {
  return {
    ...(language !== undefined && { language }),
    ...(time_zone !== undefined && { timeZone: time_zone }),
    ...(quiet_hours !== undefined && {
      quietFrom: quiet_hours && toMinutes(quiet_hours.from),
      quietUntil: quiet_hours && toMinutes(quiet_hours.until),
    }),
  };
}

/** @param expected the versions that the caller has read  @throws ApiError precondition_failed */
export async function updateNotificationSettings(anyCall: Call, expected: ExpectedVersion, change: SettingsChange) {
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, call) => [selectSettings(call)]);
  const { db, actor, now } = call;
  const row = results[0][0] ?? DEFAULTS;
  const version = matchVersion(expected, row.version);
  const { role, hospitalId } = effectiveRole;
  const entity = { type: "user", id: actor.userId };
  const event = { event: "notification_settings.update", action: "U", role, hospitalId, entity } as const;
  if (row.version !== version) return failWithAudit(call, "precondition_failed", event);
  const columns = { ...toColumns(change), updatedAt: now, version: version + 1 };
  const [changed] = await batch(db, [
    db
      .insert(notificationSettings)
      .values({ userId: actor.userId, ...columns })
      .onConflictDoUpdate({
        target: notificationSettings.userId,
        set: columns,
        setWhere: sql`${notificationSettings.version} = ${version}`,
      })
      .returning(),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { fields: Object.keys(change) }, when: sql`changes() > 0` }),
  ]);
  return changed[0] ? toSettings(changed[0]) : failWithAudit(call, "precondition_failed", event);
}
