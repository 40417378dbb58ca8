// SQL that writes a patient's outbox to D1: alerts and their events, rollups, audit events of ingest, clock errors of devices.
// Every statement may run twice: ids and versions of the object make it idempotent.

import { sql } from "drizzle-orm";
import type { DeviceActor, SystemActor } from "../../../access/actor.ts";
import { recordAuditEvent } from "../../../access/audit.ts";
import { alarmStatements, newAlarmActor } from "../../../notifications/alarms.ts";
import type { WebhookEvent } from "../../../notifications/kinds.ts";
import { publishEvent } from "../../../notifications/webhooks/publish.ts";
import { getVerifiedKeys } from "../../../platform/config.ts";
import { sealValue } from "../../../platform/crypto.ts";
import { batch, type Db, type Statement } from "../../../platform/db/client.ts";
import { heldObservations } from "../../../platform/db/schema.ts";
import { derivedUuidv7 } from "../../../platform/ids.ts";
import { DAY_PREFIX, SAMPLES } from "../../../platform/storage-quotas.ts";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import { DAY_MS, HOUR_MS, utcDayOf } from "../../../platform/time.ts";
import { getEscalationTime } from "../../alarm-rules/alert-lifecycle.ts";
import type { Transition } from "../../alarm-rules/model.ts";
import { OUTBOX_DOCUMENTS, type OutboxBodies } from "../memory/documents.ts";
import { toAlertId } from "../samples/ids.ts";
import { packHour } from "../samples/rollup.ts";
import { toAlertView } from "../snapshot.ts";
import { toAlarm } from "./alarm-hand-over.ts";
import type { Outgoing } from "./outbox.ts";
import type { AlertChange, HourUpdate, ReceivedCounts } from "./payloads.ts";

type PatientHome = { patient: string; hospital: string };

function alertStatements(db: Db, { patient, hospital }: PatientHome, changes: AlertChange[]): Statement[] {
  const rows = changes.map(({ version, ward, transition: { alert, at } }) => [
    toAlertId(patient, alert.number),
    patient,
    hospital,
    ward,
    alert.rule,
    alert.code,
    alert.device,
    alert.priority,
    alert.state,
    JSON.stringify(toAlertView(patient, alert).why),
    alert.raised_at,
    alert.acknowledged_at,
    alert.acknowledged_by,
    alert.assigned_to,
    alert.tier,
    alert.snoozed_until,
    Number(alert.sounds ?? true),
    alert.recovered_at,
    alert.cleared_at,
    at,
    version,
    getEscalationTime(alert),
  ]);
  const events = changes.map(({ version, transition: { what, at, by, alert } }) => [
    toAlertId(patient, alert.number),
    version,
    what,
    at,
    by,
    JSON.stringify({ priority: alert.priority, state: alert.state, tier: alert.tier, assigned_to: alert.assigned_to }),
  ]);
  return [
    db.run(sql`INSERT INTO alerts (id, patient_id, hospital_id, ward_id, rule, code, device_id, priority, state, why, raised_at,
        acknowledged_at, acknowledged_by, assigned_to, tier, snoozed_until, sounds, recovered_at, cleared_at, updated_at,
        version, escalates_at)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9,
        value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16, value->>17, value->>18, value->>19,
        value->>20, value->>21
      FROM json_each(${JSON.stringify(rows)}) WHERE 1
      ON CONFLICT (id) DO UPDATE SET code = excluded.code, priority = excluded.priority, state = excluded.state, why = excluded.why,
        acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by, assigned_to = excluded.assigned_to,
        tier = excluded.tier, snoozed_until = excluded.snoozed_until, sounds = excluded.sounds, recovered_at = excluded.recovered_at,
        cleared_at = excluded.cleared_at, updated_at = excluded.updated_at, version = excluded.version,
        escalates_at = excluded.escalates_at
      WHERE excluded.version > alerts.version`),
    db.run(sql`INSERT INTO alert_events (alert_id, n, what, at, "by", detail)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(${JSON.stringify(events)})
      WHERE 1 ON CONFLICT (alert_id, n) DO NOTHING`),
  ];
}

function hourStatement(db: Db, { patient, hospital }: PatientHome, hours: HourUpdate[]): Statement {
  const rows = hours.map(({ hour, stats, version }) => [hospital, hour, patient, packHour(hour, stats), version]);
  return db.run(sql`INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(${JSON.stringify(rows)}) WHERE 1
    ON CONFLICT (hospital_id, hour, patient_id) DO UPDATE SET stats = excluded.stats, version = excluded.version
    WHERE excluded.version > vital_hours.version`);
}

/**
 * Adds the samples of closed hours to the hospital's counter of the day; before `hourStatement`, so that an hour that is delivered
 * again or in a later version counts once.
 */
function sampleCountStatement(db: Db, { patient, hospital }: PatientHome, hours: HourUpdate[], now: number): Statement {
  const rows = hours.map(({ hour, stats, version }) => [
    hour,
    version,
    Object.values(stats).reduce((sum, { count }) => sum + count, 0),
    Math.floor((hour * HOUR_MS) / DAY_MS),
  ]);
  return db.run(sql`INSERT INTO counters (scope, day, name, n)
    SELECT ${`${DAY_PREFIX}h:${hospital}`}, j.value->>3, ${SAMPLES}, sum(j.value->>2 - coalesce((SELECT sum(json_extract(s.value, '$[0]'))
      FROM vital_hours h, json_each(h.stats) s WHERE h.hospital_id = ${hospital} AND h.hour = j.value->>0 AND h.patient_id = ${patient}), 0))
    FROM json_each(${JSON.stringify(rows)}) j WHERE j.value->>3 >= ${utcDayOf(now)} AND NOT EXISTS (SELECT 1 FROM vital_hours v
      WHERE v.hospital_id = ${hospital} AND v.hour = j.value->>0 AND v.patient_id = ${patient} AND v.version >= j.value->>1)
    GROUP BY j.value->>3 ON CONFLICT (scope, day, name) DO UPDATE SET n = n + excluded.n`);
}

/** One audit event per device and day: the number of samples, also by UTC hour of receipt, and the range of their sequence numbers. */
function ingestAuditStatements(db: Db, { patient, hospital }: PatientHome, counts: ReceivedCounts): Statement[] {
  const { by, day, count, hours, firstSeq, lastSeq, version, queuedAt } = counts;
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  const via = { requestId: `ingest-${patient}-${version}`, ip: null };
  const actor: DeviceActor = { kind: "device", credentialId: by, secretHash: null, via };
  return recordAuditEvent(db, actor, queuedAt, {
    // A row that is delivered again stages the same event, of the same time.
    id: derivedUuidv7(queuedAt, via.requestId),
    event: "observation.ingest",
    action: "C",
    role: "device",
    basis: "device",
    hospitalId: hospital,
    entity: { type: "device", id: by },
    subjects: [patient],
    detail: { day: date, samples: count, samples_by_hour: hours, first_seq: firstSeq, last_seq: lastSeq },
  });
}

/** Returns a row and no statement: awaiting a drizzle statement would execute it. */
async function toHeldRow(
  env: Env,
  { patient, hospital }: PatientHome,
  { id: n, body }: Outgoing,
): Promise<typeof heldObservations.$inferInsert> {
  const { device, items, received } = OUTBOX_DOCUMENTS.held.read(body);
  // Derived from the object's own numbers, so that a retry conflicts with the first attempt.
  const id = `${patient}-${received}-${n}`;
  const { fields } = await getVerifiedKeys(env);
  const place = { table: "held_observations", column: "items", id };
  const itemsSealed = await sealValue(
    fields,
    place,
    items.map(({ item }) => item),
  );
  const reason = [...new Set(items.map((item) => item.reason))].join(" ");
  return { id, hospitalId: hospital, deviceId: device, reason, count: items.length, itemsSealed, receivedAt: received };
}

const isOutboxKind = (kind: string): kind is keyof OutboxBodies => Object.hasOwn(OUTBOX_DOCUMENTS, kind);

function readBodies<K extends keyof OutboxBodies>(rows: readonly Outgoing[], kind: K): OutboxBodies[K][] {
  return rows.filter((row) => row.kind === kind).map(({ body }) => OUTBOX_DOCUMENTS[kind].read(body));
}

/** Tells people of the changes that they hear of; the same rows as those of a message that was handed over before. */
function alarmNotices(db: Db, home: PatientHome, actor: SystemActor, changes: AlertChange[]): Statement[] {
  return alarmStatements(
    db,
    actor,
    changes.flatMap((change) => toAlarm(home, change) ?? []),
  );
}

const WEBHOOK_EVENTS: Partial<Record<Transition["what"], WebhookEvent>> = { raised: "alert.raised", cleared: "alert.cleared" };

/** Tells the hospital's webhooks that alerts began and ended, by ids; also of one that is flapping, so that each end has its begin. */
function webhookNotices(
  db: Db,
  { patient, hospital }: PatientHome,
  actor: SystemActor,
  changes: readonly AlertChange[],
): Statement[] {
  return changes.flatMap(({ version: n, ward, transition: { what, at, alert } }) => {
    const type = WEBHOOK_EVENTS[what];
    if (!type) return [];
    const alertId = toAlertId(patient, alert.number);
    const refs = { patient_id: patient, alert_id: alertId, priority: alert.priority, ...(ward && { ward_id: ward }) };
    // An event of its own: people and webhooks have different priorities.
    const eventId = derivedUuidv7(at, `${alertId}.${n}.webhook`);
    return publishEvent(db, actor, at, { type, hospitalId: hospital, refs, eventId });
  });
}

/**
 * Writes all rows in one batch, or none; messages to people are events of the actor.
 * @throws what D1 throws; StoredDocumentError for an unreadable or unknown row
 */
export async function deliverToD1(
  env: Env,
  db: Db,
  home: PatientHome,
  rows: readonly Outgoing[],
  now: number,
  actor = newAlarmActor(home.patient),
): Promise<void> {
  const unknown = rows.find(({ kind }) => !isOutboxKind(kind));
  if (unknown) throw new StoredDocumentError(`outbox ${unknown.kind}`, "", "unknown kind");
  const alerts = readBodies(rows, "alert");
  const hours = readBodies(rows, "hour");
  const clocks = readBodies(rows, "clock");
  const held = await Promise.all(rows.filter(({ kind }) => kind === "held").map((row) => toHeldRow(env, home, row)));
  await batch(db, [
    ...held.map((row) => db.insert(heldObservations).values(row).onConflictDoNothing()),
    ...(alerts.length > 0 ? alertStatements(db, home, alerts) : []),
    ...alarmNotices(db, home, actor, alerts),
    ...webhookNotices(db, home, actor, alerts),
    ...(hours.length > 0 ? [sampleCountStatement(db, home, hours, now), hourStatement(db, home, hours)] : []),
    ...readBodies(rows, "received").flatMap((counts) => ingestAuditStatements(db, home, counts)),
    ...clocks.map(({ device, skew }) =>
      db.run(sql`UPDATE devices SET clock_skew_ms = CAST(${skew} AS INTEGER) WHERE id = ${device}`),
    ),
  ]);
}
