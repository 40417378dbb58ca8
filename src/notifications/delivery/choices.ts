// What people have chosen since their messages were written: channels that are off now, and quiet hours.
import { type SQL, sql } from "drizzle-orm";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { PERSON_CHANNELS } from "../../platform/db/vocabulary.ts";
import type { Delivery } from "../channel.ts";
import { isNotificationKind, type PersonChannel, ruleOf } from "../kinds.ts";
import { isRowsChannelOn } from "../notify.ts";
import { type QuietHours, quietUntil } from "../preferences/quiet-hours.ts";

type Holdable = Pick<Delivery, "id" | "userId" | "priority">;
type QuietRow = QuietHours & { userId: string; hospitalZone: string | null };

/**
 * By id of the delivery, when its recipient's quiet hours end (epoch milliseconds), and the ids of those whose channel is off by now;
 * the others are sent now.
 */
export type Choices = { heldUntil: ReadonlyMap<string, number>; switchedOff: ReadonlySet<string> };

/** In at most one round trip. */
export async function readChoices(db: Db, deliveries: readonly Delivery[], now: number): Promise<Choices> {
  const held = deliveries.filter(isHoldable);
  const groups = [...Map.groupBy(deliveries.filter(isChosen), ({ kind, channel }) => `${kind} ${channel}`).values()];
  if (held.length === 0 && groups.length === 0) return { heldUntil: new Map(), switchedOff: new Set() };
  const [quiet, ...off] = await batch(db, [
    db.all<QuietRow>(selectQuietHours(held)),
    ...groups.map((alike) => db.all<{ id: string }>(selectSwitchedOff(alike))),
  ]);
  return { heldUntil: findHeld(held, quiet, now), switchedOff: new Set(off.flat().map(({ id }) => id)) };
}

/** By id, when the quiet hours that its recipient is in now end (epoch milliseconds). In one round trip if one of them can be held back. */
export async function readQuietEnds(db: Db, deliveries: readonly Holdable[], now: number): Promise<ReadonlyMap<string, number>> {
  const held = deliveries.filter(isHoldable);
  return held.length === 0 ? new Map() : findHeld(held, await db.all<QuietRow>(selectQuietHours(held)), now);
}

const isHoldable = ({ priority, userId }: Holdable): boolean => priority === "normal" && userId !== null;

/** Letters and codes have no choice, and a test is sent over the channel that it tries. */
const isChosen = ({ kind, channel, userId }: Delivery): boolean =>
  userId !== null && isPersonChannel(channel) && isNotificationKind(kind) && kind !== "notification.test";

const isPersonChannel = (channel: string): channel is PersonChannel => PERSON_CHANNELS.some((one) => one === channel);

/** @param alike deliveries of one kind over one channel */
function selectSwitchedOff(alike: readonly Delivery[]): SQL {
  const [{ kind, channel } = { kind: "", channel: "" }] = alike;
  if (!isNotificationKind(kind) || !isPersonChannel(channel))
    throw new Error("deliveries without a choice were asked for theirs");
  const rows = JSON.stringify(alike.map(({ id, userId, hospitalId }) => [id, userId, hospitalId]));
  return sql`SELECT r.delivery_id AS id FROM (SELECT value->>0 AS delivery_id, value->>1 AS id, value->>2 AS hospital_id, ${kind} AS kind
    FROM json_each(${rows})) r WHERE NOT ${isRowsChannelOn(ruleOf(kind), channel)}`;
}

const selectQuietHours = (deliveries: readonly Holdable[]): SQL => sql`SELECT s.user_id AS userId, s.quiet_from AS quietFrom,
    s.quiet_until AS quietUntil, s.time_zone AS timeZone, (SELECT h.time_zone FROM memberships m JOIN hospitals h ON h.id = m.hospital_id
      WHERE m.user_id = s.user_id AND ${ACTIVE_MEMBERSHIP} ORDER BY m.created_at, m.hospital_id LIMIT 1) AS hospitalZone
  FROM notification_settings s WHERE s.quiet_from IS NOT NULL
    AND s.user_id IN (SELECT value FROM json_each(${JSON.stringify([...new Set(deliveries.map(({ userId }) => userId))])}))`;

function findHeld(deliveries: readonly Holdable[], rows: readonly QuietRow[], now: number): ReadonlyMap<string, number> {
  const byUser = new Map(rows.map((row) => [row.userId, row]));
  return new Map(
    deliveries.flatMap(({ id, userId, priority }) => {
      const quiet = byUser.get(userId ?? "");
      const until = quiet ? quietUntil(priority, quiet, quiet.hospitalZone, now) : null;
      return until === null ? [] : [[id, until] as const];
    }),
  );
}
