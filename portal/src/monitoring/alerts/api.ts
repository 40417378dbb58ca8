// API calls for alarms: lists, one alarm with its events, and staff actions.
import { hc } from "hono/client";
import type { alertRoutes } from "../../../../src/monitoring/alerts/routes.ts";
import { fetchMonitored, getFullName } from "../../patients/api.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";

const api = hc<typeof alertRoutes>(API_BASE, CLIENT_OPTIONS);

/** Timeout of an action at the bedside, ms. */
const ACTION_TIMEOUT_MS = 5_000;
const MAX_PAGE_SIZE = "100";
const withActionTimeout = () => ({ init: { signal: AbortSignal.timeout(ACTION_TIMEOUT_MS) } });

export type AlertFilters = Omit<NonNullable<Parameters<typeof api.alerts.$get>[0]["query"]>, "limit" | "offset" | "cursor">;
export type AlertPage = Awaited<ReturnType<typeof readAlert>>;

export const listAlerts = (filters: AlertFilters, cursor: string | null) =>
  readPage(api.alerts.$get({ query: { ...filters, limit: "50", ...(cursor && { cursor }) } }));

/** Open alarms from the list endpoint, up to two seconds late. */
export const listOpenAlerts = () => readPage(api.alerts.$get({ query: { open: "true", limit: MAX_PAGE_SIZE } }));

export const readAlert = (alert_id: string) => readData(api.alerts[":alert_id"].$get({ param: { alert_id } }));

export type AlarmAction =
  | { kind: "acknowledge" | "resolve" }
  | { kind: "assign"; to: string | null }
  | { kind: "snooze"; minutes: number }
  | { kind: "comment"; text: string; key: string };

/** @returns the updated alarm @throws Problem `unreachable` after five seconds; `conflict` when the alarm is closed */
export function performAlarmAction(alert_id: string, action: AlarmAction) {
  const one = api.alerts[":alert_id"];
  const param = { alert_id };
  switch (action.kind) {
    case "acknowledge":
      return readData(one.acknowledge.$post({ param }, withActionTimeout()));
    case "resolve":
      return readData(one.resolve.$post({ param }, withActionTimeout()));
    case "assign":
      return readData(one.assign.$post({ param, json: { user_id: action.to } }, withActionTimeout()));
    case "snooze":
      return readData(one.snooze.$post({ param, json: { minutes: action.minutes } }, withActionTimeout()));
    case "comment":
      return readData(
        one.comment.$post({ param, header: { "idempotency-key": action.key }, json: { text: action.text } }, withActionTimeout()),
      );
  }
}

export type PatientLabel = { id: string; number: number; name: string };
type NamedPatient = { patient_id: string; patient_number: number; first_name: string; last_name: string | null };

export const toPatientLabel = (patient: NamedPatient): PatientLabel => ({
  id: patient.patient_id,
  number: patient.patient_number,
  name: getFullName(patient),
});

/** Monitored patients, at most 100 per mode: nobody else has alarms. Only names are kept. */
export async function listMonitoredPatients(): Promise<PatientLabel[]> {
  const pages = (["ward", "home"] as const).map((monitoring) => fetchMonitored(monitoring));
  return (await Promise.all(pages)).flatMap(({ items }) => items.map(toPatientLabel));
}
