// What the API says of alarm limits, and of what the score needs to know of a patient.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import type { ruleRoutes } from "../../../src/monitoring/alerts/rules-routes.ts";
import { API, dataOf, OPTIONS, pageOf, versionOf } from "../api/client.ts";

const api = hc<typeof ruleRoutes>(API, OPTIONS);
const audit = hc<typeof auditRoutes>(API, OPTIONS);
const rulesOf = api.patients[":patient_id"]["alert-rules"];
const wardRules = api.wards[":ward_id"]["alert-rules"];

/** Whoever changes a limit waits this long at most to hear whether it was changed. */
const DEADLINE_MS = 5_000;
const soon = () => ({ init: { signal: AbortSignal.timeout(DEADLINE_MS) } });
const matching = (version: number | null) => (version === null ? {} : { "if-match": `"${version}"` });

export const AGE_BANDS = ["neonate", "infant", "toddler", "child", "adolescent", "adult"] as const;
export type AgeBand = (typeof AGE_BANDS)[number];

export const readEffective = (patientId: string) => dataOf(rulesOf.$get({ param: { patient_id: patientId } }));
export type Effective = Awaited<ReturnType<typeof readEffective>>;
export const readDefaults = (band: AgeBand) => dataOf(api["alert-rules"].defaults.$get({ query: { age_band: band } }));
export type Default = Awaited<ReturnType<typeof readDefaults>>[number];
export const readWardRules = (wardId: string) => dataOf(api["alert-rules"].$get({ query: { ward_id: wardId } }));
export type WardRule = Awaited<ReturnType<typeof readWardRules>>[number];
export type Override = Parameters<(typeof rulesOf)[":code"]["$put"]>[0]["json"];

/** @param version of the patient's own rule that was seen; null for none */
export const putPatientRule = (patientId: string, code: string, version: number | null, limits: Override) =>
  dataOf(rulesOf[":code"].$put({ param: { patient_id: patientId, code }, header: matching(version), json: limits }, soon()));
export const removePatientRule = (patientId: string, code: string, version: number) =>
  dataOf(rulesOf[":code"].$delete({ param: { patient_id: patientId, code }, header: matching(version) }, soon()));
export const previewRule = (patientId: string, code: string, limits: Override) =>
  dataOf(rulesOf.preview.$post({ param: { patient_id: patientId }, json: { code, limits } }));
export type Preview = Awaited<ReturnType<typeof previewRule>>;

export const putWardRule = (wardId: string, code: string, version: number | null, limits: Override) =>
  dataOf(wardRules[":code"].$put({ param: { ward_id: wardId, code }, header: matching(version), json: limits }, soon()));
export const removeWardRule = (wardId: string, code: string, version: number) =>
  dataOf(wardRules[":code"].$delete({ param: { ward_id: wardId, code }, header: matching(version) }, soon()));

const monitoring = api.patients[":patient_id"].monitoring;
export const readMonitoring = (patientId: string) => versionOf(monitoring.$get({ param: { patient_id: patientId } }));
export type Monitoring = Awaited<ReturnType<typeof readMonitoring>>["data"];
export type MonitoringChange = Parameters<typeof monitoring.$patch>[0]["json"];
export const changeMonitoring = (patientId: string, etag: string, change: MonitoringChange) =>
  dataOf(monitoring.$patch({ param: { patient_id: patientId }, header: { "if-match": etag }, json: change }, soon()));

export type LogQuery = { event: string; patientId?: string; cursor: string | null };
export const readTrail = ({ event, patientId, cursor }: LogQuery) =>
  pageOf(
    audit["audit-events"].$get({
      query: { event, outcome: "success", limit: "50", ...(patientId && { patient_id: patientId }), ...(cursor && { cursor }) },
    }),
  );
export type TrailEvent = Awaited<ReturnType<typeof readTrail>>["items"][number];
