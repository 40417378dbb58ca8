// Appends events to their logs at once, and stages in D1 those of a log that does not take them.
import { batch, type Db } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { type AuditLogs, groupByLog } from "./audit-logs.ts";
import type { AuditLogEvent } from "./contract.ts";
import { stageEvent } from "./staged-events.ts";

/**
 * Every event is durable when this returns: in all of its logs, or staged. A log is tried twice, each time through a new stub.
 * @throws ApiError unavailable when a log and the staging fail
 */
export async function appendAll(logs: AuditLogs, db: Db, events: readonly AuditLogEvent[]): Promise<void> {
  const failed = await Promise.all(
    [...groupByLog(events)].map(([logId, ofLog]) =>
      logs
        .append(logId, ofLog)
        .catch(() => logs.append(logId, ofLog))
        .then(
          () => [],
          () => ofLog,
        ),
    ),
  );
  const toStage = [...new Set(failed.flat())];
  if (toStage.length === 0) return;
  try {
    await batch(
      db,
      toStage.map((event) => stageEvent(db, event)),
    );
  } catch (error) {
    throw new ApiError("unavailable", undefined, { cause: error });
  }
}
