// Draining of an outbox: all due rows in one batch, or one by one after a failure, so that no row blocks others.
import { toApiError } from "../../../http/on-error.ts";
import { DeadlineError } from "../../../platform/deadline.ts";
import { backOff, type Outbox, type OutboxRow } from "./outbox.ts";

/** Rows in one batch to D1. */
const MAX_ROWS = 50;
/** This many single failures without a success count as an outage of D1. */
const OUTAGE_ROWS = 3;

type Failure = { row: OutboxRow; error: unknown };

export type Drain = {
  outbox: Outbox;
  now: () => number;
  /** Delivers all rows or none. @throws what the database throws */
  deliver: (rows: readonly OutboxRow[]) => Promise<void>;
  /** Runs its argument in one transaction. */
  change: (work: () => void) => void;
  report: (failure: Failure & { parked: boolean; isOutage: boolean }) => void;
};

/** `pauseUntil`: no attempt before this time, after an outage. `triedParked`: the number of parked rows may have changed. */
export type Drained = { pauseUntil: number | null; triedParked: boolean };

/** @param outages how many drains before this one ended in an outage */
export async function drainOutbox(drain: Drain, outages: number): Promise<Drained> {
  let triedParked = false;
  for (;;) {
    const rows = drain.outbox.due(drain.now(), MAX_ROWS);
    if (rows.length === 0) return { pauseUntil: null, triedParked };
    triedParked ||= rows.some(({ parked_at }) => parked_at !== null);
    if (rows.length > 1 && (await deliverTogether(drain, rows))) continue;
    const { parked, isOutage } = await deliverOneByOne(drain, rows);
    triedParked ||= parked;
    if (isOutage) return { pauseUntil: drain.now() + backOff(outages, true), triedParked };
  }
}

async function deliverTogether({ deliver, change, outbox }: Drain, rows: readonly OutboxRow[]): Promise<boolean> {
  try {
    await deliver(rows);
  } catch {
    // deliverOneByOne finds and reports the failing row.
    return false;
  }
  change(() => outbox.remove(rows));
  return true;
}

async function deliverOneByOne(drain: Drain, rows: readonly OutboxRow[]): Promise<{ parked: boolean; isOutage: boolean }> {
  const { outbox, change } = drain;
  const failures: Failure[] = [];
  let delivered = 0;
  for (const row of rows) {
    const failure = await tryDeliver(drain, row);
    if (failure) failures.push(failure);
    else {
      change(() => outbox.remove([row]));
      delivered += 1;
    }
    if (delivered === 0 && looksLikeOutage(failures)) break;
  }
  const isOutage = delivered === 0 && failures.length > 0 && failures.every(({ error }) => isTransient(error));
  const parked = failures.map((failure) => {
    let parks = false;
    change(() => {
      parks = outbox.fail(failure.row, drain.now(), isOutage);
    });
    drain.report({ ...failure, parked: parks, isOutage });
    return parks;
  });
  return { parked: parked.includes(true), isOutage };
}

async function tryDeliver({ deliver }: Drain, row: OutboxRow): Promise<Failure | null> {
  try {
    await deliver([row]);
    return null;
  } catch (error) {
    return { row, error };
  }
}

/** One timeout is enough: each costs the whole deadline, during which the object's alarms wait. */
function looksLikeOutage(failures: readonly Failure[]): boolean {
  if (failures.some(({ error }) => error instanceof DeadlineError)) return true;
  return failures.length >= OUTAGE_ROWS && failures.every(({ error }) => isTransient(error));
}

function isTransient(error: unknown): boolean {
  return error instanceof DeadlineError || toApiError(error).code === "unavailable";
}
