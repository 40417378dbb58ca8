// Which channels a person is notified by, per kind: by choice, by default, or because kind or hospital require it.

import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { batch } from "../../platform/db/client.ts";
import { PERSON_CHANNELS } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import { NOTIFICATION_KINDS, type NotificationKind, type PersonChannel, ruleOf } from "../kinds.ts";

/** Kinds that a person chooses channels for: all but the test. */
export const CHOSEN_KINDS = Object.keys(NOTIFICATION_KINDS).filter(
  (kind): kind is Exclude<NotificationKind, "notification.test"> => kind !== "notification.test",
);
export type ChosenKind = (typeof CHOSEN_KINDS)[number];
export type Choice = { kind: ChosenKind; channel: PersonChannel; is_on: boolean };

/** Why a channel cannot be switched off: the kind demands it, or a hospital of the person. */
type Rule = "fixed" | "required";

/** A row of text columns as JSON arrays, since one statement is cheaper than three. */
type PreferencesRow = { chosen: string; required: string } & Record<PersonChannel, number>;

/** Whether a message would reach the person by the channel. Requires the alias `u` of users. */
export const REACHABLE_BY: Readonly<Record<PersonChannel, SQL>> = {
  email: sql`u.email_verified_at IS NOT NULL`,
  push: sql`EXISTS (SELECT 1 FROM push_subscriptions p WHERE p.user_id = u.id)`,
  sms: sql`EXISTS (SELECT 1 FROM notification_settings s WHERE s.user_id = u.id AND s.phone_verified_at IS NOT NULL)`,
};

const selectPreferences = ({ db, actor }: UserCall) =>
  db.all<PreferencesRow>(sql`SELECT
    (SELECT json_group_array(json_array(c.kind, c.channel, c.is_on)) FROM notification_choices c WHERE c.user_id = u.id) AS chosen,
    (SELECT json_group_array(DISTINCT q.channel) FROM memberships m
      JOIN required_channels q ON q.hospital_id = m.hospital_id AND q.role = m.role
      WHERE m.user_id = u.id AND ${ACTIVE_MEMBERSHIP}) AS required,
    ${REACHABLE_BY.email} AS email, ${REACHABLE_BY.push} AS push, ${REACHABLE_BY.sms} AS sms
    FROM users u WHERE u.id = ${actor.userId}`);

/** Matters of the account alone belong to no hospital, so none can require a channel for them. */
function findRule(kind: ChosenKind, channel: PersonChannel, required: ReadonlySet<string>): Rule | null {
  const { fixed, priority } = ruleOf(kind);
  if (fixed.includes(channel)) return "fixed";
  return priority !== "security" && required.has(channel) ? "required" : null;
}

function readRow(row: PreferencesRow | undefined) {
  if (!row) throw new ApiError("unauthenticated");
  const chosen: [string, string, number][] = JSON.parse(row.chosen);
  const required: string[] = JSON.parse(row.required);
  return {
    choices: new Map(chosen.map(([kind, channel, isOn]) => [`${kind} ${channel}`, isOn === 1])),
    required: new Set(required),
    reachable: row,
  };
}

function toPreferences({ choices, required, reachable }: ReturnType<typeof readRow>) {
  const toState = (kind: ChosenKind, channel: PersonChannel) => {
    const rule = findRule(kind, channel, required);
    const byDefault = ruleOf(kind).defaults.includes(channel);
    const isOn = rule !== null || (choices.get(`${kind} ${channel}`) ?? byDefault);
    return { channel, is_on: isOn, is_default: isOn === byDefault, rule };
  };
  return {
    channels: PERSON_CHANNELS.map((channel) => ({ channel, is_reachable: reachable[channel] === 1 })),
    kinds: CHOSEN_KINDS.map((kind) => ({
      kind,
      priority: ruleOf(kind).priority,
      channels: PERSON_CHANNELS.map((channel) => toState(kind, channel)),
    })),
  };
}

export async function getNotificationPreferences(anyCall: Call) {
  const { results } = await withUser(anyCall, "notification:read", (_, call) => [selectPreferences(call)]);
  return toPreferences(readRow(results[0][0]));
}

function findErrors(choices: readonly Choice[], required: ReadonlySet<string>) {
  const seen = new Set<string>();
  return choices.flatMap(({ kind, channel, is_on }, i) => {
    const key = `${kind} ${channel}`;
    const rule = findRule(kind, channel, required);
    const message = seen.has(key)
      ? "Must name each kind and channel once"
      : rule !== null && !is_on
        ? `Cannot be switched off: ${rule === "fixed" ? "matters of the account's security" : "required by the hospital"}`
        : null;
    seen.add(key);
    return message === null ? [] : [{ path: `choices.${i}.is_on`, message, code: "custom" }];
  });
}

/**
 * Replaces the caller's choices; what they do not name has its default again.
 * @throws ApiError invalid_request (a channel switched off that kind or hospital require, or one named twice)
 */
export async function replaceNotificationPreferences(anyCall: Call, choices: readonly Choice[]) {
  const { call, effectiveRole, results } = await withUser(anyCall, "notification:write", (_, call) => [selectPreferences(call)]);
  const { db, actor, now } = call;
  const { required } = readRow(results[0][0]);
  const errors = findErrors(choices, required);
  if (errors.length > 0)
    throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors: errors.slice(0, 20) });
  const stored = choices.filter(({ kind, channel, is_on }) => ruleOf(kind).defaults.includes(channel) !== is_on);
  const rows = JSON.stringify(stored.map(({ kind, channel, is_on }) => [kind, channel, Number(is_on)]));
  const { role, hospitalId } = effectiveRole;
  const [, , after] = await batch(db, [
    db.run(sql`DELETE FROM notification_choices WHERE user_id = ${actor.userId}`),
    db.run(sql`INSERT INTO notification_choices (user_id, kind, channel, is_on)
      SELECT ${actor.userId}, value ->> 0, value ->> 1, value ->> 2 FROM json_each(${rows})`),
    selectPreferences(call),
    ...recordAuditEvent(db, actor, now, {
      event: "notification_preferences.update",
      action: "U",
      role,
      hospitalId,
      entity: { type: "user", id: actor.userId },
      detail: { count: stored.length },
    }),
  ]);
  return toPreferences(readRow(after[0]));
}
