// What lasts: segments of an audit log over a month, hours that leave D1, and the bytes of rows that stay there.
import { sql } from "drizzle-orm";
import { v7 } from "uuid";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { firstHourOf, firstHourOfDay, firstKeptHour, toDay, toMonth } from "../../src/monitoring/packed-hours/months.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { scaleCounts, subtractCounts } from "./counts.ts";
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

/** A calendar month of one hospital's log, until its segments are merged. @returns bytes in R2 per event */
export async function measureLogs(run: Run): Promise<number> {
  const { server, world } = run;
  const sumFiles = async () => {
    const sizes = await Promise.all(["audit", "tlog"].map((kind) => server.fileBytes(`${kind}/${world.hospitalId}/`)));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  };
  const { now } = await server.counted();
  const date = new Date(now);
  await server.advanceLogs(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) - now + 1);
  const before = await sumFiles();
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
  return ((await sumFiles()) - before) / n;
}

/** Whole days that are packed one after another, in one month; the last ones are measured. */
const PACKED_DAYS = 28;
const RUNS_PER_DAY = 2;
const HOURS_PER_DAY = 24;
type Months = { n: number; days: number };

/**
 * Packs copies of the run's hours day by day over a month that is due. @returns bytes of hours, of what stays of them, and of the set-up
 */
export async function measurePacking(run: Run): Promise<Omit<RowBytes, "upload">> {
  const { server, world } = run;
  const start = server.tableBytes();
  const hours = await server.env.DB.prepare("SELECT count(*) AS n FROM vital_hours").first<number>("n");
  if (!hours) throw new Error("no hour of a patient is in D1");
  const firstHour = firstHourOf(toMonth(firstKeptHour((await server.counted()).now)) - 1);
  const packDay = async (day: number) => {
    await insertDay(server, firstHour + day * HOURS_PER_DAY);
    // The first run deletes the file that the day before replaced, which is due after an hour; the second packs.
    await server.advanceLogs(2 * HOUR_MS);
    for (let i = 0; i < RUNS_PER_DAY; i++) await server.runClock(EVERY_QUARTER);
  };
  await packDay(0);
  const units = world.wearables.length;
  for (let day = 1; day < PACKED_DAYS; day++) await measureTraffic(run, "packed day", units, () => packDay(day));
  discountClock(run);
  const packed = await server.env.DB.prepare(
    "SELECT count(*) AS n, coalesce(sum(length(days)), 0) AS days FROM vital_months WHERE file_key IS NOT NULL",
  ).first<Months>();
  if (packed?.n !== units) throw new Error(`of ${units} months, ${packed?.n} were packed`);
  const end = server.tableBytes();
  const others = Object.entries(start).filter(([name]) => !/vital_hours|vital_months|audit|reports|uploads/.test(name));
  return {
    staged: sumOf(end, "audit_staged"),
    hour: sumOf(start, "vital_hours") / hours,
    monthRow: Math.max(0, (sumOf(end, "vital_months") - packed.days) / packed.n),
    packedDay: packed.days / packed.n / PACKED_DAYS,
    perPatient: others.reduce((sum, [, bytes]) => sum + bytes, 0) / world.patients.length,
  };
}

/** Gives each wearable's patient the hours of the run's last whole day once more, from `firstHour` on. */
async function insertDay({ env }: MeteredServer, firstHour: number): Promise<void> {
  const newest = await env.DB.prepare("SELECT max(hour) AS hour FROM vital_hours").first<number>("hour");
  const from = firstHourOfDay(toDay(newest ?? 0) - 1);
  await getDb(env.DB).run(sql`INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
    SELECT hospital_id, hour + CAST(${firstHour - from} AS INTEGER), patient_id, stats, version FROM vital_hours
    WHERE hour >= ${from} AND hour < ${from + HOURS_PER_DAY}`);
}

/** Leaves the cost of a quarter clock that packs nothing to its own kind. */
function discountClock({ stretches }: Run): void {
  const clock = stretches.get("quarter clock");
  const packed = stretches.get("packed day");
  if (!clock || !packed) throw new Error("the clocks run before the packing");
  const runs = RUNS_PER_DAY * (PACKED_DAYS - 1);
  const counts = subtractCounts(packed.counts, scaleCounts(clock.counts, runs / clock.units));
  stretches.set("packed day", { ...packed, counts, cpuMs: Math.max(0, packed.cpuMs - (runs * clock.cpuMs) / clock.units) });
}
