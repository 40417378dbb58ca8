// The audit logs as a request uses them: events go to the object of their log, each call through a new stub.
import { withDeadline } from "../platform/deadline.ts";
import { describeCause } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { type AppendOptions, type AppendOutcome, type AuditLogEvent, logsOf, MAX_APPENDED } from "./contract.ts";

/** The logs of a deployment. */
export type AuditLogs = {
  /**
   * Appends events to one log; those that it has already change nothing. With a reader, they are at most MAX_APPENDED.
   * @throws DeadlineError without an answer in time: the events may be stored. What the object throws: RangeError when it refuses
   * the content of an event
   */
  append(logId: string, events: readonly AuditLogEvent[], options?: AppendOptions): Promise<AppendOutcome>;
};

/** A reader waits for its event this long, then once more, before the event is staged in D1. */
const APPEND_DEADLINE_MS = 2_000;

export function createAuditLogs(env: Env, deadlineMs = APPEND_DEADLINE_MS): AuditLogs {
  return {
    append: async (logId, events, options = {}) => {
      for (let first = 0; first < events.length; first += MAX_APPENDED) {
        const part = events.slice(first, first + MAX_APPENDED);
        try {
          const appended = Promise.resolve(env.AUDIT_LOG.getByName(logId).append(part, options));
          const outcome = await withDeadline(appended, deadlineMs, "the audit log");
          if (outcome === "quota_used") return outcome;
        } catch (error) {
          log(env, "WARNING", "audit events not appended", { object_id: logId, count: part.length, cause: describeCause(error) });
          throw error;
        }
      }
      return "stored";
    },
  };
}

/** The events of each log: an event of another hospital's actor is in two. */
export function groupByLog<E extends Pick<AuditLogEvent, "hospital_id" | "actor_hospital_id">>(
  events: readonly E[],
): Map<string, E[]> {
  const byLog = new Map<string, E[]>();
  for (const event of events) for (const logId of logsOf(event)) byLog.set(logId, [...(byLog.get(logId) ?? []), event]);
  return byLog;
}

/** True when the object refused the content of an event: appending it again cannot succeed. */
export const isContentRefused = (error: unknown): boolean => error instanceof Error && error.name === "RangeError";
