// Hands staged audit events over to their logs: behind responses, by cron, and before a list of events is read.
import { batch, getDb } from "../platform/db/client.ts";
import { describeCause, stackFrames } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { type AuditLogs, createAuditLogs, groupByLog, isContentRefused } from "./audit-logs.ts";
import { type AuditLogEvent, logsOf } from "./contract.ts";
import { parseStaged, type StagedRow, selectStaged, settleStaged } from "./staged-events.ts";

const ROWS_PER_ROUND = 100;
/** What is left after these rounds waits for the next run. */
const MAX_ROUNDS = 20;
/** Nobody waits for a run behind a response. */
const APPEND_DEADLINE_MS = 10_000;

/**
 * Appends waiting events to their logs and deletes each when all of its logs have it. Repeats and concurrent runs are harmless, as
 * logs know the ids of their events. A log that fails is left out of the run; an event that a log refuses is parked.
 * @throws what D1 throws
 */
export async function handOverStaged(env: Env, now = Date.now()): Promise<void> {
  const db = getDb(env.DB);
  const logs = createAuditLogs(env, APPEND_DEADLINE_MS);
  const failedLogs = new Set<string>();
  let after = "";
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const rows = await selectStaged(db, after, [...failedLogs], now, ROWS_PER_ROUND);
    const { done, refused } = await appendRows(logs, rows, failedLogs);
    for (const id of refused) log(env, "ERROR", "audit event parked", { code: id });
    await batch(db, settleStaged(db, done, refused, now));
    if (rows.length < ROWS_PER_ROUND) return;
    after = rows.at(-1)?.id ?? "";
  }
}

type Outcome = { appended: Set<string>; refused: Set<string> };

async function appendRows(logs: AuditLogs, rows: readonly StagedRow[], failedLogs: Set<string>) {
  const { events, damaged } = parseRows(rows);
  const outcomes = new Map<string, Outcome>();
  await Promise.all(
    [...groupByLog(events)].map(async ([logId, ofLog]) => {
      const outcome: Outcome = { appended: new Set(), refused: new Set() };
      outcomes.set(logId, outcome);
      await appendOrDivide(logs, logId, ofLog, outcome).catch(() => failedLogs.add(logId));
    }),
  );
  const refused = events.filter(({ id }) => [...outcomes.values()].some((outcome) => outcome.refused.has(id)));
  const done = events.filter((event) => logsOf(event).every((logId) => outcomes.get(logId)?.appended.has(event.id)));
  return { done: done.map(({ id }) => id), refused: [...damaged, ...refused.map(({ id }) => id)] };
}

function parseRows(rows: readonly StagedRow[]): { events: AuditLogEvent[]; damaged: string[] } {
  const events: AuditLogEvent[] = [];
  const damaged: string[] = [];
  for (const row of rows) {
    try {
      events.push(parseStaged(row));
    } catch {
      damaged.push(row.id);
    }
  }
  return { events, damaged };
}

/** Finds the events that a log refuses by halving the list. @throws any other error of the log */
async function appendOrDivide(logs: AuditLogs, logId: string, events: readonly AuditLogEvent[], outcome: Outcome): Promise<void> {
  try {
    await logs.append(logId, events);
    for (const { id } of events) outcome.appended.add(id);
  } catch (error) {
    if (!isContentRefused(error)) throw error;
    const [first] = events;
    if (events.length <= 1) {
      if (first) outcome.refused.add(first.id);
      return;
    }
    const half = Math.ceil(events.length / 2);
    await appendOrDivide(logs, logId, events.slice(0, half), outcome);
    await appendOrDivide(logs, logId, events.slice(half), outcome);
  }
}

/** A run is over after this time: its request may have ended before it. */
const MAX_RUN_MS = 10_000;
type Run = { startedAt: number; isWanted: boolean };
/** The current run of the isolate per database. */
const runs = new WeakMap<D1Database, Run>();

/** Runs `handOverStaged` once for all requests of the isolate that ask for it meanwhile. Failures are logged: cron repeats the run. */
export async function handOverInBackground(env: Env): Promise<void> {
  const current = runs.get(env.DB);
  if (current && Date.now() - current.startedAt < MAX_RUN_MS) {
    current.isWanted = true;
    return;
  }
  const run = { startedAt: Date.now(), isWanted: true };
  runs.set(env.DB, run);
  try {
    while (run.isWanted && Date.now() - run.startedAt < MAX_RUN_MS) {
      run.isWanted = false;
      // Lets the response be sent first.
      await scheduler.wait(0);
      await handOverStaged(env);
    }
  } catch (error) {
    log(env, "WARNING", "audit events not handed over", { cause: describeCause(error), at: stackFrames(error) });
  } finally {
    if (runs.get(env.DB) === run) runs.delete(env.DB);
  }
}
