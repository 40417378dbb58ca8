// The metered product: stores, objects, alarms and log count their operations, and the benchmark controls the clock.
// Meters patch the prototypes of the platform's own classes, so that the product's code runs unchanged.
import { AsyncLocalStorage } from "node:async_hooks";
import { AuditLog as Log } from "../../src/audit-log/audit-log.ts";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import worker from "../../src/index.ts";
import { WardFeed as Feed } from "../../src/monitoring/live/ward-feed.ts";
import { PatientMonitor as Monitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { type CountName, ZERO_COUNTS } from "./counts.ts";

type AnyFunction = (...args: unknown[]) => unknown;
type BindingName = "PATIENT_MONITOR" | "WARD_FEED" | "AUDIT_LOG";
/** One object: what keeps it awake, and when its alarm is due. */
type Meter = { binding: BindingName; id: DurableObjectId; awakeReasons: number; since: number; alarmAt: number | null };

const counts = { ...ZERO_COUNTS };
/** Which alarms run as the clock passes them: all of them, or only those of one class. */
type Alarms = "all" | BindingName;
const meters = new Map<string, Meter>();
const meterOfStorage = new WeakMap<object, Meter>();
const currentMeter = new AsyncLocalStorage<Meter>();

const realNow = Date.now.bind(Date);
let clockOffset = 0;
Date.now = () => realNow() + clockOffset;

const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;
const timers = new Map<unknown, Meter>();

function markAwake(meter: Meter): void {
  if (meter.awakeReasons++ === 0) meter.since = realNow();
}

function markIdle(meter: Meter): void {
  if (--meter.awakeReasons === 0) counts.objectAwakeMs += realNow() - meter.since;
}

/** Charges the time that awake objects have not been charged for yet. */
function chargeAwakeTime(): void {
  for (const meter of meters.values()) {
    if (meter.awakeReasons === 0) continue;
    counts.objectAwakeMs += realNow() - meter.since;
    meter.since = realNow();
  }
}

function runAwake<T>(meter: Meter | undefined, work: () => T): T {
  if (!meter) return work();
  markAwake(meter);
  let result: T;
  try {
    result = currentMeter.run(meter, work);
  } catch (error) {
    markIdle(meter);
    throw error;
  }
  // A promise, or the thenable that an RPC call returns.
  if (result && typeof Reflect.get(Object(result), "then") === "function") {
    const done = () => markIdle(meter);
    Promise.resolve(result).then(done, done);
  } else markIdle(meter);
  return result;
}

function setTimer(work: AnyFunction, ms?: number, ...args: unknown[]): unknown {
  const meter = currentMeter.getStore();
  if (!meter) return realSetTimeout(work, ms, ...args);
  markAwake(meter);
  const timer = realSetTimeout(() => {
    if (timers.delete(timer)) markIdle(meter);
    runAwake(meter, () => work(...args));
  }, ms);
  timers.set(timer, meter);
  return timer;
}

function clearTimer(timer: unknown): void {
  const meter = timers.get(timer);
  if (meter && timers.delete(timer)) markIdle(meter);
  Reflect.apply(realClearTimeout, globalThis, [timer]);
}
Object.assign(globalThis, { setTimeout: setTimer, clearTimeout: clearTimer });

console.log = () => {
  counts.logLines++;
};

/** @throws Error when the platform no longer has this method: nothing would be counted */
function wrapMethod(
  target: object,
  name: string,
  wrapper: (original: AnyFunction, self: object, args: unknown[]) => unknown,
): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new Error(`the platform has no method ${name}`);
  Object.defineProperty(target, name, {
    configurable: true,
    writable: true,
    value(this: object, ...args: unknown[]) {
      return wrapper((...given) => Reflect.apply(original, this, given), this, args);
    },
  });
}

function countCalls(prototype: object, methods: Record<string, CountName>): void {
  for (const [method, count] of Object.entries(methods)) {
    wrapMethod(prototype, method, (original, _, args) => {
      counts[count]++;
      return original(...args);
    });
  }
}

type Meta = { rows_read?: number; rows_written?: number; size_after?: number };

/** Every statement and batch uses this one method; its result has row counts even where D1's public API omits them. */
function meterD1(db: D1Database): void {
  const session: object = Reflect.get(db.prepare("SELECT 1"), "dbSession");
  wrapMethod(Object.getPrototypeOf(session), "_sendOrThrow", async (original, _, args) => {
    counts.d1Trips++;
    const answer: unknown = await original(...args);
    for (const one of Array.isArray(answer) ? answer : [answer]) {
      const meta: Meta = Reflect.get(Object(one), "meta") ?? {};
      counts.d1Read += meta.rows_read ?? 0;
      counts.d1Written += meta.rows_written ?? 0;
      counts.d1Bytes = meta.size_after ?? counts.d1Bytes;
    }
    return answer;
  });
}

/** A stub whose calls are counted, and keep the calling object awake until they settle. */
function countedStub(stub: object): object {
  return new Proxy(stub, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        counts.objectCalls++;
        return runAwake(currentMeter.getStore(), () => Reflect.apply(method, target, args));
      };
    },
  });
}

type UncountedStub = { [method in "ring" | "sizes" | "idle"]: () => Promise<Sizes | undefined> } & Pick<Monitor, "record"> & {
    append(events: AuditLogEvent[]): Promise<void>;
  };
let getUncountedStub: (meter: Meter) => UncountedStub = () => {
  throw new Error("no request yet");
};

let cachedEnv: Env | null = null;

/** The bindings with meters, and production's log level. */
function meterAll(env: Env): Env {
  if (cachedEnv) return cachedEnv;
  meterD1(env.DB);
  countCalls(Object.getPrototypeOf(env.KV), {
    get: "kvRead",
    getWithMetadata: "kvRead",
    put: "kvWritten",
    delete: "kvDeleted",
    list: "kvListed",
  });
  countCalls(Object.getPrototypeOf(env.RATE_MACHINE), { limit: "limitCalls" });
  countCalls(Object.getPrototypeOf(caches.default), { match: "cacheCalls", put: "cacheCalls", delete: "cacheCalls" });
  countCalls(Object.getPrototypeOf(env.FILES), {
    get: "r2B",
    head: "r2B",
    put: "r2A",
    list: "r2A",
    createMultipartUpload: "r2A",
  });
  const namespaces = Object.getPrototypeOf(env.PATIENT_MONITOR);
  const get: unknown = Reflect.get(namespaces, "get");
  if (typeof get === "function") getUncountedStub = ({ binding, id }) => Reflect.apply(get, env[binding], [id]);
  for (const method of ["get", "getByName"])
    wrapMethod(namespaces, method, (original, _, args) => countedStub(Object(original(...args))));
  cachedEnv = { ...env, LOG_LEVEL: "INFO" };
  return cachedEnv;
}

let storesMetered = false;

function meterStorage({ sql }: DurableObjectStorage, storage: object): void {
  if (storesMetered) return;
  storesMetered = true;
  wrapMethod(Object.getPrototypeOf(sql), "exec", (original, _, args) => {
    const cursor = original(...args);
    // The body is read completely before any other code runs.
    queueMicrotask(() => {
      counts.objectRead += Reflect.get(Object(cursor), "rowsRead");
      counts.objectWritten += Reflect.get(Object(cursor), "rowsWritten");
    });
    return cursor;
  });
  const prototype = Object.getPrototypeOf(storage);
  wrapMethod(prototype, "setAlarm", async (_, self, [time]) => {
    counts.objectWritten++;
    const meter = meterOfStorage.get(self);
    if (meter) meter.alarmAt = Number(time);
  });
  wrapMethod(prototype, "getAlarm", async (_, self) => meterOfStorage.get(self)?.alarmAt ?? null);
  wrapMethod(prototype, "deleteAlarm", async (_, self) => {
    const meter = meterOfStorage.get(self);
    if (meter) meter.alarmAt = null;
  });
}

function registerObject({ id, storage }: DurableObjectState, binding: BindingName): void {
  meterStorage(storage, storage);
  const meter = meters.get(id.toString()) ?? { binding, id, awakeReasons: 0, since: 0, alarmAt: null };
  meters.set(id.toString(), meter);
  meterOfStorage.set(storage, meter);
}

/** Meters every method and handler of a Durable Object class. */
function meterMethods(prototype: object, base: object): void {
  for (const name of Object.getOwnPropertyNames(base)) {
    const method: unknown = Object.getOwnPropertyDescriptor(base, name)?.value;
    if (name === "constructor" || typeof method !== "function") continue;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: object, ...args: unknown[]) {
        if (name === "webSocketMessage") counts.socketMessages++;
        const { storage }: DurableObjectState = Reflect.get(this, "ctx");
        return runAwake(meterOfStorage.get(storage), () => Reflect.apply(method, this, args));
      },
    });
  }
}

/** Bytes of the object's database, and of the packed samples in it. */
export type Sizes = { database: number; samples: number };

export class PatientMonitor extends Monitor {
  constructor(ctx: DurableObjectState, env: Env) {
    registerObject(ctx, "PATIENT_MONITOR");
    super(ctx, meterAll(env));
  }
  ring(): Promise<void> {
    return this.alarm();
  }
  idle(): void {}
  sizes(): Sizes {
    const { sql } = this.ctx.storage;
    const query = "SELECT sum(length(data)) AS n FROM (SELECT data FROM open UNION ALL SELECT data FROM blocks)";
    return { database: sql.databaseSize, samples: sql.exec<{ n: number | null }>(query).one().n ?? 0 };
  }
}
meterMethods(PatientMonitor.prototype, Monitor.prototype);

export class WardFeed extends Feed {
  constructor(ctx: DurableObjectState, env: Env) {
    registerObject(ctx, "WARD_FEED");
    super(ctx, meterAll(env));
  }
  ring(): Promise<void> {
    return this.alarm();
  }
}
meterMethods(WardFeed.prototype, Feed.prototype);

export class AuditLog extends Log {
  constructor(ctx: DurableObjectState, env: Env) {
    registerObject(ctx, "AUDIT_LOG");
    super(ctx, meterAll(env));
  }
  ring(): Promise<void> {
    return this.alarm();
  }
}
meterMethods(AuditLog.prototype, Log.prototype);

/** Undoes what the work adds to the counts. */
async function runUncounted(work: () => Promise<unknown>): Promise<void> {
  chargeAwakeTime();
  const before = { ...counts };
  await work();
  chargeAwakeTime();
  Object.assign(counts, before);
}

/**
 * Advances the clock and runs each alarm on the way at its time. Those of audit logs are counted only when they run alone: their
 * number depends on the hospital, not on the patients of the run.
 */
async function advance(ms: number, alarms: Alarms): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    const due = [...meters.values()].filter(
      ({ alarmAt, binding }) =>
        alarmAt !== null && alarmAt <= Math.max(end, Date.now()) && (alarms === "all" || alarms === binding),
    );
    const [next] = due.sort((a, b) => Number(a.alarmAt) - Number(b.alarmAt));
    if (!next) break;
    clockOffset += Math.max(0, Number(next.alarmAt) - Date.now());
    next.alarmAt = null;
    const ring = async () => {
      counts.alarms++;
      await getUncountedStub(next).ring();
    };
    if (alarms === "all" && next.binding === "AUDIT_LOG") await runUncounted(ring);
    else await ring();
  }
  clockOffset += Math.max(0, end - Date.now());
}

async function runClock(env: Env, ctx: ExecutionContext, cron: string): Promise<void> {
  counts.requests++;
  const pending: Promise<unknown>[] = [];
  const collecting = new Proxy(ctx, {
    get: (target, name) =>
      name === "waitUntil" ? (work: Promise<unknown>) => void pending.push(work) : Reflect.get(target, name),
  });
  worker.scheduled({ cron, scheduledTime: Date.now(), noRetry: () => undefined }, env, collecting);
  await Promise.all(pending);
}

/** The cost of the local platform itself: this many calls of each store. */
async function callStores(env: Env, query: URLSearchParams): Promise<void> {
  const [object] = [...meters.values()].filter(({ binding }) => binding === "PATIENT_MONITOR");
  for (let i = Number(query.get("object")); object && i > 0; i--) await getUncountedStub(object).idle();
  for (let i = Number(query.get("limit")); i > 0; i--) await env.RATE_MACHINE.limit({ key: "none" });
  for (let i = Number(query.get("kv")); i > 0; i--) await env.KV.get("none");
  for (let i = Number(query.get("cache")); i > 0; i--) await caches.default.match("https://none.invalid/");
  for (let i = Number(query.get("d1")); i > 0; i--) await env.DB.prepare("SELECT 1").all();
}

type DirectRecord = { patient: string; credential: string; sentAt: number; items: unknown[]; sendRequest: boolean };

/** A sync as the object receives it, without the Worker; or only the parsing of its body. */
async function recordDirectly(env: Env, request: Request): Promise<void> {
  const { patient, credential, sentAt, items, sendRequest }: DirectRecord = await request.json();
  const meter = meters.get(env.PATIENT_MONITOR.idFromName(patient).toString());
  if (!sendRequest || !meter) return;
  const batch = { items, sent_at: sentAt, conditions: null };
  const answer = await getUncountedStub(meter).record({ kind: "device", credential }, batch);
  if (!answer.known) throw new Error("the object has no such device");
}

/** Appends events as reads do, without counting it: the calls are counted with the reads. */
async function appendDirectly(env: Env, request: Request): Promise<void> {
  const { log, events }: { log: string; events: AuditLogEvent[] } = await request.json();
  await runUncounted(async () => {
    const stub = env.AUDIT_LOG.get(env.AUDIT_LOG.idFromName(log));
    for (const event of events) await stub.append([{ ...event, recorded: Date.now() }]);
  });
}

/** Bytes of the files whose keys begin so; not counted. */
async function sumFiles({ FILES }: Env, prefix: string): Promise<number> {
  let total = 0;
  await runUncounted(async () => {
    let cursor: string | undefined;
    do {
      const page = await FILES.list({ prefix, ...(cursor && { cursor }) });
      total += page.objects.reduce((sum, { size }) => sum + size, 0);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
  });
  return total;
}

async function handleControl(request: Request, url: URL, env: Env, ctx: ExecutionContext): Promise<Response> {
  if (url.pathname === "/bench/advance") {
    const alarms = url.searchParams.get("alarms");
    await advance(Number(url.searchParams.get("ms")), alarms === "AUDIT_LOG" ? alarms : "all");
  }
  if (url.pathname === "/bench/append") await appendDirectly(env, request);
  if (url.pathname === "/bench/clock") await runClock(env, ctx, url.searchParams.get("cron") ?? "");
  if (url.pathname === "/bench/record") await recordDirectly(env, request);
  if (url.pathname === "/bench/stores") await callStores(env, url.searchParams);
  if (url.pathname === "/bench/files") return Response.json(await sumFiles(env, url.searchParams.get("prefix") ?? ""));
  if (url.pathname === "/bench/sizes") {
    const monitors = [...meters.values()].filter(({ binding }) => binding === "PATIENT_MONITOR");
    return Response.json(await Promise.all(monitors.map((meter) => getUncountedStub(meter).sizes())));
  }
  chargeAwakeTime();
  return Response.json({ counts, now: Date.now() });
}

export default {
  fetch(request, env, ctx) {
    const meteredEnv = meterAll(env);
    const url = new URL(request.url);
    if (url.pathname.startsWith("/bench/")) return handleControl(request, url, meteredEnv, ctx);
    counts.requests++;
    return worker.fetch(request, meteredEnv, ctx);
  },
} satisfies ExportedHandler<Env>;
