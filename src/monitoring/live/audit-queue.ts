// Audit events of a feed that wait for their logs. Sockets and frames never wait: events are stored in the object with what they
// record, and delivered behind it.
import { type AuditLogEvent, logsOf } from "../../audit-log/contract.ts";
import { withDeadline } from "../../platform/deadline.ts";
import type { ErrorReport } from "../../platform/object-log.ts";
import type { FeedStorage } from "./feed-storage.ts";

/** Ten hours of a hospital with 2,000 screens, whose log is unavailable. */
export const MAX_QUEUED_EVENTS = 20_000;
/** Events of one call: of 1,000 patients each 2 MB. */
const BATCH_SIZE = 50;
/** Screens that open together share a call. */
const DELAY_MS = 500;
/** The feed's alarm delivers what a restart or a failure has left. */
const BACKUP_MS = 5_000;
const MAX_RETRY_MS = 60_000;
const DEADLINE_MS = 10_000;

type Failure = { attempts: number; retryAt: number };

export class AuditQueue {
  readonly #env: Env;
  readonly #storage: FeedStorage;
  readonly #report: ErrorReport;
  /** Called when a delivery has ended; the next one may be due then. */
  readonly #onDelivered: () => void;
  /** By log. In memory only: after a restart the first attempt is immediate. */
  readonly #failures = new Map<string, Failure>();
  #size: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #addedAt = 0;
  /** While a delivery runs: when its current call has ended, at the latest; else null. */
  #busyUntil: number | null = null;

  constructor(env: Env, storage: FeedStorage, report: ErrorReport, onDelivered: () => void) {
    this.#env = env;
    this.#storage = storage;
    this.#report = report;
    this.#onDelivered = onDelivered;
  }

  /** Stores events for each of their logs and delivers them soon. @returns false, with nothing stored, when the queue is full */
  add(events: readonly AuditLogEvent[]): boolean {
    const entries = events.flatMap((event) => logsOf(event).map((log) => ({ log, event })));
    const size = this.#countStored();
    if (size + entries.length > MAX_QUEUED_EVENTS) return false;
    this.#storage.enqueue(entries);
    this.#size = size + entries.length;
    this.#addedAt = Date.now();
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.deliver();
    }, DELAY_MS);
    return true;
  }

  #countStored(): number {
    this.#size ??= this.#storage.countQueued();
    return this.#size;
  }

  /** When the feed's alarm should deliver, epoch milliseconds; null when nothing waits. */
  nextDue(): number | null {
    if (this.#busyUntil !== null) return this.#busyUntil;
    if (this.#countStored() === 0) return null;
    const retries = [...this.#failures.values()].map(({ retryAt }) => retryAt);
    return Math.max(this.#addedAt + BACKUP_MS, retries.length > 0 ? Math.min(...retries) : 0);
  }

  /** Delivers to every log that is due. Failures are reported and retried; repeats change nothing, as a log knows its events. */
  async deliver(): Promise<void> {
    if (this.#busyUntil !== null || this.#countStored() === 0) return;
    const now = Date.now();
    const due = this.#storage.listQueuedLogs().filter((log) => (this.#failures.get(log)?.retryAt ?? 0) <= now);
    this.#markBusy();
    await Promise.all(due.map((log) => this.#deliverTo(log)));
    this.#busyUntil = null;
    this.#size = null;
    this.#onDelivered();
  }

  #markBusy(): void {
    this.#busyUntil = Date.now() + DEADLINE_MS + BACKUP_MS;
  }

  async #deliverTo(log: string): Promise<void> {
    try {
      for (let rows = this.#storage.readQueue(log, BATCH_SIZE); rows.length > 0; ) {
        this.#markBusy();
        const events = rows.map(({ event }) => event);
        const call = async () => this.#env.AUDIT_LOG.getByName(log).append(events);
        await withDeadline(call(), DEADLINE_MS, "the audit log");
        this.#storage.removeQueued(rows.map(({ n }) => n));
        rows = this.#storage.readQueue(log, BATCH_SIZE);
      }
      this.#failures.delete(log);
    } catch (error) {
      const attempts = (this.#failures.get(log)?.attempts ?? 0) + 1;
      this.#failures.set(log, { attempts, retryAt: Date.now() + Math.min(1_000 * 2 ** Math.min(attempts, 16), MAX_RETRY_MS) });
      this.#report("audit", error, { count: attempts });
    }
  }
}
