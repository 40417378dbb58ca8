// Alerts as people meet them. The patient's object decides what an alert is; D1 keeps the list and follows within two seconds.
import { sql } from "drizzle-orm";
import { type Access, requirePatient } from "../access.ts";
import { type Call, idOf } from "../actor.ts";
import { type AuditEvent, audit } from "../audit.ts";
import { open, seal } from "../crypto.ts";
import { batch } from "../db/client.ts";
import { alertEvents } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import type { AlertView } from "../monitor/contract.ts";
import { alertId, readAlertId } from "../monitor/ids.ts";
import type { AlertAction } from "../monitor/patient-monitor.ts";
import { fail, refuse } from "../refusals.ts";
import { type Action, auditAction } from "../roles.ts";
import { MEMBER_NOW } from "../standing.ts";
import { atObject } from "../vitals/ingest.ts";
import { ALERT_COLUMNS, type AlertRow, toAlert } from "./list.ts";
import { eventDetailOf } from "./stored.ts";

/** What people do to an alert. `to`: who shall look after it, null for nobody. */
export type Act =
  | { kind: "acknowledge" }
  | { kind: "assign"; to: string | null }
  | { kind: "snooze"; minutes: number }
  | { kind: "resolve" };

/** An alert tells its newest events, at most so many. */
export const MAX_EVENTS = 500;
const MINUTE_MS = 60_000;

type Event = {
  what: string;
  at: string;
  by: string | null;
  priority: AlertView["priority"] | null;
  state: AlertView["state"] | null;
  comment: string | null;
};
export type AlertPage = AlertView & { events: Event[] };

type EventRow = { what: string; at: number; by: string | null; detail: string | null; comment: string | null };
type Found = { id: string; number: number; access: Access };

/** @throws ApiError unauthenticated, forbidden, not_found: for what is no id, and for a patient whom the caller may not see */
async function gate(call: Call, given: string, action: Action): Promise<Found> {
  const place = readAlertId(given);
  const access = await requirePatient(call, { patient: place?.patientId ?? "" }, action);
  const number = place?.number ?? 0;
  return { id: alertId(access.patient.id, number), number, access };
}

function eventOf({ id, access }: Found, event: string, action: Action, detail?: Record<string, unknown>): AuditEvent {
  const { patient, role, basis, hospitalId } = access;
  return {
    event,
    action: auditAction(action),
    role,
    basis,
    hospitalId,
    entity: { type: "alert", id },
    subjects: [patient.id],
    ...(detail && { detail }),
  };
}

const rowOf = ({ db }: Call, id: string) => db.all<AlertRow>(sql`SELECT ${ALERT_COLUMNS} FROM alerts WHERE id = ${id}`);

/** The object counts its changes from 1, comments count down from -1: at one time what happened stands before what was said. */
const eventsOf = ({ db }: Call, id: string) =>
  db.all<EventRow>(sql`SELECT what, at, "by", detail, comment_sealed AS comment FROM alert_events WHERE alert_id = ${id}
    ORDER BY at DESC, n < 0 DESC, abs(n) DESC LIMIT ${MAX_EVENTS}`);

const commentPlace = (id: string, at: number) => ({ table: "alert_events", column: "comment", id, version: at });

async function page({ keys }: Call, alert: AlertView, rows: readonly EventRow[]): Promise<AlertPage> {
  const opened = rows.map(async ({ what, at, by, detail, comment }): Promise<Event> => {
    const { priority, state } = eventDetailOf(detail);
    const said = comment === null ? null : String(await open(keys.fields, commentPlace(alert.alert_id, at), comment));
    return { what, at: new Date(at).toISOString(), by, priority, state, comment: said };
  });
  return { ...alert, events: (await Promise.all(opened)).reverse() };
}

const monitorOf = (env: Env, { access }: Found) => env.PATIENT_MONITOR.getByName(access.patient.id);

/** An open alert as the object has it: ahead of D1. */
async function openNow(env: Env, found: Found): Promise<AlertView | null> {
  const snapshot = await atObject(env, async () => monitorOf(env, found).snapshot());
  return snapshot?.alerts.find(({ alert_id }) => alert_id === found.id) ?? null;
}

function absent(call: Call, { access }: Found, action: Action): Promise<never> {
  const { role, hospitalId, patient } = access;
  return refuse(call, action, "not_found", { role, hospitalId, patientId: patient.id });
}

/** One alert with what became of it and what was said. @throws ApiError not_found */
export async function getAlert(env: Env, call: Call, given: string): Promise<AlertPage> {
  const found = await gate(call, given, "alert:read");
  const { db, actor, now } = call;
  const event = eventOf(found, "alert.read", "alert:read");
  const known = sql`EXISTS (SELECT 1 FROM alerts WHERE id = ${found.id})`;
  const [[row], events] = await batch(db, [
    rowOf(call, found.id),
    eventsOf(call, found.id),
    ...audit(db, actor, now, { ...event, when: known }),
  ]);
  if (row?.state === "cleared") return page(call, toAlert(row), events);
  const alert = (await openNow(env, found)) ?? (row && toAlert(row));
  if (!alert) return absent(call, found, "alert:read");
  if (!row) await batch(db, audit(db, actor, now, event));
  return page(call, alert, events);
}

/**
 * Does something to an open alert. Of two people at once the object lets one be first, and both are told who.
 * @returns the alert as it is after it, with the events that D1 knew before
 * @throws ApiError not_found, conflict (the alert is over), invalid_request (`to` does not work at the hospital)
 */
export async function actOn(env: Env, call: Call, given: string, act: Act): Promise<AlertPage> {
  const found = await gate(call, given, "alert:update");
  const { db, actor, now } = call;
  const { id, access } = found;
  const event = eventOf(found, `alert.${act.kind}`, "alert:update", detailOf(act));
  const to = act.kind === "assign" ? act.to : null;
  const works = to === null ? sql`1` : worksAt(to, access.hospitalId);
  const [[row], events, [may]] = await batch(db, [
    rowOf(call, id),
    eventsOf(call, id),
    db.all<{ works: number }>(sql`SELECT ${works} AS works`),
    // Before the object is asked, so that nothing is done without its trace.
    ...audit(db, actor, now, {
      ...event,
      when: sql`${works} AND EXISTS (SELECT 1 FROM alerts WHERE id = ${id} AND state <> 'cleared')`,
    }),
  ]);
  if (row?.state === "cleared") return fail(call, "conflict", event);
  if (!row && !(await openNow(env, found))) return absent(call, found, "alert:update");
  if (!may?.works)
    throw new ApiError("invalid_request", "user_id names nobody of the hospital's staff.", { errors: [NOT_STAFF] });
  if (!row) await batch(db, audit(db, actor, now, event));
  const acted = await atObject(env, async () => monitorOf(env, found).act(inputOf(act, found.number, idOf(actor), now)), false);
  if ("alert" in acted) return page(call, acted.alert, events);
  return acted.error === "not_open" ? fail(call, "conflict", event) : absent(call, found, "alert:update");
}

const NOT_STAFF = { path: "user_id", message: "Not of the hospital's staff", code: "unknown" };

const worksAt = (userId: string, hospitalId: string) => sql`EXISTS (SELECT 1 FROM memberships m
  JOIN users u ON u.id = m.user_id AND u.active = 1
  WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${MEMBER_NOW})`;

function detailOf(act: Act): Record<string, unknown> | undefined {
  switch (act.kind) {
    case "assign":
      return { user_id: act.to };
    case "snooze":
      return { minutes: act.minutes };
    case "acknowledge":
    case "resolve":
      return undefined;
  }
}

function inputOf(act: Act, number: number, by: string, now: number): AlertAction {
  switch (act.kind) {
    case "acknowledge":
    case "resolve":
      return { kind: act.kind, number, by };
    case "assign":
      return { kind: "assign", number, by, to: act.to };
    case "snooze":
      return { kind: "snooze", number, by, until: now + act.minutes * MINUTE_MS };
  }
}

/** Says something of an alert, of one that is over too: why it rang is often known later. @throws ApiError not_found */
export async function comment(env: Env, call: Call, given: string, text: string, taking: Taking): Promise<AlertPage> {
  const found = await gate(call, given, "alert:update");
  const { db, keys, actor, now } = call;
  const { id } = found;
  const [[row], before] = await batch(db, [rowOf(call, id), eventsOf(call, id)]);
  const alert = row?.state === "cleared" ? toAlert(row) : ((await openNow(env, found)) ?? (row && toAlert(row)));
  if (!alert) return absent(call, found, "alert:update");
  const said = await seal(keys.fields, commentPlace(id, now), text);
  const n = sql`(SELECT min(coalesce(min(n), 0), 0) - 1 FROM alert_events WHERE alert_id = ${id})`;
  await batch(db, [
    ...taking(id),
    db.insert(alertEvents).values({ alertId: id, n, what: "commented", at: now, by: idOf(actor), commentSealed: said }),
    ...audit(db, actor, now, eventOf(found, "alert.comment", "alert:update")),
  ]);
  const added = { what: "commented", at: now, by: idOf(actor), detail: null, comment: said };
  return page(call, alert, [added, ...before].slice(0, MAX_EVENTS));
}
