// Wrappers of an Env's stores that delay, fail or count every call. The stores themselves are real.

/** `AUDIT`: objects of audit logs. `OBJECTS`: all others. `QUEUES`: sends to the queues of messages. */
export type StoreCall = { store: "DB" | "FILES" | "KV" | "OBJECTS" | "AUDIT" | "QUEUES"; op: string; k: number };
type Around = <T>(call: StoreCall, run: () => Promise<T>) => Promise<T>;

const R2_OPS = ["get", "put", "delete", "head", "list"];
const KV_OPS = ["get", "put", "delete", "list", "getWithMetadata"];
const QUEUE_OPS = ["send", "sendBatch"];

/** An Env whose every D1 round trip, R2 and KV operation, object call and send to a queue goes through `around`, numbered from 1. */
export function interceptStores(env: Env, wrap: Around): Env {
  let k = 0;
  const next = (store: StoreCall["store"], op: string): StoreCall => ({ store, op, k: ++k });
  const proxied = <T extends object>(target: T, store: "FILES" | "KV" | "QUEUES", ops: string[]): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        if (typeof name === "string" && ops.includes(name)) {
          return (...args: unknown[]) => wrap(next(store, name), () => value.apply(object, args));
        }
        return value.bind(object);
      },
    });
  return {
    ...env,
    DB: wrapD1(env.DB, (op, run) => wrap(next("DB", op), run)),
    FILES: proxied(env.FILES, "FILES", R2_OPS),
    KV: proxied(env.KV, "KV", KV_OPS),
    ALARM_QUEUE: proxied(env.ALARM_QUEUE, "QUEUES", QUEUE_OPS),
    MESSAGE_QUEUE: proxied(env.MESSAGE_QUEUE, "QUEUES", QUEUE_OPS),
    PATIENT_MONITOR: wrapObjects(env.PATIENT_MONITOR, (op, run) => wrap(next("OBJECTS", `monitor.${op}`), run)),
    WARD_FEED: wrapObjects(env.WARD_FEED, (op, run) => wrap(next("OBJECTS", `feed.${op}`), run)),
    AUDIT_LOG: wrapObjects(env.AUDIT_LOG, (op, run) => wrap(next("AUDIT", `audit.${op}`), run)),
  };
}

/** Supports only lookups of objects by name. */
function wrapObjects<T extends Env["PATIENT_MONITOR"] | Env["WARD_FEED"] | Env["AUDIT_LOG"]>(namespace: T, run: Run): T {
  const watched = <S extends object>(stub: S): S =>
    new Proxy(stub, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => run(String(name), async () => Reflect.apply(value, target, args));
      },
    });
  return new Proxy(namespace, {
    get(target, name) {
      if (name === "getByName") return (id: string) => watched(target.getByName(id));
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

type Run = <T>(op: string, run: () => Promise<T>) => Promise<T>;
const REAL = Symbol("the real statement");

function wrapStatement(statement: D1PreparedStatement, run: Run): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      if (name === REAL) return target;
      if (name === "bind") return (...values: unknown[]) => wrapStatement(target.bind(...values), run);
      if (name === "all" || name === "run" || name === "first" || name === "raw") {
        const method: unknown = Reflect.get(target, name);
        return (...args: unknown[]) => run(name, () => (typeof method === "function" ? method.apply(target, args) : undefined));
      }
      return Reflect.get(target, name);
    },
  });
}

function wrapD1(db: D1Database, run: Run): D1Database {
  return new Proxy(db, {
    get(target, name) {
      // biome-ignore lint/plugin: passes on statements of the code under test.
      if (name === "prepare") return (query: string) => wrapStatement(target.prepare(query), run);
      if (name === "batch") {
        return (statements: D1PreparedStatement[]) =>
          run("batch", () => target.batch(statements.map((s): D1PreparedStatement => Reflect.get(s, REAL) ?? s)));
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Waits 0 to 5 ms before each store call: without it, races do not occur on local workerd. */
export function withRandomDelays(env: Env): Env {
  return interceptStores(env, async (_, run) => {
    await scheduler.wait(Math.random() * 5);
    return run();
  });
}

/** `op`: the call that failed; null until then. */
export type Fault = { fired: boolean; op: string | null };
const OBJECT_ERROR = "internal error; reference = injected fault";
const SAID: Partial<Record<StoreCall["store"], string>> = {
  DB: "D1_ERROR: Network connection lost. (injected fault)",
  OBJECTS: OBJECT_ERROR,
  AUDIT: OBJECT_ERROR,
  QUEUES: "Queue sendBatch failed: Service Unavailable (injected fault)",
};

/**
 * Fails the k-th store call: `before` it happens, or `after` it (committed, response lost).
 * @returns the Env and whether the fault occurred
 */
export function withStoreFault(
  env: Env,
  k: number,
  when: "before" | "after",
  only?: StoreCall["store"],
): { env: Env; fault: Fault } {
  const fault: Fault = { fired: false, op: null };
  let matching = 0;
  const wrapped = interceptStores(env, async (call, run) => {
    if (only && call.store !== only) return run();
    if (++matching !== k) return run();
    Object.assign(fault, { fired: true, op: call.op });
    if (when === "after") await run();
    throw new Error(SAID[call.store] ?? `${call.op}: injected fault`);
  });
  return { env: wrapped, fault };
}

export type AppendFault = {
  /** `slow`: each append takes effect late, and none fails. */
  when: "before" | "after" | "slow";
  /** Appends that fail, the first ones. */
  count: number;
  /** Also each D1 call after these fails, which stages the events. */
  isStagingDown?: boolean;
};
/** Calls so far: appends that failed and that succeeded, and D1 calls that succeeded after these failures, as the staging does. */
export type AppendCalls = { failed: number; stored: number; staged: number };
const SLOW_MS = 100;

/** Fails or delays appends to the audit logs. */
export function withAppendFault(env: Env, { when, count, isStagingDown }: AppendFault): { env: Env; calls: AppendCalls } {
  const calls: AppendCalls = { failed: 0, stored: 0, staged: 0 };
  const wrapped = interceptStores(env, async ({ store, op }, run) => {
    if (op === "audit.append") {
      if (when === "slow") await scheduler.wait(SLOW_MS);
      else if (calls.failed < count) {
        calls.failed += 1;
        if (when === "after") await run();
        throw new Error(OBJECT_ERROR);
      }
      const result = await run();
      calls.stored += 1;
      return result;
    }
    if (store !== "DB" || calls.failed < count || count === 0) return run();
    if (isStagingDown) throw new Error(SAID.DB);
    const result = await run();
    calls.staged += 1;
    return result;
  });
  return { env: wrapped, calls };
}

export type Counts = {
  d1: number;
  rowsRead: number;
  rowsWritten: number;
  r2: string[];
  kv: string[];
  objects: string[];
  queues: string[];
};

/** Counts D1 round trips, rows read and written, R2 and KV operations, and object calls. */
export function withCounters(env: Env): { env: Env; counts: Counts } {
  const counts: Counts = { d1: 0, rowsRead: 0, rowsWritten: 0, r2: [], kv: [], objects: [], queues: [] };
  const lists = { FILES: counts.r2, KV: counts.kv, OBJECTS: counts.objects, AUDIT: counts.objects, QUEUES: counts.queues };
  const add = (result: unknown): void => {
    for (const one of Array.isArray(result) ? result : [result]) {
      const meta = (one as { meta?: { rows_read?: number; rows_written?: number } } | null)?.meta;
      counts.rowsRead += meta?.rows_read ?? 0;
      counts.rowsWritten += meta?.rows_written ?? 0;
    }
  };
  const wrapped = interceptStores(env, async (call, run) => {
    if (call.store === "DB") counts.d1++;
    else lists[call.store].push(call.op);
    const result = await run();
    if (call.store === "DB") add(result);
    return result;
  });
  return { env: wrapped, counts };
}
