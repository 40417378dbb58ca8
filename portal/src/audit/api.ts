// API calls for the audit log: its events, their proofs, checkpoints, verification and export.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readPage } from "../platform/api/client.ts";
import { parseProblem, throwUnreachable } from "../platform/api/problem.ts";
import { readStreamedFile } from "../platform/api/streamed-file.ts";
import type { LogCheck } from "./verification.ts";

const auditEventsApi = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS)["audit-events"];

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

const toUrl = (path: string, query: Readonly<Record<string, string | null | undefined>>): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] != null && entry[1] !== "");
  return `${API_BASE}/audit-events${path}?${new URLSearchParams(given)}`;
};

async function readJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await CLIENT_OPTIONS.fetch(url, signal ? { signal } : {}).catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  const { data } = (await response.json().catch(throwUnreachable)) as { data: T };
  return data;
}

export type Checkpoint = {
  hospital_id: string | null;
  size: number;
  root_hash: string;
  checkpoint: string;
  verifier_key: string;
};
export const readCheckpoint = (hospitalId: LogChoice): Promise<Checkpoint> =>
  readJson(toUrl("/checkpoint", { hospital_id: hospitalId }));

/** Checks the next part of a log. */
export const verifyPart = (hospitalId: LogChoice, cursor: string | null, signal: AbortSignal): Promise<LogCheck> =>
  readJson(
    toUrl("/verify", { hospital_id: hospitalId, cursor }),
    AbortSignal.any([signal, AbortSignal.timeout(VERIFY_DEADLINE_MS)]),
  );

export type ExportFormat = "csv" | "ndjson";
/** All events that meet the filters. @throws Problem */
export const exportEvents = (format: ExportFormat, filters: AuditFilters, cancel: AbortSignal): Promise<Blob> =>
  readStreamedFile((signal) => CLIENT_OPTIONS.fetch(toUrl("/export", { ...filters, format }), { signal }), cancel);

/** The proof that an event stands in its log, as a file. @throws Problem */
export async function readProof({ id, log }: Pick<AuditEvent, "id" | "log">, signal: AbortSignal): Promise<Blob> {
  const proof = await readJson<object>(toUrl(`/${id}/proof`, { hospital_id: log ?? NO_HOSPITAL }), signal);
  return new Blob([`${JSON.stringify(proof, null, 2)}\n`], { type: "application/json" });
}

export type LegalHold = { reason: string; recorded_from: string | null; set_at: string; set_by: string };
/** `pruned_up_to`: events before this number were deleted; null for none. */
export type Retention = {
  hospital_id: string | null;
  retention_years: number;
  size: number;
  pruned_up_to: number | null;
  legal_hold: LegalHold | null;
};
export const readRetention = (hospitalId: LogChoice): Promise<Retention> =>
  readJson(toUrl("/retention", { hospital_id: hospitalId }));

const holdUrl = (hospitalId: string) => `${API_BASE}/hospitals/${hospitalId}/legal-hold`;

async function changeHold(hospitalId: string, init: RequestInit): Promise<void> {
  const response = await CLIENT_OPTIONS.fetch(holdUrl(hospitalId), init).catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
}
/** For platform administrators. @throws Problem */
export const setLegalHold = (hospitalId: string, reason: string): Promise<void> =>
  changeHold(hospitalId, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ reason }) });
/** For platform administrators. @throws Problem */
export const endLegalHold = (hospitalId: string): Promise<void> => changeHold(hospitalId, { method: "DELETE" });
