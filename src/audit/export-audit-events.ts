// Exports audit events as a stream of CSV or of FHIR AuditEvent resources (NDJSON), page by page.
import { withUser } from "../access/access.ts";
import type { Call, UserEffectiveRole } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { type LogPosition, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { handOverStaged } from "../audit-log/hand-over.ts";
import { type ListedEntry, readLogs } from "../audit-log/read-logs.ts";
import { getPublicOrigin, type Keys } from "../platform/config.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { toIso } from "../platform/time.ts";
import { CSV_HEADER, type ExportedEvent, toCsvLine } from "./exported-event.ts";
import { toFhirAuditEvent } from "./fhir-audit-event.ts";
import { toAuditEvent } from "./list-audit-events.ts";
import { visiblePatients } from "./visible-log.ts";
import { type AuditQuery, selectPlaces, toVisibleLogs, type VisibleLog } from "./visible-logs.ts";

export type ExportFormat = "csv" | "ndjson";
export type ExportQuery = Omit<AuditQuery, "limit" | "cursor"> & { format: ExportFormat };

/** Events of one file. Beyond it the body is aborted: a narrower time range is needed. */
export const MAX_EXPORTED_EVENTS = 100_000;
const PAGE_LENGTH = 500;

type Writer = { type: string; header: string; toLine: (event: ExportedEvent) => string };
const createWriter = (env: Env, format: ExportFormat): Writer => {
  if (format === "csv") return { type: "text/csv; charset=utf-8; header=present", header: CSV_HEADER, toLine: toCsvLine };
  const origin = getPublicOrigin(env);
  return {
    type: "application/fhir+ndjson",
    header: "",
    toLine: (event) => `${JSON.stringify(toFhirAuditEvent(event, origin))}\n`,
  };
};

type Source = { env: Env; keys: Pick<Keys, "audit">; logs: VisibleLog[]; requestId: string };
type Page = { entries: ListedEntry[]; next: LogPosition | null };

/**
 * Shows what the list shows the caller, newest first. The export is recorded before the first byte leaves. A failure in the middle
 * aborts the body, so that the client's read fails: a file that ended without an error is complete.
 * @throws ApiError unavailable, as long as nothing was sent
 */
export async function exportAuditEvents(env: Env, anyCall: Call, query: ExportQuery): Promise<Response> {
  const filters = { ...query, limit: PAGE_LENGTH };
  const { call, effectiveRole, results } = await withUser(anyCall, "audit:export", (effectiveRole, { db, actor }) => [
    selectPlaces(db, filters, effectiveRole, actor),
  ]);
  const logs = toVisibleLogs(results[0], filters, effectiveRole);
  const ownIds =
    effectiveRole.role === "patient" ? results[0].flatMap(({ patient }) => (patient === null ? [] : [patient])) : null;
  await handOverStaged(env, call.now);
  const source = { env, keys: call.keys, logs, requestId: call.actor.via.requestId };
  const first = await readPage(source, null);
  await appendAuditEvent(call, exportEvent(query, effectiveRole, first));
  const writer = createWriter(env, query.format);
  const toLine = (entry: ListedEntry) => writer.toLine(toExported(entry, effectiveRole, ownIds));
  const name = `audit-events-${toIso(call.now).slice(0, 10)}.${query.format}`;
  return new Response(createBody(source, first, writer.header, toLine), {
    headers: {
      "Content-Type": writer.type,
      "Content-Disposition": `attachment; filename="${name}"`,
      "Cache-Control": "no-store",
    },
  });
}

const exportEvent = (
  { format, patient_id, hospital_id }: ExportQuery,
  { role, hospitalId }: UserEffectiveRole,
  { entries }: Page,
) => ({
  event: "audit.export",
  action: "R" as const,
  role,
  hospitalId: role === "admin" && hospital_id !== NO_HOSPITAL_LOG ? (hospital_id ?? null) : hospitalId,
  // As in the list: an empty result has no subject.
  subjects: patient_id && entries.length > 0 ? [patient_id] : [],
  detail: { format },
});

/** Pages may be empty while the list goes on. */
async function readPage({ env, keys, logs }: Source, before: LogPosition | null): Promise<Page> {
  let page: Page = { entries: [], next: before };
  do page = await readLogs(env, keys, logs, page.next, PAGE_LENGTH);
  while (page.entries.length === 0 && page.next !== null);
  return page;
}

/** Reads a page when the client has taken the one before. */
function createBody(
  source: Source,
  first: Page,
  header: string,
  toLine: (entry: ListedEntry) => string,
): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let page: Page | null = first;
  let count = 0;
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (header !== "") controller.enqueue(utf8.encode(header));
      },
      pull: async (controller) => {
        try {
          const { entries, next } = page ?? { entries: [], next: null };
          count += entries.length;
          if (count > MAX_EXPORTED_EVENTS) throw new RangeError(`more than ${MAX_EXPORTED_EVENTS} audit events in one file`);
          if (entries.length > 0) controller.enqueue(utf8.encode(entries.map(toLine).join("")));
          if (next === null) return controller.close();
          page = await readPage(source, next);
        } catch (error) {
          const { requestId: request_id } = source;
          log(source.env, "ERROR", "export of audit events aborted", {
            request_id,
            cause: describeCause(error),
            at: stackFrames(error),
          });
          controller.error(error);
        }
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
  );
}

const toExported = (entry: ListedEntry, effectiveRole: UserEffectiveRole, ownIds: readonly string[] | null): ExportedEvent => ({
  ...toAuditEvent(entry, effectiveRole),
  patient_ids: visiblePatients(entry, effectiveRole, ownIds),
});
