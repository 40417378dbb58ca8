// What the API says of devices: the registry, whose they are, what they may send with, when they were heard.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import type { deviceCodeRoutes } from "../../../src/devices/claim-routes.ts";
import type { deviceRoutes } from "../../../src/devices/routes.ts";
import type { alertRoutes } from "../../../src/monitoring/alerts/routes.ts";
import type { historyRoutes } from "../../../src/monitoring/history/history-routes.ts";
import { API, bodyOf, dataOf, OPTIONS, pageOf, versionOf } from "../api/client.ts";

const { devices } = hc<typeof deviceRoutes>(API, OPTIONS);
const codes = hc<typeof deviceCodeRoutes>(API, OPTIONS);
const { alerts } = hc<typeof alertRoutes>(API, OPTIONS);
const history = hc<typeof historyRoutes>(API, OPTIONS);
const audit = hc<typeof auditRoutes>(API, OPTIONS);
const one = devices[":device_id"];

export const KINDS = ["bedside_monitor", "ecg", "oxygen", "cpap", "bipap", "wearable", "gateway"] as const;
export type Kind = (typeof KINDS)[number];
export const isKind = (text: string | undefined): text is Kind => KINDS.some((kind) => kind === text);

type DeviceQuery = Omit<NonNullable<Parameters<typeof devices.$get>[0]["query"]>, "limit" | "offset" | "cursor">;
export const listDevices = (query: DeviceQuery, cursor: string | null) =>
  pageOf(devices.$get({ query: { ...query, limit: "50", ...(cursor && { cursor }) } }));
export type Device = Awaited<ReturnType<typeof listDevices>>["items"][number];

export const readDevice = (device_id: string) => versionOf(one.$get({ param: { device_id } }));
export type NewDevice = Parameters<typeof devices.$post>[0]["json"];
export const createDevice = (json: NewDevice, key: string) => dataOf(devices.$post({ header: { "idempotency-key": key }, json }));
export type DeviceChange = Parameters<typeof one.$patch>[0]["json"];
export const changeDevice = (device_id: string, etag: string, json: DeviceChange) =>
  dataOf(one.$patch({ param: { device_id }, header: { "if-match": etag }, json }));
export const retireDevice = (device_id: string, etag: string) =>
  dataOf(one.$delete({ param: { device_id }, header: { "if-match": etag } }));

export const listAssignments = (device_id: string, cursor: string | null) =>
  pageOf(one.assignments.$get({ param: { device_id }, query: { limit: "20", ...(cursor && { cursor }) } }));
export type Assignment = Awaited<ReturnType<typeof listAssignments>>["items"][number];
/** A present binding to somebody else ends in the same moment. */
export const bindDevice = (device_id: string, patient_id: string, key: string) =>
  dataOf(one.assignments.$post({ param: { device_id }, header: { "idempotency-key": key }, json: { patient_id } }));
export const unbindDevice = (device_id: string) => dataOf(one.assignments.current.$delete({ param: { device_id } }));

export const listCredentials = (device_id: string) => dataOf(one.credentials.$get({ param: { device_id } }));
export type Credential = Awaited<ReturnType<typeof listCredentials>>[number];
export const issueCredential = (device_id: string, name: string, expires_at: string | null, key: string) =>
  dataOf(one.credentials.$post({ param: { device_id }, header: { "idempotency-key": key }, json: { name, expires_at } }));
export const revokeCredential = (device_id: string, credential_id: string) =>
  dataOf(one.credentials[":credential_id"].$delete({ param: { device_id, credential_id } }));

/** A code, and how long it lives from now: by the server's clock, since this PC's may be wrong. */
export async function issueCode(device_id: string) {
  const asked = codes.devices[":device_id"]["claim-code"].$post({ param: { device_id } });
  const { code, expires_at } = await dataOf(asked);
  const told = Date.parse((await asked).headers.get("Date") ?? "");
  return { code, lives_ms: Date.parse(expires_at) - (Number.isNaN(told) ? Date.now() : told) };
}
export type ClaimCode = Awaited<ReturnType<typeof issueCode>>;

/** Open alarms of devices that say nothing; of those whom the caller may see. */
export const listSilent = (about: { device_id?: string; patient_id?: string; hospital_id?: string }) =>
  bodyOf(alerts.$get({ query: { ...about, rule: "device_silence", open: "true", limit: "100" } }));
export const listDeviceAlarms = (device_id: string) => pageOf(alerts.$get({ query: { device_id, open: "true", limit: "20" } }));

/** Of each device that is bound to the patient now: when it was heard, how its clock goes, what it reports of itself. */
export async function readHeard(patient_id: string) {
  const { devices } = await dataOf(history.patients[":patient_id"].observations.latest.$get({ param: { patient_id } }));
  return devices;
}
export type Heard = Awaited<ReturnType<typeof readHeard>>[number];

/** Bindings of a patient as the trail has them; managers alone may read it. */
export const listBindingEvents = (patient_id: string, event: "device.assign" | "device.unassign", cursor: string | null) =>
  pageOf(
    audit["audit-events"].$get({
      query: { patient_id, event, outcome: "success", limit: "50", ...(cursor && { cursor }) },
    }),
  );
export type BindingEvent = Awaited<ReturnType<typeof listBindingEvents>>["items"][number];
