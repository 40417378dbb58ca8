// What lasts: segments of an audit log over a month, hours that leave D1, and the bytes of rows that stay there.
import { v7 } from "uuid";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { firstHourOfDay, HOURS_KEPT_DAYS, toDay } from "../../src/monitoring/packed-hours/months.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { subtractCounts } from "./counts.ts";
import { EVERY_MINUTE, EVERY_QUARTER, measureTraffic, type Run } from "./traffic.ts";
import type { MeteredServer, World } from "./world.ts";

/** Of one hospital of twenty: 6,000 reads, 250 days of devices and 50 uploads per day. */
const EVENTS_PER_HOUR = 264;
const APPENDED = 132;
const MONTH_HOURS = 31 * 24;
const PAGE = 20;

/**
 * Bytes that rows occupy in D1: per upload, by table and index; of staged events after they were handed over; per hour of a patient;
 * per patient's month without its days, and per day in it; per patient of the set-up.
 */
export type RowBytes = {
  upload: Record<string, number>;
  staged: number;
  hour: number;
  monthRow: number;
  packedDay: number;
  perPatient: number;
};

const sumOf = (bytes: Record<string, number>, table: string) =>
  Object.entries(bytes).reduce((sum, [name, n]) => sum + (name.includes(table) ? n : 0), 0);

/** @returns the bytes that `work` adds to each table and index, per unit */
export async function measureGrowth(
  server: MeteredServer,
  units: number,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  await server.runClock(EVERY_MINUTE);
  const before = server.tableBytes();
  await work();
  await server.runClock(EVERY_MINUTE);
  const after = Object.entries(server.tableBytes());
  const grown = after.map(([name, bytes]) => [name, (bytes - (before[name] ?? 0)) / units] as const);
  return Object.fromEntries(grown.filter(([, bytes]) => bytes !== 0));
}

/** As the reads of the reference traffic: a third are lists of a page. */
function createEvent({ patients, hospitalId }: World, n: number, at: number): AuditLogEvent {
  const isList = n % 3 === 0;
  const count = isList ? PAGE : 1;
  const subjects = Array.from({ length: count }, (_, i) => patients[(n * 7 + i) % patients.length] ?? "");
  return {
    id: v7({ msecs: at }),
    recorded: at,
    event: isList ? "patient.list" : "patient.read",
    action: "R",
    outcome: "success",
    reason: null,
    actor: { kind: "user", id: patients[n % PAGE] ?? "", role: "nurse" },
    hospital_id: hospitalId,
    actor_hospital_id: null,
    basis: "care_role",
    purpose: "treatment",
    entity: isList ? null : { type: "patient", id: subjects[0] ?? "" },
    request_id: v7({ msecs: at }),
    ip: "192.0.2.7",
    detail: isList ? { count } : null,
    subjects,
  };
}

async function sumFiles(server: MeteredServer, prefixes: readonly string[]): Promise<number> {
  let total = 0;
  for (const prefix of prefixes) {
    let cursor: string | undefined;
    do {
      const page = await server.env.FILES.list({ prefix, ...(cursor && { cursor }) });
      total += page.objects.reduce((sum, { size }) => sum + size, 0);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
  }
  return total;
}

/** A calendar month of one hospital's log, until its segments are merged. @returns bytes in R2 per event */
export async function measureLogs(run: Run): Promise<number> {
  const { server, world } = run;
  const prefixes = [`audit/${world.hospitalId}/`, `tlog/${world.hospitalId}/`];
  const { now } = await server.counted();
  const date = new Date(now);
  await server.advanceLogs(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) - now + 1);
  const before = await sumFiles(server, prefixes);
  let n = 0;
  for (let hour = 0; hour < MONTH_HOURS; hour++) {
    const clock = await server.counted();
    for (let sent = 0; sent < EVENTS_PER_HOUR; sent += APPENDED) {
      const events = Array.from({ length: APPENDED }, () => createEvent(world, n++, clock.now));
      await server.append(world.hospitalId, events);
    }
    await measureTraffic(run, "log-hour", 1, () => server.advanceLogs(HOUR_MS));
  }
  // Closes and merges the last day and the month, and deletes the files that were replaced.
  await measureTraffic(run, "log-hour", 0, () => server.advanceLogs(3 * DAY_MS));
  return ((await sumFiles(server, prefixes)) - before) / n;
}

type Hours = { first: number | null; n: number };
type Months = { n: number; days: number };

/** Packs the run's hours day by day. @returns bytes of what it packs, and of what then stays */
export async function measurePacking(run: Run): Promise<Omit<RowBytes, "upload">> {
  const { server, world } = run;
  const readHours = () => server.env.DB.prepare("SELECT min(hour) AS first, count(*) AS n FROM vital_hours").first<Hours>();
  const readMonths = () =>
    server.env.DB.prepare("SELECT count(*) AS n, coalesce(sum(length(days)), 0) AS days FROM vital_months").first<Months>();
  const start = server.tableBytes();
  const hours = await readHours();
  if (!hours?.first) throw new Error("no hour of a patient is in D1");
  const packNext = async () => {
    const first = (await readHours())?.first;
    if (!first) throw new Error("no hour is left to pack");
    const { now } = await server.counted();
    const due = firstHourOfDay(toDay(first) + HOURS_KEPT_DAYS + 1) * HOUR_MS + 1;
    await server.advanceLogs(Math.max(2 * HOUR_MS, due - now));
    await server.runClock(EVERY_QUARTER);
  };
  await packNext();
  const one = await readMonths();
  // The second day of a month reads the file of the first.
  await measureTraffic(run, "packed day", world.wearables.length, packNext);
  discountClock(run);
  const two = await readMonths();
  if (!one?.n || two?.n !== one.n || two.days <= one.days) throw new Error("the second day was not packed");
  const end = server.tableBytes();
  const packedDay = (two.days - one.days) / two.n;
  const others = Object.entries(start).filter(([name]) => !/vital_hours|vital_months|audit|reports|uploads/.test(name));
  return {
    staged: sumOf(end, "audit_staged"),
    hour: sumOf(start, "vital_hours") / hours.n,
    monthRow: Math.max(0, sumOf(end, "vital_months") / two.n - two.days / two.n),
    packedDay,
    perPatient: others.reduce((sum, [, bytes]) => sum + bytes, 0) / world.patients.length,
  };
}

/** Leaves the cost of a quarter clock that packs nothing to its own kind. */
function discountClock({ stretches }: Run): void {
  const clock = stretches.get("quarter clock");
  const packed = stretches.get("packed day");
  if (!clock || !packed) throw new Error("the clocks run before the packing");
  const share = Object.fromEntries(Object.entries(clock.counts).map(([name, n]) => [name, n / clock.units]));
  const counts = subtractCounts(packed.counts, { ...clock.counts, ...share });
  stretches.set("packed day", { ...packed, counts, cpuMs: Math.max(0, packed.cpuMs - clock.cpuMs / clock.units) });
}
