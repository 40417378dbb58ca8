// API calls for alarm limits and for the monitoring settings of a patient.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../../src/audit/routes.ts";
import type { ruleRoutes } from "../../../../src/monitoring/alerts/rules-routes.ts";
import type { LimitProfile } from "../../../../src/monitoring/vitals/home-limits.ts";
import type { AgeBand } from "../../../../src/monitoring/vitals/model.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage, readVersioned } from "../../platform/api/client.ts";

const api = hc<typeof ruleRoutes>(API_BASE, CLIENT_OPTIONS);
const audit = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS);
const patientRulesClient = api.patients[":patient_id"]["alert-rules"];
const wardRulesClient = api.wards[":ward_id"]["alert-rules"];

/** Timeout for a change of limits, ms. */
const DEADLINE_MS = 5_000;
const withDeadline = () => ({ init: { signal: AbortSignal.timeout(DEADLINE_MS) } });
const ifMatch = (version: number | null) => (version === null ? {} : { "if-match": `"${version}"` });

export const readEffectiveRules = (patientId: string) => readData(patientRulesClient.$get({ param: { patient_id: patientId } }));
export type EffectiveRules = Awaited<ReturnType<typeof readEffectiveRules>>;
/** One per vital sign, so that one page holds them all. */
export const readDefaults = async (band: AgeBand, monitoring: LimitProfile) =>
  (await readPage(api["alert-rules"].defaults.$get({ query: { age_band: band, monitoring, limit: "100" } }))).items;
export type DefaultRule = Awaited<ReturnType<typeof readDefaults>>[number];
/** At most one per vital sign, so that one page holds them all. */
export const readWardRules = async (wardId: string) =>
  (await readPage(api["alert-rules"].$get({ query: { ward_id: wardId, limit: "100" } }))).items;
export type WardRule = Awaited<ReturnType<typeof readWardRules>>[number];
export type LimitOverride = Parameters<(typeof patientRulesClient)[":code"]["$put"]>[0]["json"];

/** @param version of the patient's own rule that was read; null when there is none */
export const savePatientRule = (patientId: string, code: string, version: number | null, limits: LimitOverride) =>
  readData(
    patientRulesClient[":code"].$put(
      { param: { patient_id: patientId, code }, header: ifMatch(version), json: limits },
      withDeadline(),
    ),
  );
export const removePatientRule = (patientId: string, code: string, version: number) =>
  readData(
    patientRulesClient[":code"].$delete({ param: { patient_id: patientId, code }, header: ifMatch(version) }, withDeadline()),
  );
export const previewRule = (patientId: string, code: string, limits: LimitOverride) =>
  readData(patientRulesClient.preview.$post({ param: { patient_id: patientId }, json: { code, limits } }));
export type Preview = Awaited<ReturnType<typeof previewRule>>;

export const saveWardRule = (wardId: string, code: string, version: number | null, limits: LimitOverride) =>
  readData(
    wardRulesClient[":code"].$put({ param: { ward_id: wardId, code }, header: ifMatch(version), json: limits }, withDeadline()),
  );
export const removeWardRule = (wardId: string, code: string, version: number) =>
  readData(wardRulesClient[":code"].$delete({ param: { ward_id: wardId, code }, header: ifMatch(version) }, withDeadline()));

const monitoring = api.patients[":patient_id"].monitoring;
export const readMonitoring = (patientId: string) => readVersioned(monitoring.$get({ param: { patient_id: patientId } }));
export type Monitoring = Awaited<ReturnType<typeof readMonitoring>>["data"];
export type MonitoringChange = Parameters<typeof monitoring.$patch>[0]["json"];
export const changeMonitoring = (patientId: string, etag: string, change: MonitoringChange) =>
  readData(monitoring.$patch({ param: { patient_id: patientId }, header: { "if-match": etag }, json: change }, withDeadline()));

export type ChangeLogQuery = { event: string; patientId?: string; cursor: string | null };
export const listChangeEvents = ({ event, patientId, cursor }: ChangeLogQuery) =>
  readPage(
    audit["audit-events"].$get({
      query: { event, outcome: "success", limit: "50", ...(patientId && { patient_id: patientId }), ...(cursor && { cursor }) },
    }),
  );
export type ChangeEvent = Awaited<ReturnType<typeof listChangeEvents>>["items"][number];
