// Appends events to their logs at once, and stages in D1 those of a log that does not take them.
import { batch, type Db } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { attachCharge, isQuotaError, quotaError, type StorageCharge } from "../platform/storage-quotas.ts";
import { type AuditLogs, groupByLog } from "./audit-logs.ts";
import type { AppendOptions, AuditLogEvent } from "./contract.ts";
import { stageEvent } from "./staged-events.ts";

/** Whose quota the events of reads count against: in the logs by `reader`, and by `charge` in D1 where they wait for a log. */
export type ReadQuota = Required<AppendOptions> & { charge: StorageCharge };

/**
 * Every event is durable when this returns: in all of its logs, or staged. A log is tried twice, each time through a new stub.
 * @param quota null: nothing counts the events
 * @throws ApiError unavailable when a log and the staging fail; quota_exceeded
 */
export async function appendAll(
  logs: AuditLogs,
  db: Db,
  events: readonly AuditLogEvent[],
  quota: ReadQuota | null = null,
): Promise<void> {
  const options: AppendOptions = quota ? { reader: quota.reader } : {};
  const failed = await Promise.all(
    [...groupByLog(events)].map(async ([logId, ofLog]) => {
      const append = () => logs.append(logId, ofLog, options);
      const outcome = await append()
        .catch(append)
        .catch(() => "failed" as const);
      if (quota && outcome === "quota_used") throw quotaError("account day", quota.charge.now);
      return outcome === "failed" ? ofLog : [];
    }),
  );
  const toStage = [...new Set(failed.flat())];
  if (toStage.length > 0) await stageAll(db, toStage, quota);
}

async function stageAll(db: Db, events: readonly AuditLogEvent[], quota: ReadQuota | null): Promise<void> {
  const statements = events.map((event) => stageEvent(db, event));
  const [first] = statements;
  if (quota && first) attachCharge(first, quota.charge);
  try {
    await batch(db, statements);
  } catch (error) {
    throw isQuotaError(error) ? error : new ApiError("unavailable", undefined, { cause: error });
  }
}
