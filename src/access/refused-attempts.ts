// Refused attempts: the first hundred of a user, device or app per day keep a row each, the others are summed in one counter.
import { type SQL, sql } from "drizzle-orm";
import type { Db, Statement } from "../platform/db/client.ts";
import { DAY_MS, utcDayOf } from "../platform/time.ts";
import type { Actor } from "./actor.ts";

/** Per user, device or API key and UTC day. */
export const MAX_REFUSED_ROWS = 100;

/** Selects the day's scope of a principal; no row for unknown credentials, which must not add counters. */
function selectScope(actor: Actor): SQL | null {
  switch (actor.kind) {
    case "user":
      return sql`SELECT ${`quota-day:u:${actor.userId}`} AS scope`;
    case "device":
    case "app":
      return sql`SELECT 'quota-day:m:' || coalesce(device_id, id) AS scope FROM credentials WHERE id = ${actor.credentialId}`;
    default:
      return null;
  }
}

/**
 * Counts a refused attempt, after its rows in the same batch; no statement for requests without a principal.
 * @param when the condition of the event, which must not depend on `changes()`: the event's own row would change it
 */
export function countRefusedStatements(db: Db, actor: Actor, now: number, when: SQL = sql`1`): Statement[] {
  const scope = selectScope(actor);
  if (!scope) return [];
  return [
    db.run(sql`INSERT INTO counters (scope, day, name, n) SELECT scope, CAST(${utcDayOf(now)} AS INTEGER), 'refused', 1 FROM (${scope})
      WHERE (${when}) ON CONFLICT (scope, day, name) DO UPDATE SET n = n + 1`),
  ];
}

/** True while fewer than `count` attempts of the day have been counted. */
export function isRefusedBelow(actor: Actor, now: number, count: number): SQL {
  const scope = selectScope(actor);
  if (!scope) return sql`1`;
  return sql`coalesce((SELECT n FROM counters WHERE scope = (${scope}) AND day = ${utcDayOf(now)} AND name = 'refused'), 0) < ${count}`;
}

/** Writes one audit event for each principal's attempts of past days that have no row. In one batch with `pruneDayCounters`. */
export function summarizeRefused(db: Db, now: number): Statement {
  const subjectId = sql`substr(scope, length('quota-day:u:') + 1)`;
  return db.run(sql`INSERT INTO audit_events (recorded_at, action, event, outcome, actor_kind, actor_id, hospital_id, entity_type,
      entity_id, request_id, detail)
    SELECT CAST(${now} AS INTEGER), 'E', 'access.denied_summary', 'denied', 'system', 'cleanup',
      coalesce((SELECT hospital_id FROM devices WHERE id = ${subjectId}), (SELECT hospital_id FROM credentials WHERE id = ${subjectId}),
        (SELECT hospital_id FROM memberships WHERE user_id = ${subjectId} AND ended_at IS NULL LIMIT 1)),
      CASE WHEN scope LIKE 'quota-day:u:%' THEN 'user' WHEN EXISTS (SELECT 1 FROM devices WHERE id = ${subjectId}) THEN 'device'
        ELSE 'credential' END,
      ${subjectId}, 'cleanup-' || day, json_object('attempts', n - ${MAX_REFUSED_ROWS}, 'day', date(day * ${DAY_MS / 1000}, 'unixepoch'))
    FROM counters WHERE scope >= 'quota-day:' AND scope < 'quota-day;' AND day < ${utcDayOf(now)} AND name = 'refused'
      AND n > ${MAX_REFUSED_ROWS}`);
}
