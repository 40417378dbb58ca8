// Recovery of a damaged memory document: keeps every part that still parses.
import type { z } from "zod";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import { emptyAlarmMemory } from "../../alarm-rules/alarm-memory.ts";
import { NO_ROUNDS } from "../../vitals/rounds.ts";
import { MEMORY_PARTS, memoryDocument } from "./documents.ts";
import { type MonitorMemory, newMonitorMemory } from "./monitor-memory.ts";

/**
 * Keeps each alert, vital, device and open hour that parses. A lost vital is evaluated again from its next sample, so a condition
 * that lasts raises a new alert. A lost open alert stays open in D1, and Store keeps the damaged text for inspection. `version` and
 * `lastAlertNumber` continue from `now`, because D1 ignores a version that is not newer than its own.
 * @param now epoch milliseconds
 */
export function recoverMemory(text: string, now: number): MonitorMemory {
  const stored = toRecord(readContent(text));
  const fresh = newMonitorMemory(now);
  const alarm = toRecord(stored["alarm"]);
  return {
    version: parseOr(MEMORY_PARTS.version, stored["version"], now),
    alarm: {
      lastAlertNumber: parseOr(MEMORY_PARTS.alarm.shape.lastAlertNumber, alarm["lastAlertNumber"], now),
      now: parseOr(MEMORY_PARTS.alarm.shape.now, alarm["now"], 0),
      ward: parseOr(MEMORY_PARTS.alarm.shape.ward, alarm["ward"], null),
      vitals: parseEntries(MEMORY_PARTS.vital, alarm["vitals"]),
      devices: parseEntries(MEMORY_PARTS.device, alarm["devices"]),
      // Memories written before these fields existed lack them.
      ...("channels" in alarm && { channels: parseEntries(MEMORY_PARTS.channel, alarm["channels"]) }),
      ...("zeros" in alarm && { zeros: parseEntries(MEMORY_PARTS.zero, alarm["zeros"]) }),
      news2: parseOr(MEMORY_PARTS.alarm.shape.news2, alarm["news2"], emptyAlarmMemory().news2),
      ...("rounds" in alarm && { rounds: parseOr(MEMORY_PARTS.rounds, alarm["rounds"], NO_ROUNDS) }),
      alerts: parseItems(MEMORY_PARTS.alert, alarm["alerts"]),
    },
    latest: parseEntries(MEMORY_PARTS.latest, stored["latest"]),
    latestInvalid: parseEntries(MEMORY_PARTS.latest, stored["latestInvalid"]),
    deviceStatuses: parseEntries(MEMORY_PARTS.deviceStatuses, stored["deviceStatuses"]),
    seenSequences: parseEntries(MEMORY_PARTS.seenSequences, stored["seenSequences"]),
    newestSampleAt: parseNested(MEMORY_PARTS.newestSampleAt, stored["newestSampleAt"]),
    hours: parseEntries(MEMORY_PARTS.hours, stored["hours"]),
    lastClosedHour: parseOr(MEMORY_PARTS.lastClosedHour, stored["lastClosedHour"], fresh.lastClosedHour),
    hoursToRecount: parseOr(MEMORY_PARTS.hoursToRecount, stored["hoursToRecount"], fresh.hoursToRecount),
    quarantinedCounts: parseEntries(MEMORY_PARTS.quarantinedCounts, stored["quarantinedCounts"]),
    receivedCounts: parseNested(MEMORY_PARTS.receivedCounts, stored["receivedCounts"]),
    storedCounts: parseEntries(MEMORY_PARTS.storedCounts, stored["storedCounts"]),
    hourCounts: parseOr(MEMORY_PARTS.hourCounts, stored["hourCounts"], fresh.hourCounts),
    lateBlocks: parseEntries(MEMORY_PARTS.lateBlocks, stored["lateBlocks"]),
  };
}

function readContent(text: string): unknown {
  try {
    return memoryDocument.unchecked(text);
  } catch (error) {
    if (error instanceof StoredDocumentError) return null;
    throw error;
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function parseOr<T>(schema: z.ZodType<T>, value: unknown, fallback: T): T {
  const found = schema.safeParse(value);
  return found.success ? found.data : fallback;
}

function parseItems<T>(schema: z.ZodType<T>, list: unknown): T[] {
  return (Array.isArray(list) ? list : []).flatMap((item) => {
    const found = schema.safeParse(item);
    return found.success ? [found.data] : [];
  });
}

function parseEntries<T>(schema: z.ZodType<T>, value: unknown): Record<string, T> {
  const found = Object.entries(toRecord(value)).flatMap(([key, item]) =>
    parseItems(schema, [item]).map((one) => [key, one] as const),
  );
  return Object.fromEntries(found);
}

function parseNested<T>(schema: z.ZodType<T>, value: unknown): Record<string, Record<string, T>> {
  return Object.fromEntries(Object.entries(toRecord(value)).map(([key, entries]) => [key, parseEntries(schema, entries)]));
}
