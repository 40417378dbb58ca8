// Alarms as the API has them: lists, one alarm with its events, and what staff do to it.
import { hc } from "hono/client";
import type { userRoutes } from "../../../src/accounts/users/routes.ts";
import type { alertRoutes } from "../../../src/monitoring/alerts/routes.ts";
import type { hospitalRoutes } from "../../../src/organization/hospitals/routes.ts";
import type { recordRoutes } from "../../../src/patients/record/record-routes.ts";
import type { patientRoutes } from "../../../src/patients/routes.ts";
import { API, dataOf, OPTIONS, pageOf } from "../api/client.ts";

const api = hc<typeof alertRoutes>(API, OPTIONS);
const patients = hc<typeof patientRoutes>(API, OPTIONS);
const records = hc<typeof recordRoutes>(API, OPTIONS);
const hospitals = hc<typeof hospitalRoutes>(API, OPTIONS);
const users = hc<typeof userRoutes>(API, OPTIONS);

/** Who acts at a bedside learns within five seconds whether it was done. */
const BEDSIDE_MS = 5_000;
const MOST = "100";
const soon = () => ({ init: { signal: AbortSignal.timeout(BEDSIDE_MS) } });

export type AlertFilters = Omit<NonNullable<Parameters<typeof api.alerts.$get>[0]["query"]>, "limit" | "offset" | "cursor">;
export type AlertPage = Awaited<ReturnType<typeof readAlert>>;

export const listAlerts = (filters: AlertFilters, cursor: string | null) =>
  pageOf(api.alerts.$get({ query: { ...filters, limit: "50", ...(cursor && { cursor }) } }));

/** Those that have not ended, as the list has them: up to two seconds late. */
export const listOpen = () => pageOf(api.alerts.$get({ query: { open: "true", limit: MOST } }));

export const readAlert = (alert_id: string) => dataOf(api.alerts[":alert_id"].$get({ param: { alert_id } }));

export type Act =
  | { kind: "acknowledge" | "resolve" }
  | { kind: "assign"; to: string | null }
  | { kind: "snooze"; minutes: number }
  | { kind: "comment"; text: string; key: string };

/** @returns the alarm after it @throws Problem `unreachable` after five seconds; `conflict` when the alarm is over */
export function act(alert_id: string, what: Act) {
  const one = api.alerts[":alert_id"];
  const param = { alert_id };
  switch (what.kind) {
    case "acknowledge":
      return dataOf(one.acknowledge.$post({ param }, soon()));
    case "resolve":
      return dataOf(one.resolve.$post({ param }, soon()));
    case "assign":
      return dataOf(one.assign.$post({ param, json: { user_id: what.to } }, soon()));
    case "snooze":
      return dataOf(one.snooze.$post({ param, json: { minutes: what.minutes } }, soon()));
    case "comment":
      return dataOf(one.comment.$post({ param, header: { "idempotency-key": what.key }, json: { text: what.text } }, soon()));
  }
}

export type Person = { id: string; number: number; name: string };
type Named = { patient_id: string; patient_number: number; first_name: string; last_name: string | null };

function personOf({ patient_id, patient_number, first_name, last_name }: Named): Person {
  return { id: patient_id, number: patient_number, name: last_name ? `${first_name} ${last_name}` : first_name };
}

/** Those who are watched, at most a hundred of each kind: nobody else has alarms. Only names are kept of what is read. */
export async function listWatched(): Promise<Person[]> {
  const watched = (["ward", "home"] as const).map((monitoring) =>
    pageOf(patients.patients.$get({ query: { monitoring, limit: MOST } })),
  );
  return (await Promise.all(watched)).flatMap(({ items }) => items.map(personOf));
}

export const readPerson = async (patient_id: string): Promise<Person> =>
  personOf(await dataOf(patients.patients[":patient_id"].$get({ param: { patient_id } })));

export type Colleague = { user_id: string; full_name: string };

/** For administrators of the platform, who belong to no hospital. */
export const readUser = (user_id: string): Promise<Colleague> => dataOf(users.users[":user_id"].$get({ param: { user_id } }));

export const listTeam = (patient_id: string): Promise<Colleague[]> =>
  dataOf(records.patients[":patient_id"]["care-team"].$get({ param: { patient_id } }));

export const readZone = async (hospital_id: string): Promise<string> =>
  (await dataOf(hospitals.hospitals[":hospital_id"].$get({ param: { hospital_id } }))).time_zone;
