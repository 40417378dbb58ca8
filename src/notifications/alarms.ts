// Who hears of an alarm, and the statements and the queue message that tell them.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { SystemActor } from "../access/actor.ts";
import { ACTIVE_MEMBERSHIP } from "../access/effective-role.ts";
import { batch, type Db, type Statement } from "../platform/db/client.ts";
import { STAFF_ROLES } from "../platform/db/schema.ts";
import { derivedUuidv7 } from "../platform/ids.ts";
import { type Priority, ruleOf } from "./kinds.ts";
import { insertNotices, isRowsChannelOn, MAX_RECIPIENTS, noteEvent } from "./notify.ts";

const id = z.string().min(1).max(64);

/** Tiers of an escalation. */
export const MAX_TIERS = 3;

/** Who is in a tier: everybody with a role, one person, or a group around the patient. */
export const TierEntrySchema = z.union([
  z.strictObject({ role: z.enum(STAFF_ROLES) }),
  z.strictObject({ user_id: id }),
  z.strictObject({ group: z.enum(["care_team", "ward_staff"]) }),
]);
export type TierEntry = z.infer<typeof TierEntrySchema>;

/** Where a hospital has chosen nothing: its doctors, then its doctors and nurses. The first entry is tier 1. */
export const DEFAULT_TIERS: readonly (readonly TierEntry[])[] = [[{ role: "doctor" }], [{ role: "doctor" }, { role: "nurse" }]];

/** A change of an alert that people are told. Ids, numbers and times only. */
export const AlarmSchema = z.strictObject({
  kind: z.enum(["alert.raised", "alert.escalated", "alert.repeated"]),
  patient: id,
  hospital: id,
  alert: id,
  /** The number of the change within the patient's object, as in `alert_events`. */
  n: z.int().min(0),
  priority: z.enum(["high", "medium"]),
  /** 0 before the first escalation. */
  tier: z.int().min(0).max(MAX_TIERS),
  /** Epoch milliseconds, by the clock of the patient's object. */
  at: z.int().min(0),
});
export type Alarm = z.infer<typeof AlarmSchema>;
/** A message of ALARM_QUEUE from a patient's object: the rows in D1 may not be written yet. */
export type AlarmMessage = { alarm: Alarm };

/** The same for the object's message and its row in D1, whichever is written first. */
export const toAlarmEventId = ({ at, alert, n }: Pick<Alarm, "at" | "alert" | "n">): string => derivedUuidv7(at, `${alert}.${n}`);

/** Cancels deliveries of alarms to people who have left the hospital since. @param isDue the condition for rows of `deliveries` */
export const cancelWithoutRight = (db: Db, isDue: SQL, now: number): Statement =>
  db.run(sql`UPDATE deliveries SET status = 'cancelled', next_attempt_at = NULL, leased_until = NULL, settled_at = CAST(${now} AS INTEGER)
    WHERE ${isDue} AND kind LIKE 'alert.%' AND user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships m
      WHERE m.user_id = deliveries.user_id AND m.hospital_id = deliveries.hospital_id AND ${ACTIVE_MEMBERSHIP})`);

/** The actor of notifications that a patient's object causes. */
export const newAlarmActor = (patient: string): SystemActor => ({
  kind: "system",
  name: "alarms",
  via: { requestId: `alarms-${patient}`, ip: null },
});

/** Two statements that tell the recipients of all alarms. Running them again for the same alarms adds only people who have come since. */
export function alarmStatements(db: Db, actor: SystemActor, alarms: readonly Alarm[]): Statement[] {
  if (alarms.length === 0) return [];
  const unique = new Map(alarms.map((alarm) => [toAlarmEventId(alarm), alarm]));
  const events = [...unique].map(([event, alarm]) => {
    const { kind, hospital, patient, alert, priority, tier, at } = alarm;
    const refs = JSON.stringify({ patient_id: patient, alert_id: alert, priority, tier });
    return { event, kind, hospital, patient, priority: priorityOf(alarm), tier, at, refs };
  });
  for (const { event, priority } of events) noteEvent(actor, event, priority);
  return insertNotices(db, selectRecipients(JSON.stringify(events)), (channel) =>
    isRowsChannelOn(ruleOf("alert.raised"), channel),
  );
}

const priorityOf = ({ priority }: Alarm): Priority => (priority === "high" ? "alarm" : "normal");

/** Writes the notifications of alarms whose rows in D1 may not have come yet, in one round trip. @returns the ids of their events */
export async function writeAlarms(db: Db, alarms: readonly Alarm[]): Promise<string[]> {
  const [first] = alarms;
  if (first) await batch(db, alarmStatements(db, newAlarmActor(first.patient), alarms));
  return alarms.map(toAlarmEventId);
}

const isInCareTeam = sql`EXISTS (SELECT 1 FROM care_team c WHERE c.patient_id = p.id AND c.user_id = m.user_id AND c.ended_at IS NULL)`;
const isInWardStaff = sql`EXISTS (SELECT 1 FROM ward_staff s WHERE s.ward_id = p.ward_id AND s.user_id = m.user_id)`;

/** Staff who may see every patient of the hospital, and doctors of the patient's care team (access/visibility.ts). */
const maySee = sql`(m.role <> 'doctor' OR h.doctor_scope = 'hospital' OR ${isInCareTeam})`;

/**
 * Whether one of `people` would be told: a list of former members, or of doctors who may not see the patient, must not silence a ward.
 */
const hasRecipient = (people: SQL): SQL => sql`EXISTS (SELECT 1 FROM (${people}) w
  JOIN memberships m ON m.user_id = w.user_id AND m.hospital_id = p.hospital_id AND ${ACTIVE_MEMBERSHIP}
  JOIN users u ON u.id = m.user_id AND u.active = 1 JOIN hospitals h ON h.id = m.hospital_id WHERE ${maySee})`;

/**
 * The events' patients, each with the entries of the event's tier as JSON, and whether nobody in particular has the patient, so that
 * all nurses do.
 */
const selectPatients = (events: string): SQL => sql`SELECT e.value->>'event' AS event_id, e.value->>'kind' AS kind,
  e.value->>'priority' AS priority, e.value->>'refs' AS refs, e.value->>'at' AS at, e.value->>'tier' AS tier,
  p.id, p.hospital_id, p.ward_id, p.assigned_doctor_id,
  CASE WHEN p.ward_id IS NOT NULL
    THEN NOT ${hasRecipient(sql`SELECT s.user_id FROM ward_staff s WHERE s.ward_id = p.ward_id`)}
    ELSE NOT ${hasRecipient(sql`SELECT c.user_id FROM care_team c WHERE c.patient_id = p.id AND c.ended_at IS NULL`)} END AS has_nobody,
  iif(e.value->>'tier' = 0, NULL, coalesce(
    (SELECT json_extract(settings, '$.tiers') FROM escalation_settings WHERE scope_id = p.ward_id),
    (SELECT json_extract(settings, '$.tiers') FROM escalation_settings WHERE scope_id = p.hospital_id),
    ${JSON.stringify(DEFAULT_TIERS)}) -> (e.value->>'tier' - 1)) AS entries
  FROM json_each(${events}) e JOIN patients p ON p.id = e.value->>'patient' AND p.hospital_id = e.value->>'hospital' AND p.active = 1`;

/**
 * SELECT of the recipients of events (`insertNotices`), at most MAX_RECIPIENTS per event, those who are named before those who share a
 * role. Tier 0: care team, assigned doctor and staff of the ward; all nurses where a ward has no staff, and a patient without a ward no
 * care team. Later tiers: those again, and the people of the tier. Only active members who may see the patient are told: being named in
 * a tier grants no access.
 */
function selectRecipients(events: string): SQL {
  const inTier = sql`(SELECT min(e.value->>'role' IS NOT NULL) FROM json_each(p.entries) e
    WHERE e.value->>'role' = m.role OR e.value->>'user_id' = m.user_id
      OR (e.value->>'group' = 'care_team' AND ${isInCareTeam}) OR (e.value->>'group' = 'ward_staff' AND ${isInWardStaff}))`;
  const rank = sql`CASE WHEN m.user_id = p.assigned_doctor_id OR ${isInCareTeam} OR ${isInWardStaff} THEN 0
    WHEN p.has_nobody AND m.role = 'nurse' THEN 1 WHEN p.tier > 0 THEN ${inTier} END`;
  return sql`SELECT * FROM (WITH p AS MATERIALIZED (${selectPatients(events)})
    SELECT id, event_id, hospital_id, kind, priority, refs, at,
      row_number() OVER (PARTITION BY event_id ORDER BY rank, id) AS place
    FROM (SELECT u.id AS id, p.event_id, p.hospital_id, p.kind, p.priority, p.refs, p.at, ${rank} AS rank
      FROM p JOIN hospitals h ON h.id = p.hospital_id AND h.active = 1
        JOIN memberships m ON m.hospital_id = p.hospital_id AND ${ACTIVE_MEMBERSHIP}
        JOIN users u ON u.id = m.user_id AND u.active = 1 WHERE ${maySee})
    WHERE rank IS NOT NULL) WHERE place <= ${MAX_RECIPIENTS}`;
}
