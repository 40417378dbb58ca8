// What is saved of a memory document that cannot be read: every part that still parses.
import type { z } from "zod";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import { emptyAlarmMemory } from "../../alarm-rules/alarm-memory.ts";
import { MEMORY_PARTS, memoryDocument } from "./documents.ts";
import { type MonitorMemory, newMonitorMemory } from "./monitor-memory.ts";

/**
 * No alarm goes silently. Alerts, vitals, devices and open hours that parse are kept one by one. A vital that is lost is judged
 * anew from its next sample, so a condition that goes on raises a new alert. An open alert that is lost stays open in D1's list,
 * where staff see it, and the damaged text is kept for a person to look at (Store). Numbers continue far above those in use,
 * because D1 ignores what is not newer than its own.
 * @param now epoch milliseconds
 */
export function saveMemoryParts(text: string, now: number): MonitorMemory {
  const stored = recordOf(contentOf(text));
  const fresh = newMonitorMemory(now);
  const alarm = recordOf(stored["alarm"]);
  return {
    version: parsed(MEMORY_PARTS.version, stored["version"], now),
    alarm: {
      lastAlertNumber: parsed(MEMORY_PARTS.alarm.shape.lastAlertNumber, alarm["lastAlertNumber"], now),
      now: parsed(MEMORY_PARTS.alarm.shape.now, alarm["now"], 0),
      ward: parsed(MEMORY_PARTS.alarm.shape.ward, alarm["ward"], null),
      vitals: entries(MEMORY_PARTS.vital, alarm["vitals"]),
      devices: entries(MEMORY_PARTS.device, alarm["devices"]),
      news2: parsed(MEMORY_PARTS.alarm.shape.news2, alarm["news2"], emptyAlarmMemory().news2),
      alerts: items(MEMORY_PARTS.alert, alarm["alerts"]),
    },
    latest: entries(MEMORY_PARTS.latest, stored["latest"]),
    heard: entries(MEMORY_PARTS.heard, stored["heard"]),
    seen: entries(MEMORY_PARTS.seen, stored["seen"]),
    newest: entries(MEMORY_PARTS.newest, stored["newest"]),
    hours: entries(MEMORY_PARTS.hours, stored["hours"]),
    told: parsed(MEMORY_PARTS.told, stored["told"], fresh.told),
    again: parsed(MEMORY_PARTS.again, stored["again"], fresh.again),
    held: entries(MEMORY_PARTS.held, stored["held"]),
    came: entries(MEMORY_PARTS.came, stored["came"]),
  };
}

function contentOf(text: string): unknown {
  try {
    return memoryDocument.unchecked(text);
  } catch (error) {
    if (error instanceof StoredDocumentError) return null;
    throw error;
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, otherwise: T): T {
  const found = schema.safeParse(value);
  return found.success ? found.data : otherwise;
}

function items<T>(schema: z.ZodType<T>, list: unknown): T[] {
  return (Array.isArray(list) ? list : []).flatMap((item) => {
    const found = schema.safeParse(item);
    return found.success ? [found.data] : [];
  });
}

function entries<T>(schema: z.ZodType<T>, value: unknown): Record<string, T> {
  const found = Object.entries(recordOf(value)).flatMap(([key, item]) => items(schema, [item]).map((one) => [key, one] as const));
  return Object.fromEntries(found);
}
