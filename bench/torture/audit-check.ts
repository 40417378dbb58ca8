// Compares what a client was answered with the events in the stores of a killed server and the changes in its database.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AuditFolder } from "../../cli/audit-source.ts";
import { parseRing } from "../../verifier/bytes.ts";
import { verifierKeysOf } from "../../verifier/note.ts";
import { readEntries } from "../../verifier/segment.ts";
import type { LogSource } from "../../verifier/source.ts";
import { verifyLog } from "../../verifier/verify-log.ts";
import { isRead, type Ledger, type Outcome } from "./audit-client.ts";

const ALL = 1_000_000;

type StoredEvent = { id: string; event: string; outcome: string; request_id: string };
export type LogsFound = { events: StoredEvent[]; segments: number; openEvents: number; problems: string[] };

/** All events of a folder of stores, read with the independent verifier, which also checks each log. */
export async function readLogs(state: string): Promise<LogsFound> {
  const secrets: Record<string, string> = JSON.parse(readFileSync(join(state, "secrets.json"), "utf8"));
  const { AUDIT_KEYS: auditKeys = "", AUDIT_SIGNING_KEYS: signingKeys = "" } = secrets;
  const found: LogsFound = { events: [], segments: 0, openEvents: 0, problems: [] };
  const folder = new AuditFolder(state);
  try {
    for (const logId of folder.logs()) {
      const verifierKeys = await verifierKeysOf(signingKeys, logId);
      const source = folder.source(logId, { verifierKeys, auditKeys, savedCheckpoint: null });
      const { problem, checked } = await verifyLog(source);
      if (problem) found.problems.push(`${logId}: ${problem.kind}: ${problem.detail}`);
      found.segments += checked.segments;
      found.openEvents += checked.openEvents;
      for await (const event of storedEvents(source, auditKeys)) found.events.push(event);
    }
  } finally {
    folder.close();
  }
  return found;
}

async function* storedEvents(source: LogSource, auditKeys: string): AsyncGenerator<StoredEvent> {
  const ring = parseRing(auditKeys);
  for (const segment of await source.segments(0, ALL))
    for await (const entries of readEntries(source, ring, segment, segment.first))
      for (const entry of entries) yield entry as unknown as StoredEvent;
  for (const { event } of (await source.openRows(-1, ALL)).entries) yield JSON.parse(event) as StoredEvent;
}

/** The number of events that still wait in D1. */
export function countStaged(state: string): number {
  for (const file of globSync("d1/*/*.sqlite", { cwd: state })) {
    const db = new DatabaseSync(join(state, file), { readOnly: true });
    try {
      if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'audit_staged'").get()) continue;
      return Number(db.prepare("SELECT count(*) AS n FROM audit_staged").get()?.["n"]);
    } finally {
      db.close();
    }
  }
  throw new Error("no database with audit events");
}

export type Comparison = {
  answeredReads: number;
  answeredWrites: number;
  refused: number;
  unansweredReads: number;
  unansweredWrites: number;
  /** Unanswered reads with their event. */
  recordedReads: number;
  /** Unanswered writes that took effect. */
  storedWrites: number;
  /** Answered reads without their event. */
  lostReads: number;
  faults: string[];
};

type Request = { id: string; kind: string; outcome: Outcome; isStored: boolean; successes: StoredEvent[] };

/**
 * Finds faults: an answered read and a write in the database must have their event of success once, and no other write may have one.
 * @param changes request ids of the writes that the database holds
 */
export function compare(ledger: Ledger, { events }: Pick<LogsFound, "events">, changes: ReadonlySet<string>): Comparison {
  const byRequest = Map.groupBy(events, ({ request_id }) => request_id);
  const requests = [...ledger].map(([id, { kind, outcome }]): Request & { isRead: boolean } => {
    const successes = (byRequest.get(id) ?? []).filter((event) => event.outcome === "success");
    return { id, kind, outcome, isStored: changes.has(id), successes, isRead: isRead(kind) };
  });
  const [reads, writes] = [requests.filter((request) => request.isRead), requests.filter((request) => !request.isRead)];
  const unsent = [...changes].filter((id) => !ledger.has(id));
  const isRepeated = new Set(events.map(({ id }) => id)).size < events.length;
  return {
    answeredReads: reads.filter(isAnswered).length,
    answeredWrites: writes.filter(isAnswered).length,
    refused: requests.filter(({ outcome }) => outcome === "refused").length,
    unansweredReads: reads.filter(isUnanswered).length,
    unansweredWrites: writes.filter(isUnanswered).length,
    recordedReads: reads.filter(isUnanswered).filter(({ successes }) => successes.length > 0).length,
    storedWrites: writes.filter(isUnanswered).filter(({ isStored }) => isStored).length,
    lostReads: reads.filter(isAnswered).filter(({ successes }) => successes.length === 0).length,
    faults: [
      ...reads.flatMap(findReadFaults),
      ...writes.flatMap(findWriteFaults),
      ...requests.flatMap(findNameFaults),
      ...unsent.map((id) => `${id}: was never sent`),
      ...(isRepeated ? ["an event is in its log twice"] : []),
    ],
  };
}

const isAnswered = ({ outcome }: Request): boolean => outcome === "answered";
const isUnanswered = ({ outcome }: Request): boolean => outcome === "unanswered";

function findReadFaults(request: Request): string[] {
  const { id, kind, outcome, successes } = request;
  const isRight = isAnswered(request) ? successes.length === 1 : successes.length <= 1;
  return isRight ? [] : [`${id}: ${outcome} ${kind} has ${successes.length} events`];
}

function findWriteFaults(request: Request): string[] {
  const { id, kind, outcome, isStored, successes } = request;
  const place = isStored ? "in the database" : "not in the database";
  return [
    ...(isAnswered(request) && !isStored ? [`${id}: answered ${kind} is not in the database`] : []),
    ...(successes.length === Number(isStored) ? [] : [`${id}: ${outcome} ${kind}, ${place}, has ${successes.length} events`]),
  ];
}

const findNameFaults = ({ id, kind, successes }: Request): string[] =>
  successes.filter(({ event }) => event !== kind).map(({ event }) => `${id}: ${kind} has an event ${event}`);
