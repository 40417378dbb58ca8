// The list of alerts, from D1, with its filters.

import { and, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import { type Call, type EffectiveRole, getActorId, type Principal, type PrincipalCall } from "../../access/actor.ts";
import { appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { selectEmergencyGround } from "../../access/emergency.ts";
import { countedVisibility, patientVisibility } from "../../access/visibility.ts";
import {
  buildPage,
  COUNT_LIMIT,
  keysetClauses,
  type PageQuery,
  pickFromGroups,
  resolvePageStart,
} from "../../http/pagination.ts";
import { alerts } from "../../platform/db/schema.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { whyOf } from "../alarm-rules/stored.ts";
import type { AlertView } from "../patient-object/contract.ts";

export type AlertFilters = {
  state?: AlertView["state"] | undefined;
  priority?: AlertView["priority"] | undefined;
  rule?: AlertView["rule"] | undefined;
  /** LOINC. */
  code?: string | undefined;
  patient_id?: string | undefined;
  hospital_id?: string | undefined;
  ward_id?: string | undefined;
  device_id?: string | undefined;
  assigned_to?: string | undefined;
  /** ISO 8601: raised at or after, and before. */
  from?: string | undefined;
  to?: string | undefined;
  open?: boolean | undefined;
};
export type AlertListQuery = PageQuery & AlertFilters & { sort: "raised" | "-raised" };

export type AlertRow = {
  hospital: string;
  id: string;
  patient: string;
  rule: AlertView["rule"];
  code: string | null;
  device: string | null;
  priority: AlertView["priority"];
  state: AlertView["state"];
  why: string;
  raised: number;
  acknowledged: number | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  tier: number;
  snoozed: number | null;
  escalates: number | null;
  sounds: number;
  recovered: number | null;
  cleared: number | null;
};

export const ALERT_COLUMNS = sql`alerts.id AS id, alerts.patient_id AS patient, alerts.hospital_id AS hospital, alerts.rule AS rule, alerts.code AS code,
  alerts.device_id AS device, alerts.priority AS priority, alerts.state AS state, alerts.why AS why, alerts.raised_at AS raised,
  alerts.acknowledged_at AS acknowledged, alerts.acknowledged_by AS acknowledged_by, alerts.assigned_to AS assigned_to,
  alerts.tier AS tier, alerts.snoozed_until AS snoozed, alerts.escalates_at AS escalates, alerts.sounds AS sounds, alerts.recovered_at AS recovered, alerts.cleared_at AS cleared`;

/** Equals `toAlertView` (patient-object/snapshot.ts) for the same alert. */
export function toAlert(row: AlertRow): AlertView {
  const end = row.cleared ?? row.recovered;
  return {
    alert_id: row.id,
    patient_id: row.patient,
    rule: row.rule,
    code: row.code,
    device_id: row.device,
    priority: row.priority,
    state: row.state,
    why: whyOf(row.why),
    sounds: row.sounds === 1,
    raised_at: toIso(row.raised),
    acknowledged_at: toIsoOrNull(row.acknowledged),
    acknowledged_by: row.acknowledged_by,
    assigned_to: row.assigned_to,
    escalation_tier: row.tier,
    snoozed_until: toIsoOrNull(row.snoozed),
    escalates_at: toIsoOrNull(row.escalates),
    recovered_at: toIsoOrNull(row.recovered),
    cleared_at: toIsoOrNull(row.cleared),
    duration_s: end === null ? null : Math.round((end - row.raised) / 1000),
  };
}

/** The emergency access that opens the alerts of the record that the list is about; none opens a hospital's list. */
const groundOf = (effectiveRole: EffectiveRole, { actor, now }: PrincipalCall, { patient_id }: AlertListQuery): SQL =>
  patient_id === undefined
    ? sql`NULL`
    : selectEmergencyGround(effectiveRole, actor, now, {
        patientId: alerts.patientId,
        hospitalId: sql`+${alerts.hospitalId}`,
      });

/** `+` keeps SQLite from using the index by hospital when a patient is given. */
function buildAlertFilter(
  effectiveRole: EffectiveRole,
  call: PrincipalCall,
  query: AlertListQuery,
  visibility: typeof patientVisibility,
): SQL | undefined {
  const equals = (column: SQLWrapper, value: string | undefined) => (value === undefined ? undefined : sql`${column} = ${value}`);
  const timeBound = (op: SQL, text: string | undefined) =>
    text === undefined ? undefined : sql`${alerts.raisedAt} ${op} ${Date.parse(text)}`;
  const hospital: SQLWrapper = query.patient_id ? sql`+${alerts.hospitalId}` : alerts.hospitalId;
  const isOpen = query.open ?? (query.state === undefined || query.state === "cleared" ? undefined : true);
  return and(
    query.patient_id === undefined
      ? visibility(effectiveRole, call.actor, alerts.patientId, hospital)
      : sql`((${visibility(effectiveRole, call.actor, alerts.patientId, hospital)}) OR
        ${groundOf(effectiveRole, call, query)} IS NOT NULL)`,
    equals(alerts.patientId, query.patient_id),
    equals(hospital, query.hospital_id),
    equals(alerts.wardId, query.ward_id),
    equals(alerts.state, query.state),
    equals(alerts.priority, query.priority),
    equals(alerts.rule, query.rule),
    equals(alerts.code, query.code),
    equals(alerts.deviceId, query.device_id),
    equals(alerts.assignedTo, query.assigned_to),
    timeBound(sql`>=`, query.from),
    timeBound(sql`<`, query.to),
    // Same expression as the partial index of open alerts.
    isOpen === undefined ? undefined : isOpen ? sql`${alerts.state} <> 'cleared'` : sql`${alerts.state} = 'cleared'`,
  );
}

/**
 * Groups whose alerts an index lists by time: the patients of a care team or a login, and the hospitals for administrators whose filter
 * has an index per hospital. Null when the filter itself has such an index.
 */
function findGroups(
  effectiveRole: EffectiveRole,
  actor: Principal,
  query: AlertListQuery,
): { ids: SQL; column: SQLWrapper } | null {
  const { patient_id, hospital_id, ward_id, device_id, assigned_to, open, priority, rule, code } = query;
  if (patient_id) return null;
  if (effectiveRole.role === "patient")
    return {
      ids: sql`SELECT patient_id AS id FROM patient_links WHERE user_id = ${getActorId(actor)}`,
      column: alerts.patientId,
    };
  if (effectiveRole.role === "doctor" && effectiveRole.doctorScope === "care_team") {
    const ids = sql`SELECT patient_id AS id FROM care_team WHERE user_id = ${getActorId(actor)} AND ended_at IS NULL`;
    return { ids, column: alerts.patientId };
  }
  const hasOwnIndex = hospital_id || ward_id || device_id || assigned_to || open;
  if (effectiveRole.role !== "admin" || hasOwnIndex || !(priority || rule || code)) return null;
  return { ids: sql`SELECT id FROM hospitals`, column: alerts.hospitalId };
}

/** Alerts of patients whom the caller may see, newest first by default. */
export async function listAlerts(anyCall: Call, query: AlertListQuery) {
  const start = await resolvePageStart(anyCall, "alerts", query);
  const { where, orderBy } = keysetClauses(start, alerts.raisedAt, alerts.id, query.sort === "raised");
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "alert:read", (effectiveRole, call) => {
    const { db, actor } = call;
    const filter = buildAlertFilter(effectiveRole, call, query, patientVisibility) ?? sql`1`;
    const counted =
      buildAlertFilter(effectiveRole, call, query, query.patient_id ? patientVisibility : countedVisibility) ?? sql`1`;
    const order = sql.join(orderBy, sql`, `);
    const groups = findGroups(effectiveRole, actor, query);
    const inGroup = groups ? sql`${groups.column} = g.id` : sql`1`;
    const pageOfGroup = sql`SELECT alerts.id AS picked FROM alerts WHERE ${inGroup} AND ${and(filter, where)}
      ORDER BY ${order} LIMIT ${start.skip + start.limit + 1}`;
    const inPage = groups ? sql`alerts.id IN (${pickFromGroups(groups.ids, pageOfGroup)})` : and(filter, where);
    const from = groups ? sql`(${groups.ids}) g CROSS JOIN alerts` : sql`alerts`;
    return [
      db.all<AlertRow & { ground: string | null }>(sql`SELECT ${ALERT_COLUMNS}, ${groundOf(effectiveRole, call, query)} AS ground
        FROM alerts WHERE ${inPage}
        ORDER BY ${order} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} WHERE ${inGroup} AND ${counted} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const [rows, [counted]] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.raised, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    pageRows,
    (row) => row.hospital,
    hospitalId,
    (ofHospital) => ({
      ...({ event: "alert.list", action: "R", role } as const),
      subjects: ofHospital.map((row) => row.patient),
      detail: { count: ofHospital.length },
    }),
    ({ ground }) => ground,
  );
  await appendAuditEvent(call, events);
  return { items: pageRows.map(toAlert), pagination };
}
