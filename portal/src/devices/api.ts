// API calls for devices: registry, assignments, credentials and status.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import type { claimCodeRoutes } from "../../../src/devices/claim-code-routes.ts";
import type { deviceRoutes } from "../../../src/devices/routes.ts";
import type { alertRoutes } from "../../../src/monitoring/alerts/routes.ts";
import type { historyRoutes } from "../../../src/monitoring/history/history-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData, readPage, readVersioned } from "../platform/api/client.ts";
import { fetchAllPages } from "../platform/api/fetch-all-pages.ts";

const { devices } = hc<typeof deviceRoutes>(API_BASE, CLIENT_OPTIONS);
const codes = hc<typeof claimCodeRoutes>(API_BASE, CLIENT_OPTIONS);
const { alerts } = hc<typeof alertRoutes>(API_BASE, CLIENT_OPTIONS);
const history = hc<typeof historyRoutes>(API_BASE, CLIENT_OPTIONS);
const audit = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS);
const deviceApi = devices[":device_id"];

export const DEVICE_KINDS = ["bedside_monitor", "ecg", "oxygen", "cpap", "bipap", "wearable", "gateway"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];
export const isDeviceKind = (text: string | undefined): text is DeviceKind => DEVICE_KINDS.some((kind) => kind === text);

type DeviceQuery = Omit<NonNullable<Parameters<typeof devices.$get>[0]["query"]>, "limit" | "offset" | "cursor">;
export const listDevices = (query: DeviceQuery, cursor: string | null) =>
  readPage(devices.$get({ query: { ...query, limit: "50", ...(cursor && { cursor }) } }));
export type Device = Awaited<ReturnType<typeof listDevices>>["items"][number];

export const readDevice = (device_id: string) => readVersioned(deviceApi.$get({ param: { device_id } }));
export type NewDevice = Parameters<typeof devices.$post>[0]["json"];
export const createDevice = (json: NewDevice, key: string) =>
  readData(devices.$post({ header: { "idempotency-key": key }, json }));
export type DeviceChange = Parameters<typeof deviceApi.$patch>[0]["json"];
export const changeDevice = (device_id: string, etag: string, json: DeviceChange) =>
  readData(deviceApi.$patch({ param: { device_id }, header: { "if-match": etag }, json }));
export const retireDevice = (device_id: string, etag: string) =>
  readData(deviceApi.$delete({ param: { device_id }, header: { "if-match": etag } }));

export const listAssignments = (device_id: string, cursor: string | null) =>
  readPage(deviceApi.assignments.$get({ param: { device_id }, query: { limit: "20", ...(cursor && { cursor }) } }));
export type Assignment = Awaited<ReturnType<typeof listAssignments>>["items"][number];
/** Ends an existing assignment to another patient in the same transaction. */
export const bindDevice = (device_id: string, patient_id: string, key: string) =>
  readData(deviceApi.assignments.$post({ param: { device_id }, header: { "idempotency-key": key }, json: { patient_id } }));
export const unbindDevice = (device_id: string) => readData(deviceApi.assignments.current.$delete({ param: { device_id } }));

/** All of them, of which the service allows 500. */
export const listCredentials = async (device_id: string) =>
  (
    await fetchAllPages((cursor) =>
      readPage(deviceApi.credentials.$get({ param: { device_id }, query: { limit: "100", ...(cursor && { cursor }) } })),
    )
  ).items;
export type Credential = Awaited<ReturnType<typeof listCredentials>>[number];
export const issueCredential = (device_id: string, name: string, expires_at: string | null, key: string) =>
  readData(deviceApi.credentials.$post({ param: { device_id }, header: { "idempotency-key": key }, json: { name, expires_at } }));
export const revokeCredential = (device_id: string, credential_id: string) =>
  readData(deviceApi.credentials[":credential_id"].$delete({ param: { device_id, credential_id } }));

/** A pairing code and its remaining lifetime by the server's clock, since this PC's clock may be wrong. */
export async function issueClaimCode(device_id: string) {
  const request = codes.devices[":device_id"]["claim-code"].$post({ param: { device_id } });
  const { code, expires_at } = await readData(request);
  const serverTime = Date.parse((await request).headers.get("Date") ?? "");
  return { code, validForMs: Date.parse(expires_at) - (Number.isNaN(serverTime) ? Date.now() : serverTime) };
}
export type ClaimCode = Awaited<ReturnType<typeof issueClaimCode>>;

/** Open device-silence alarms of patients that the caller may see. */
export const listSilenceAlarms = (scope: { device_id?: string; patient_id?: string; hospital_id?: string }) =>
  readBody(alerts.$get({ query: { ...scope, rule: "device_silence", open: "true", limit: "100" } }));
export const listDeviceAlarms = (device_id: string) =>
  readPage(alerts.$get({ query: { device_id, open: "true", limit: "100" } }));

/** Status of each device assigned to the patient: last data, clock offset and reported conditions. */
export async function readDeviceStatuses(patient_id: string) {
  const latest = await readData(history.patients[":patient_id"].observations.latest.$get({ param: { patient_id } }));
  return "devices" in latest ? latest.devices : [];
}
export type DeviceStatus = Awaited<ReturnType<typeof readDeviceStatuses>>[number];

/** A patient's device assignments from the audit log; managers only. */
export const listBindingEvents = (patient_id: string, event: "device.assign" | "device.unassign", cursor: string | null) =>
  readPage(
    audit["audit-events"].$get({
      query: { patient_id, event, outcome: "success", limit: "50", ...(cursor && { cursor }) },
    }),
  );
export type BindingEvent = Awaited<ReturnType<typeof listBindingEvents>>["items"][number];
