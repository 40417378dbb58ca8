// Appointments as their callers see them: one, and lists by time.
import { type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole, PrincipalCall } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import type { Permission } from "../../access/permissions.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import type { Statement } from "../../platform/db/client.ts";
import { openListItems } from "../../platform/sealed-documents.ts";
import {
  APPOINTMENT_COLUMNS,
  APPOINTMENTS,
  type AppointmentRow,
  appointmentEvent,
  appointmentVisibility,
  isInStatus,
  toAppointment,
} from "./appointment.ts";
import { parseStatus } from "./transitions.ts";

export type Found = { call: PrincipalCall; effectiveRole: EffectiveRole; row: AppointmentRow };

/**
 * One appointment that the caller may see, in the round trip of the access check.
 * @param more statements whose results are returned  @throws ApiError not_found, forbidden
 */
export async function requireAppointment<const T extends readonly Statement[] = []>(
  anyCall: Call,
  id: string,
  permission: Permission,
  more: (call: Call) => T = () => [] as unknown as T,
) {
  const { call, effectiveRole, results } = await withPrincipal(anyCall, permission, (effectiveRole, call) => [
    call.db.all<AppointmentRow>(sql`SELECT ${APPOINTMENT_COLUMNS} FROM ${APPOINTMENTS}
      WHERE a.id = ${id} AND ${appointmentVisibility(effectiveRole, call.actor, call.now)}`),
    ...more(call),
  ]);
  const [[row], ...rest] = results as unknown as [AppointmentRow[], ...unknown[]];
  const { role, hospitalId } = effectiveRole;
  if (!row) return denyAccess(call, permission, "not_found", { role, hospitalId, target: { appointment: id } });
  return { call, effectiveRole, row, results: rest };
}

/** @throws ApiError not_found */
export async function getAppointment(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireAppointment(anyCall, id, "appointment:read");
  const stored = appendAuditEvent(call, appointmentEvent("appointment.read", "R", effectiveRole, row));
  return afterAudit(stored, toAppointment(call, row, effectiveRole));
}

export type AppointmentQuery = PageQuery & {
  patient_id?: string | undefined;
  practitioner_id?: string | undefined;
  location_id?: string | undefined;
  status?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

/** The index that the list reads: by what the query names, else by the caller's hospital. */
function toFilter({ patient_id, practitioner_id, location_id, status, from, to }: AppointmentQuery, now: number): SQL {
  const conditions = [
    ...(patient_id ? [sql`a.patient_id = ${patient_id}`] : []),
    ...(practitioner_id ? [sql`a.practitioner_id = ${practitioner_id}`] : []),
    ...(location_id ? [sql`a.location_id = ${location_id}`] : []),
    ...(status ? [isInStatus(parseStatus(status), now)] : []),
    ...(from ? [sql`a.starts_at >= ${Date.parse(from)}`] : []),
    ...(to ? [sql`a.starts_at < ${Date.parse(to)}`] : []),
  ];
  return conditions.length === 0 ? sql`1` : sql.join(conditions, sql` AND `);
}

/** By start, the earliest first; `from` is where a calendar begins. */
export async function listAppointments(anyCall: Call, query: AppointmentQuery) {
  const start = await resolvePageStart(anyCall, "appointments", query);
  const { call, effectiveRole, results } = await withPrincipal(
    anyCall,
    "appointment:read",
    (effectiveRole, { db, actor, now }) => {
      const where = sql`${appointmentVisibility(effectiveRole, actor, now)} AND ${toFilter(query, now)}`;
      const after = start.after ? sql`(a.starts_at, a.id) > (${start.after.value}, ${start.after.id})` : sql`1`;
      return [
        db.all<AppointmentRow>(sql`SELECT ${APPOINTMENT_COLUMNS} FROM ${APPOINTMENTS} WHERE ${where} AND ${after}
        ORDER BY a.starts_at, a.id LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
        db.all<{ n: number }>(
          sql`SELECT count(*) AS n FROM (SELECT 1 FROM appointments a WHERE ${where} LIMIT ${COUNT_LIMIT + 1})`,
        ),
      ];
    },
  );
  const [found, [counted]] = results;
  const key = (row: AppointmentRow) => ({ value: row.startsAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const events = toListEvents(
    rows,
    (row) => row.hospitalId,
    effectiveRole.hospitalId,
    (of) => ({
      event: "appointment.list",
      action: "R",
      role: effectiveRole.role,
      subjects: [...new Set(of.map(({ patientId }) => patientId))],
      detail: { count: of.length },
    }),
  );
  const items = openListItems(call.actor.via.requestId, rows, (row, onCorrupt) =>
    toAppointment(call, row, effectiveRole, onCorrupt),
  );
  return { items: (await afterAudit(appendAuditEvent(call, events), items)).items, pagination };
}
