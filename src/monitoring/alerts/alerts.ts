// Reading of alerts and actions on them. The patient's object owns open alerts; D1 has the list, up to two seconds behind.

import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { auditAction } from "../../access/audit-actions.ts";
import { beginChange, endChange } from "../../access/begun-change.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { type Access, accessFields, authorizePatient, withPatient } from "../../access/patient-access.ts";
import type { Permission } from "../../access/permissions.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { alertEvents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { MAX_ALERT_ACTIONS } from "../alarm-rules/alert-lifecycle.ts";
import { eventDetailOf } from "../alarm-rules/stored.ts";
import { callMonitor } from "../intake/ingest.ts";
import type { AlertView } from "../patient-object/contract.ts";
import type { AlertAction } from "../patient-object/recording/act-on-alert.ts";
import { parseAlertId, toAlertId } from "../patient-object/samples/ids.ts";
import { ALERT_COLUMNS, type AlertRow, toAlert } from "./list.ts";

/** An action on an alert. `to`: the user to assign it to; null removes the assignment. */
export type AlertActionInput =
  | { kind: "acknowledge" }
  | { kind: "assign"; to: string | null }
  | { kind: "snooze"; minutes: number }
  | { kind: "resolve" };

/** Events per alert in a response; the newest are kept. */
export const MAX_EVENTS = 500;
const MINUTE_MS = 60_000;

type AlertEvent = {
  what: string;
  at: string;
  by: string | null;
  priority: AlertView["priority"] | null;
  state: AlertView["state"] | null;
  comment: string | null;
};
export type AlertPage = AlertView & { events: AlertEvent[] };

type EventRow = { what: string; at: number; by: string | null; detail: string | null; comment: string | null };
type FoundAlert = { id: string; number: number; access: Access };

/** @throws ApiError unauthenticated, forbidden, not_found (no such id, or a patient whom the caller may not see) */
async function requireAlert(call: Call, alertIdText: string, action: Permission): Promise<FoundAlert> {
  const place = parseAlertId(alertIdText);
  const access = await authorizePatient(call, { patient: place?.patientId ?? "" }, action);
  const number = place?.number ?? 0;
  return { id: toAlertId(access.patient.id, number), number, access };
}

function toAuditEvent(
  { id, access }: FoundAlert,
  event: string,
  action: Permission,
  detail?: Record<string, unknown>,
): AuditEvent {
  return {
    ...accessFields(access),
    event,
    action: auditAction(action),
    entity: { type: "alert", id },
    subjects: [access.patient.id],
    ...(detail && { detail }),
  };
}

const selectAlert = ({ db }: Call, id: string) => db.all<AlertRow>(sql`SELECT ${ALERT_COLUMNS} FROM alerts WHERE id = ${id}`);

/** The object numbers events from 1 up and comments are numbered from -1 down, so events sort before comments of the same time. */
const selectAlertEvents = ({ db }: Call, id: string) =>
  db.all<EventRow>(sql`SELECT what, at, "by", detail, comment_sealed AS comment FROM alert_events WHERE alert_id = ${id}
    ORDER BY at DESC, n < 0 DESC, abs(n) DESC LIMIT ${MAX_EVENTS}`);

const commentPlace = (id: string, at: number) => ({ table: "alert_events", column: "comment", id, version: at });

async function toAlertPage({ keys }: Call, alert: AlertView, rows: readonly EventRow[]): Promise<AlertPage> {
  const openedEvents = rows.map(async ({ what, at, by, detail, comment }): Promise<AlertEvent> => {
    const { priority, state } = eventDetailOf(detail);
    const commentText =
      comment === null ? null : String(await unsealValue(keys.fields, commentPlace(alert.alert_id, at), comment));
    return { what, at: toIso(at), by, priority, state, comment: commentText };
  });
  return { ...alert, events: (await Promise.all(openedEvents)).reverse() };
}

const getMonitor = (env: Env, { access }: FoundAlert) => env.PATIENT_MONITOR.getByName(access.patient.id);

/** An open alert from the object, which is ahead of D1. */
async function loadOpenAlert(env: Env, found: FoundAlert): Promise<AlertView | null> {
  const snapshot = await callMonitor(env, async () => getMonitor(env, found).snapshot());
  return snapshot?.alerts.find(({ alert_id }) => alert_id === found.id) ?? null;
}

function denyUnknownAlert(call: Call, { access }: FoundAlert, action: Permission): Promise<never> {
  const { role, hospitalId, patient } = access;
  return denyAccess(call, action, "not_found", { role, hospitalId, patientId: patient.id });
}

/** One alert with its events and comments. @throws ApiError not_found */
export async function getAlert(env: Env, call: Call, alertIdText: string): Promise<AlertPage> {
  const place = parseAlertId(alertIdText);
  const number = place?.number ?? 0;
  const alertId = place ? toAlertId(place.patientId, number) : "";
  const { access, results } = await withPatient(call, { patient: place?.patientId ?? "" }, "alert:read", () => [
    selectAlert(call, alertId),
    selectAlertEvents(call, alertId),
  ]);
  const [[row], events] = results;
  const found = { id: alertId, number, access };
  const alert = row?.state === "cleared" ? toAlert(row) : ((await loadOpenAlert(env, found)) ?? (row && toAlert(row)));
  if (!alert) return denyUnknownAlert(call, found, "alert:read");
  const stored = appendAuditEvent(call, toAuditEvent(found, "alert.read", "alert:read"));
  return afterAudit(stored, toAlertPage(call, alert, events));
}

/**
 * Acts on an open alert. The object serializes concurrent actions; the response shows who acted first.
 * @returns the alert after the action, with the events that D1 had before it
 * @throws ApiError not_found, conflict (the alert is cleared), invalid_request (`to` is not on the hospital's staff), limit_reached
 */
export async function actOnAlert(env: Env, call: Call, alertIdText: string, actionInput: AlertActionInput): Promise<AlertPage> {
  const found = await requireAlert(call, alertIdText, "alert:update");
  const { db, actor, now } = call;
  const { id, access } = found;
  const event = toAuditEvent(found, `alert.${actionInput.kind}`, "alert:update", toAuditDetail(actionInput));
  const to = actionInput.kind === "assign" ? actionInput.to : null;
  const works = to === null ? sql`1` : isStaffOf(to, access.hospitalId);
  const when = sql`${works} AND EXISTS (SELECT 1 FROM alerts WHERE id = ${id} AND state <> 'cleared')`;
  const listed = await beginChange(call, { ...event, when }, [
    selectAlert(call, id),
    selectAlertEvents(call, id),
    db.all<{ works: number }>(sql`SELECT ${works} AS works`),
  ]);
  const [[row], events, [staffCheck]] = listed.results;
  if (row?.state === "cleared") return failWithAudit(call, "conflict", event);
  if (!row && !(await loadOpenAlert(env, found))) return denyUnknownAlert(call, found, "alert:update");
  if (!staffCheck?.works)
    throw new ApiError("invalid_request", "user_id is not a member of the hospital's staff.", { errors: [NOT_STAFF] });
  const { begun } = row ? listed : await beginChange(call, event, []);
  const acted = await callMonitor(
    env,
    async () => getMonitor(env, found).actOnAlert(toMonitorAction(actionInput, found.number, getActorId(actor), now)),
    false,
  );
  if ("alert" in acted) {
    await endChange(call, begun);
    return toAlertPage(call, acted.alert, events);
  }
  if (acted.error === "too_many_actions")
    return failWithAudit(call, "limit_reached", event, `An alert can be assigned and snoozed ${MAX_ALERT_ACTIONS} times.`);
  return acted.error === "not_open" ? failWithAudit(call, "conflict", event) : denyUnknownAlert(call, found, "alert:update");
}

const NOT_STAFF = { path: "user_id", message: "Not a member of the hospital's staff", code: "unknown" };

const isStaffOf = (userId: string, hospitalId: string) => sql`EXISTS (SELECT 1 FROM memberships m
  JOIN users u ON u.id = m.user_id AND u.active = 1
  WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP})`;

function toAuditDetail(actionInput: AlertActionInput): Record<string, unknown> | undefined {
  switch (actionInput.kind) {
    case "assign":
      return { user_id: actionInput.to };
    case "snooze":
      return { minutes: actionInput.minutes };
    case "acknowledge":
    case "resolve":
      return undefined;
  }
}

function toMonitorAction(actionInput: AlertActionInput, number: number, by: string, now: number): AlertAction {
  switch (actionInput.kind) {
    case "acknowledge":
    case "resolve":
      return { kind: actionInput.kind, number, by };
    case "assign":
      return { kind: "assign", number, by, to: actionInput.to };
    case "snooze":
      return { kind: "snooze", number, by, until: now + actionInput.minutes * MINUTE_MS };
  }
}

/** Adds a comment, also to a cleared alert: its cause is often known later. @throws ApiError not_found, limit_reached */
export async function commentOnAlert(
  env: Env,
  call: Call,
  alertIdText: string,
  text: string,
  keyStatements: KeyStatements,
): Promise<AlertPage> {
  const found = await requireAlert(call, alertIdText, "alert:update");
  const { db, keys, actor, now } = call;
  const { id } = found;
  const [[row], previousEvents] = await batch(db, [selectAlert(call, id), selectAlertEvents(call, id)]);
  const alert = row?.state === "cleared" ? toAlert(row) : ((await loadOpenAlert(env, found)) ?? (row && toAlert(row)));
  if (!alert) return denyUnknownAlert(call, found, "alert:update");
  const sealedComment = await sealValue(keys.fields, commentPlace(id, now), text);
  const what = unlessFull("commented", ROW_LIMITS.alertComments, sql`alert_events WHERE alert_id = ${id} AND n < 0`);
  const n = sql`(SELECT min(coalesce(min(n), 0), 0) - 1 FROM alert_events WHERE alert_id = ${id})`;
  await batch(db, [
    ...keyStatements(id),
    db.insert(alertEvents).values({ alertId: id, n, what, at: now, by: getActorId(actor), commentSealed: sealedComment }),
    ...recordAuditEvent(db, actor, now, toAuditEvent(found, "alert.comment", "alert:update")),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.alertComments);
  });
  const newEvent = { what: "commented", at: now, by: getActorId(actor), detail: null, comment: sealedComment };
  return toAlertPage(call, alert, [newEvent, ...previousEvents].slice(0, MAX_EVENTS));
}
