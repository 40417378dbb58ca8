// Reads entries of several logs as one list, newest first.
import { type AuditLogCalls, compareNewestFirst, type LogEntry, type LogFilter, type LogPosition } from "./contract.ts";

export type ListedEntry = LogEntry & { log: string };

/** @returns at most `limit` entries, and where the next page begins; null at the end */
export async function readLogs(
  env: Env,
  _keys: unknown,
  logs: readonly { logId: string; filter: LogFilter }[],
  before: LogPosition | null,
  limit: number,
): Promise<{ entries: ListedEntry[]; next: LogPosition | null }> {
  const found = await Promise.all(
    logs.map(async ({ logId, filter }) => {
      const calls: AuditLogCalls = env.AUDIT_LOG.getByName(logId) as unknown as AuditLogCalls;
      const { entries } = await calls.select(filter, before, limit + 1);
      return entries.map((entry) => ({ ...entry, log: logId }));
    }),
  );
  const merged = found.flat().sort(compareNewestFirst);
  const entries = merged.slice(0, limit);
  const last = entries.at(-1);
  return { entries, next: merged.length > limit && last ? { recorded: last.recorded, id: last.id } : null };
}
