// API calls for the audit log: its events, their proofs, checkpoints, verification and export.
import { hc } from "hono/client";
import type { auditLogRoutes } from "../../../src/audit/log-routes.ts";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../platform/api/client.ts";
import { readStreamedFile } from "../platform/api/streamed-file.ts";

const auditEventsApi = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS)["audit-events"];
const logApi = hc<typeof auditLogRoutes>(API_BASE, CLIENT_OPTIONS);
const logEventsApi = logApi["audit-events"];
const holdApi = logApi.hospitals[":hospital_id"]["legal-hold"];

type ListQuery = NonNullable<Parameters<typeof auditEventsApi.$get>[0]["query"]>;
export type AuditFilters = Omit<ListQuery, "limit" | "cursor">;

/** Events, newest first. A page may be short or empty although older ones follow. */
export const listAuditEvents = (filters: AuditFilters, cursor: string | null, limit = 50) =>
  readPage(auditEventsApi.$get({ query: { ...filters, limit: String(limit), ...(cursor && { cursor }) } }));
export type AuditEvent = Awaited<ReturnType<typeof listAuditEvents>>["items"][number];
export const OUTCOMES = ["success", "denied", "failed"] as const satisfies readonly AuditEvent["outcome"][];

/** In filters: the log of events of no hospital. */
export const NO_HOSPITAL = "none";
/** Whose log: null for that of the caller's hospital, and for administrators that of events of no hospital. */
export type LogChoice = string | null;
/** One request of a verification may take this long, ms. */
const VERIFY_DEADLINE_MS = 120_000;

const logQuery = (hospitalId: LogChoice) => ({ ...(hospitalId !== null && { hospital_id: hospitalId }) });

export const readCheckpoint = (hospitalId: LogChoice) => readData(logEventsApi.checkpoint.$get({ query: logQuery(hospitalId) }));
export type Checkpoint = Awaited<ReturnType<typeof readCheckpoint>>;

/** Checks the next part of a log. */
export function verifyPart(hospitalId: LogChoice, cursor: string | null, cancel: AbortSignal) {
  const signal = AbortSignal.any([cancel, AbortSignal.timeout(VERIFY_DEADLINE_MS)]);
  const query = { ...logQuery(hospitalId), ...(cursor !== null && { cursor }) };
  return readData(logEventsApi.verify.$get({ query }, { init: { signal } }));
}

export type ExportFormat = "csv" | "ndjson";
/** All events that meet the filters. @throws Problem */
export const exportEvents = (format: ExportFormat, filters: AuditFilters, cancel: AbortSignal): Promise<Blob> =>
  readStreamedFile((signal) => logEventsApi.export.$get({ query: { ...filters, format } }, { init: { signal } }), cancel);

/** The proof that an event stands in its log, as a file. @throws Problem */
export async function readProof({ id, log }: Pick<AuditEvent, "id" | "log">, signal: AbortSignal): Promise<Blob> {
  const query = { hospital_id: log ?? NO_HOSPITAL };
  const proof = await readData(logEventsApi[":event_id"].proof.$get({ param: { event_id: id }, query }, { init: { signal } }));
  return new Blob([`${JSON.stringify(proof, null, 2)}\n`], { type: "application/json" });
}

export const readRetention = (hospitalId: LogChoice) => readData(logEventsApi.retention.$get({ query: logQuery(hospitalId) }));
/** `pruned_up_to`: events before this number were deleted; null for none. */
export type Retention = Awaited<ReturnType<typeof readRetention>>;

/** For platform administrators. @throws Problem */
export const setLegalHold = (hospital_id: string, reason: string) =>
  readData(holdApi.$put({ param: { hospital_id }, json: { reason } }));
/** For platform administrators. @throws Problem */
export const endLegalHold = (hospital_id: string) => readData(holdApi.$delete({ param: { hospital_id } }));
