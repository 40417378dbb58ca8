// Events that count against no storage quota: the first of a day keep a row each in the audit log, the others are counted, and
// cron writes their number as one event after the day. Nothing is refused.
import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import { newEventId } from "../audit-log/staged-events.ts";
import { addressBucket } from "../platform/address-bucket.ts";
import type { Db, Statement } from "../platform/db/client.ts";
import { DAY_MS, utcDayOf } from "../platform/time.ts";
import type { Actor } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";
import { BEGIN_SUFFIX } from "./storage-charges.ts";

/** Refused attempts per user, device or API key and UTC day; without a principal per account that they name, else per address. */
export const MAX_REFUSED_ROWS = 100;
/** Requests with samples per sender, patient and UTC day: one per hour. The patient's object counts the samples. */
export const MAX_SAMPLE_ROWS = 24;
/** Every other kind of event that no quota refuses, per principal and UTC day. A portal that stays open refreshes 144 times. */
export const MAX_UNCOUNTED_ROWS = 1_000;

const REFUSED = "refused";
const SAMPLES = "observation.create ";

/** The counter of a caller's events of one kind, and how many of them keep a row. `scope` selects no row for unknown credentials. */
type RowAllowance = { scope: SQL; name: string; most: number; samples: number };

function selectPrincipal(actor: Actor): SQL | null {
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

/** `n:`: attempts on an account by somebody unknown, apart from those of its owner. `a:`: attempts from an address. */
function selectUnknown({ via }: Actor, { entity }: AuditEvent): SQL {
  const address = createHash("sha256").update(addressBucket(via.ip)).digest("hex").slice(0, 32);
  return sql`SELECT ${entity?.type === "user" ? `quota-day:n:${entity.id}` : `quota-day:a:${address}`} AS scope`;
}

/** Null for events that count against a quota, for reads, for what was deleted of a patient (created within a quota), and for the system's own. */
function findAllowance(actor: Actor, event: AuditEvent, isCharged: boolean): RowAllowance | null {
  // A patient's object delivers one event per device and day.
  if (actor.kind === "system" || event.event === "observation.ingest") return null;
  const scope = selectPrincipal(actor) ?? selectUnknown(actor, event);
  const isRefusal = event.outcome === "denied" || event.outcome === "failed";
  if (isRefusal) return { scope, name: REFUSED, most: MAX_REFUSED_ROWS, samples: 0 };
  const deletesOfPatient = event.action === "D" && (event.subjects?.length ?? 0) > 0;
  if (event.action === "R" || deletesOfPatient || isCharged) return null;
  const name = event.event.replace(new RegExp(`${BEGIN_SUFFIX}$`), "");
  if (name !== "observation.create") return { scope, name, most: MAX_UNCOUNTED_ROWS, samples: 0 };
  const samples = Number(event.detail?.["samples"] ?? 0);
  return { scope, name: `${SAMPLES}${event.entity?.id}`, most: MAX_SAMPLE_ROWS, samples };
}

/**
 * Limits the rows of an event: `count` comes before the insert of its row, which gets the condition `isRowKept`.
 * @param isCharged whether the event counts against a storage quota
 */
export function limitRows(
  db: Db,
  actor: Actor,
  now: number,
  event: AuditEvent,
  isCharged: boolean,
): { count: Statement[]; isRowKept: SQL } {
  const when = event.when ?? sql`1`;
  const allowance = findAllowance(actor, event, isCharged);
  if (!allowance) return { count: [], isRowKept: when };
  const { scope, name, most, samples } = allowance;
  const count = db.run(sql`INSERT INTO counters (scope, day, name, n)
    SELECT scope, CAST(${utcDayOf(now)} AS INTEGER), ${name}, 1 FROM (${scope}) WHERE (${when})
    ON CONFLICT (scope, day, name) DO UPDATE SET n = n + 1, sum = sum + iif(n < ${most}, 0, ${samples})`);
  return { count: [count], isRowKept: sql`changes() > 0 AND ${hasCountedAtMost(allowance, now, most)}` };
}

function hasCountedAtMost({ scope, name }: Pick<RowAllowance, "scope" | "name">, now: number, most: number): SQL {
  return sql`coalesce((SELECT n FROM counters WHERE scope = (${scope}) AND day = ${utcDayOf(now)} AND name = ${name}), 0) <= ${most}`;
}

/** True while the attempts of the day that were counted, with the current one, may keep a row each. */
export function isRefusedRowKept(actor: Actor, now: number): SQL {
  const scope = selectPrincipal(actor);
  return scope ? hasCountedAtMost({ scope, name: REFUSED }, now, MAX_REFUSED_ROWS) : sql`1`;
}

/** Writes one audit event for each caller's events of past days that have no row. In one batch with `pruneDayCounters`. */
export function summarizeUncounted(db: Db, now: number): Statement[] {
  const isSamples = sql`name LIKE ${`${SAMPLES}%`}`;
  const patientId = sql`substr(name, ${SAMPLES.length + 1})`;
  const most = sql`CASE WHEN name = ${REFUSED} THEN ${MAX_REFUSED_ROWS} WHEN ${isSamples} THEN ${MAX_SAMPLE_ROWS} ELSE ${MAX_UNCOUNTED_ROWS} END`;
  const hospitalId = sql`coalesce((SELECT hospital_id FROM patients WHERE ${isSamples} AND id = ${patientId}),
    (SELECT hospital_id FROM devices WHERE id = subject), (SELECT hospital_id FROM credentials WHERE id = subject),
    (SELECT hospital_id FROM memberships WHERE user_id = subject AND ended_at IS NULL LIMIT 1))`;
  const detail = sql`CASE WHEN name = ${REFUSED} THEN json_object('attempts', n - most, 'day', day_text)
    WHEN ${isSamples} THEN json_object('event', trim(${SAMPLES}), 'by', subject, 'attempts', n - most, 'samples', CAST(sum AS INTEGER), 'day', day_text)
    ELSE json_object('event', name, 'attempts', n - most, 'day', day_text) END`;
  const entity = sql`json_object('type', CASE WHEN ${isSamples} THEN 'patient' ELSE kind END, 'id', iif(${isSamples}, ${patientId}, subject))`;
  const summarize = db.run(sql`INSERT INTO audit_staged (id, event, subjects)
    SELECT ${newEventId(now)}, json_object('recorded', CAST(${now} AS INTEGER), 'action', 'E',
      'event', iif(name = ${REFUSED}, 'access.denied_summary', 'access.summary'), 'outcome', iif(name = ${REFUSED}, 'denied', 'success'),
      'reason', NULL, 'actor', json_object('kind', 'system', 'id', 'cleanup', 'role', NULL), 'hospital_id', ${hospitalId},
      'actor_hospital_id', NULL, 'basis', NULL, 'purpose', 'HSYSADMIN', 'entity', ${entity}, 'request_id', 'cleanup-' || day,
      'ip', NULL, 'detail', ${detail}), iif(${isSamples}, json_array(${patientId}), '[]')
    FROM (SELECT *, substr(scope, length('quota-day:u:') + 1) AS subject, date(day * ${DAY_MS / 1000}, 'unixepoch') AS day_text,
        ${most} AS most, CASE substr(scope, length('quota-day:') + 1, 1) WHEN 'a' THEN 'address' WHEN 'm' THEN
          iif(EXISTS (SELECT 1 FROM devices WHERE id = substr(scope, length('quota-day:m:') + 1)), 'device', 'credential') ELSE 'user' END AS kind
      FROM counters WHERE scope >= 'quota-day:' AND scope < 'quota-day;' AND day < ${utcDayOf(now)}
        AND (name = ${REFUSED} OR name LIKE '%.%'))
    WHERE n > most`);
  return [summarize];
}
