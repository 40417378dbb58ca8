// Exports audit events as a stream of CSV or of FHIR AuditEvent resources (NDJSON), page by page.
import { withUser } from "../access/access.ts";
import type { Call, UserEffectiveRole } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { type LogPosition, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { handOverStaged } from "../audit-log/hand-over.ts";
import type { ListedEntry, LogPage } from "../audit-log/read-logs.ts";
import { getPublicOrigin, type Keys } from "../platform/config.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { toIso } from "../platform/time.ts";
import { toCsvRecord } from "./csv.ts";
import { CSV_HEADER, type ExportedEvent, toCsvLine } from "./exported-event.ts";
import { toFhirAuditEvent, toOperationOutcome } from "./fhir-audit-event.ts";
import { toAuditEvent } from "./list-audit-events.ts";
import { visiblePatients } from "./visible-log.ts";
import { type AuditQuery, isHospitalHidden, selectPlaces, toVisibleLogs, type VisibleLog } from "./visible-logs.ts";
import { type IsWithheld, readShown, selectWithheld, withheldFrom } from "./withheld.ts";

export type ExportFormat = "csv" | "ndjson";
export type ExportQuery = Omit<AuditQuery, "limit" | "cursor"> & { format: ExportFormat };

/** Events of one file. Beyond it the last line says so, and the body is aborted. */
export const MAX_EXPORTED_EVENTS = 100_000;
const PAGE_LENGTH = 500;

/** `toNotice`: the last line of a file that is not complete. */
type Writer = { type: string; header: string; toLine: (event: ExportedEvent) => string; toNotice: (text: string) => string };
const createWriter = (env: Env, format: ExportFormat): Writer => {
  if (format === "csv")
    return {
      type: "text/csv; charset=utf-8; header=present",
      header: CSV_HEADER,
      toLine: toCsvLine,
      toNotice: (text) => toCsvRecord([text]),
    };
  const origin = getPublicOrigin(env);
  return {
    type: "application/fhir+ndjson",
    header: "",
    toLine: (event) => `${JSON.stringify(toFhirAuditEvent(event, origin))}\n`,
    toNotice: (text) => `${JSON.stringify(toOperationOutcome(text))}\n`,
  };
};

type Source = { env: Env; keys: Pick<Keys, "audit">; logs: VisibleLog[]; isWithheld: IsWithheld | null; requestId: string };
type Page = LogPage;

/**
 * Shows what the list shows the caller, newest first. The export is recorded before the first byte leaves. A failure in the middle
 * aborts the body, so that the client's read fails: a file that ended without an error is complete.
 * @param maxEvents lower in tests  @throws ApiError not_found (audited), unavailable, as long as nothing was sent
 */
export async function exportAuditEvents(
  env: Env,
  anyCall: Call,
  query: ExportQuery,
  maxEvents = MAX_EXPORTED_EVENTS,
): Promise<Response> {
  const filters = { ...query, limit: PAGE_LENGTH };
  const { call, effectiveRole, results } = await withUser(anyCall, "audit:export", (effectiveRole, { db, actor, now }) => [
    selectPlaces(db, filters, effectiveRole, actor),
    selectWithheld(db, effectiveRole, actor, now),
  ]);
  if (isHospitalHidden(query, effectiveRole, results[0]))
    return denyNotFound(call, "audit:export", effectiveRole, { hospital: query.hospital_id ?? "" });
  const logs = toVisibleLogs(results[0], filters, effectiveRole);
  const ownIds =
    effectiveRole.role === "patient" ? results[0].flatMap(({ patient }) => (patient === null ? [] : [patient])) : null;
  await handOverStaged(env, call.now);
  const isWithheld = withheldFrom(effectiveRole, results[1]);
  const source = { env, keys: call.keys, logs, isWithheld, requestId: call.actor.via.requestId };
  const first = await readPage(source, null, () => false);
  await appendAuditEvent(call, exportEvent(query, effectiveRole, first));
  const writer = createWriter(env, query.format);
  const toLine = (entry: ListedEntry) => writer.toLine(toExported(entry, effectiveRole, ownIds));
  const notice = writer.toNotice(
    `Incomplete: more than ${maxEvents.toLocaleString("en")} events. Export a shorter time (from, to) or set further filters.`,
  );
  const name = `audit-events-${toIso(call.now).slice(0, 10)}.${query.format}`;
  return new Response(createBody(source, first, { ...writer, toLine, notice, maxEvents }), {
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
async function readPage(source: Source, before: LogPosition | null, isCancelled: () => boolean): Promise<Page> {
  let page: Page = { entries: [], next: before };
  do page = await readShown(source, page.next, PAGE_LENGTH, source.isWithheld);
  while (page.entries.length === 0 && page.next !== null && !isCancelled());
  return page;
}

type Lines = { header: string; toLine: (entry: ListedEntry) => string; notice: string; maxEvents: number };

/** Reads a page when the client has taken the one before, and none after the client has gone. */
function createBody(source: Source, first: Page, { header, toLine, notice, maxEvents }: Lines): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  let page: Page | null = first;
  let room = maxEvents;
  let isCancelled = false;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    if (!page) throw new RangeError("too many audit events for one file");
    const { entries, next } = page;
    const isTooLong = entries.length > room;
    const lines = [...entries.slice(0, room).map(toLine), ...(isTooLong ? [notice] : [])];
    room -= entries.length;
    if (lines.length > 0) controller.enqueue(utf8.encode(lines.join("")));
    // An error discards what is queued: the next call aborts the body, when the client has the notice.
    if (isTooLong) page = null;
    else if (next === null) controller.close();
    else page = await readPage(source, next, () => isCancelled);
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (header !== "") controller.enqueue(utf8.encode(header));
      },
      pull: async (controller) => {
        try {
          await pull(controller);
        } catch (error) {
          if (isCancelled) return;
          logAbortion(source, error);
          controller.error(error);
        }
      },
      cancel: () => {
        isCancelled = true;
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
  );
}

function logAbortion({ env, requestId: request_id }: Source, error: unknown): void {
  log(env, "ERROR", "export of audit events aborted", { request_id, cause: describeCause(error), at: stackFrames(error) });
}

const toExported = (entry: ListedEntry, effectiveRole: UserEffectiveRole, ownIds: readonly string[] | null): ExportedEvent => ({
  ...toAuditEvent(entry, effectiveRole),
  patient_ids: visiblePatients(entry, effectiveRole, ownIds),
});
