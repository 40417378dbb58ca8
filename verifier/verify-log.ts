// Verifies a log in parts of bounded work: first its checkpoints, then its entries.
import { checkCheckpoints, checkNewest } from "./checkpoints.ts";
import { EntryRun } from "./entry-run.ts";
import { type Checked, type Cursor, formatCursor, type Limits, parseCursor } from "./part.ts";
import { type LogSource, type Problem, ProblemError } from "./source.ts";

export const DEFAULT_LIMITS: Limits = { events: 20_000, checkpoints: 100 };
export type Verdict = { isIntact: boolean; problem: Problem | null; checked: Checked; nextCursor: string | null };

/**
 * Verifies the next part of a log.
 * @param cursor `nextCursor` of the part before; null for the first
 * @returns `nextCursor` null after the last part or at a problem
 * @throws RangeError for a malformed cursor, Error for malformed keys
 */
export async function verifyPart(source: LogSource, cursor: string | null, limits = DEFAULT_LIMITS): Promise<Verdict> {
  const from = parseCursor(cursor);
  const { seq } = from.position;
  const checked: Checked = { events: 0, segments: 0, checkpoints: 0, firstSeq: seq, endSeq: seq, openEvents: 0 };
  try {
    const next =
      from.phase === "checkpoints"
        ? await verifyCheckpoints(source, from, limits, checked)
        : await new EntryRun(source, from, limits.events, checked).run();
    return { isIntact: true, problem: null, checked, nextCursor: next && formatCursor(next) };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { isIntact: false, problem: error.problem, checked, nextCursor: null };
  }
}

/** Verifies a whole log; one block of entries is in memory at a time. */
export async function verifyLog(source: LogSource, limits = DEFAULT_LIMITS): Promise<Omit<Verdict, "nextCursor">> {
  const total: Checked = { events: 0, segments: 0, checkpoints: 0, firstSeq: 0, endSeq: 0, openEvents: 0 };
  for (let cursor: string | null = null; ; ) {
    const { isIntact, problem, checked, nextCursor } = await verifyPart(source, cursor, limits);
    for (const name of ["events", "segments", "checkpoints", "openEvents"] as const) total[name] += checked[name];
    total.endSeq = Math.max(total.endSeq, checked.endSeq);
    cursor = nextCursor;
    if (cursor === null) return { isIntact, problem, checked: total };
  }
}

async function verifyCheckpoints(source: LogSource, from: Cursor, limits: Limits, checked: Checked): Promise<Cursor> {
  const { count, last, isComplete } = await checkCheckpoints(source, from.size, limits.checkpoints);
  checked.checkpoints = count;
  if (!isComplete) return { ...from, size: last };
  await checkNewest(source, last);
  return { phase: "entries", size: last, position: from.position };
}
