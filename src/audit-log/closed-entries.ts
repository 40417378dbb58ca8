// Finds entries by id in closed segments: by the time in the id, since segments have no index of ids.
import { getKeys } from "../platform/config.ts";
import { HOUR_MS } from "../platform/time.ts";
import type { AuditLogEvent, LogEntry } from "./contract.ts";
import { earliestLogged, idTime } from "./known-ids.ts";
import { listByTime } from "./segment-rows.ts";
import { readSegment, SegmentGoneError } from "./segments/read-segment.ts";
import type { LogContext } from "./state.ts";

/** Segments that one search reads; a day of a busy hospital has fewer. */
const MAX_SEARCHED = 100;
/** `recorded` is when the request began, the id was made in its course. */
const MAX_REQUEST_MS = HOUR_MS;

type Search = { from: number; to: number; loggedFrom: number };

/** Visits entries recorded from `from` to `to`, both inclusive, until `visit` returns true. */
async function search({ storage, env }: LogContext, times: Search, visit: (entry: LogEntry) => boolean): Promise<void> {
  const refs = listByTime(storage.sql, times.from, times.to, times.loggedFrom, MAX_SEARCHED + 1);
  if (refs.length > MAX_SEARCHED) throw new Error("too many segments may hold the entry");
  const ring = (await getKeys(env)).audit;
  for (const ref of refs) {
    const blocks = readSegment(env.FILES, ring, ref, { patientIds: null, from: times.from, to: times.to + 1 });
    for await (const entries of blocks) if (entries.some(visit)) return;
  }
}

/** A merge may replace a file after the list was read; the new list has another one. */
async function searchAgain(log: LogContext, times: Search, visit: (entry: LogEntry) => boolean): Promise<void> {
  try {
    await search(log, times, visit);
  } catch (error) {
    if (!(error instanceof SegmentGoneError)) throw error;
    await search(log, times, visit);
  }
}

/** Which of these events the closed segments have. Events of different hours are searched apart, each in the segments of its time. */
export async function findClosedIds(log: LogContext, events: readonly AuditLogEvent[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const ofHour of Map.groupBy(events, ({ recorded }) => Math.floor(recorded / HOUR_MS)).values())
    for (const id of await findIdsOfHour(log, ofHour)) found.add(id);
  return found;
}

async function findIdsOfHour(log: LogContext, events: readonly AuditLogEvent[]): Promise<Set<string>> {
  const wanted = new Set(events.map(({ id }) => id));
  const recorded = events.map((event) => event.recorded);
  const found = new Set<string>();
  const times = {
    from: Math.min(...recorded),
    to: Math.max(...recorded),
    loggedFrom: Math.min(...events.map(({ id }) => earliestLogged(id))),
  };
  await searchAgain(log, times, ({ id }) => {
    if (wanted.has(id)) found.add(id);
    return found.size === wanted.size;
  });
  return found;
}

export async function findClosedEntry(log: LogContext, id: string): Promise<LogEntry | null> {
  const made = idTime(id);
  let found: LogEntry | null = null;
  const times = {
    from: made - MAX_REQUEST_MS,
    to: earliestLogged(id) + 2 * (made - earliestLogged(id)),
    loggedFrom: earliestLogged(id),
  };
  await searchAgain(log, times, (entry) => {
    if (entry.id === id) found = entry;
    return found !== null;
  });
  return found;
}
