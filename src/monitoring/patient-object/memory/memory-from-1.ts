// The upgrades of the memory from formats 1 and 2, whose names were letters or other words.
import { mapValues, renameKeys } from "../../../platform/stored-document.ts";

// Version 1 used one letter per field to keep the row small.
const VITAL_1 = {
  v: "lastValue",
  a: "measuredAt",
  x: "receivedAt",
  s: "side",
  t: "onsetAt",
  l: "lastBeyondAt",
  i: "insideSince",
  q: "resolved",
  r: "ratePoints",
  e: "baseline",
};
const BASELINE_1 = {
  m: "slowMean",
  d: "variance",
  f: "fastMean",
  n: "valueCount",
  b: "startedAt",
  u: "updatedAt",
  p: "driftSince",
  s: "driftSide",
};
const DEVICE_1 = { x: "lastHeardAt", r: "returnedAt", c: "vitalsHeardAt", k: "resolvedConditions" };
const COUNT_1 = { n: "count" };
export const CAME_1 = { n: "count", first: "firstSeq", last: "lastSeq" };

const vitalFrom1 = (vital: unknown) =>
  mapValues(renameKeys(vital, VITAL_1), (item, key) => {
    if (key === "baseline") return renameKeys(item, BASELINE_1);
    return key === "resolved" ? item === 1 : item;
  });
export const alertFrom1 = (alert: unknown) => renameKeys(alert, { n: "number" });
const listOf = (items: unknown, change: (item: unknown) => unknown) => (Array.isArray(items) ? items.map(change) : items);
export const hoursFrom1 = (codes: unknown) => mapValues(codes, (rollup) => renameKeys(rollup, COUNT_1));

function alarmFrom1(alarm: unknown): unknown {
  return mapValues(renameKeys(alarm, { n: "lastAlertNumber" }), (part, key) => {
    if (key === "vitals") return mapValues(part, vitalFrom1);
    if (key === "devices") return mapValues(part, (device) => renameKeys(device, DEVICE_1));
    return key === "alerts" ? listOf(part, alertFrom1) : part;
  });
}

export function memoryFrom1(memory: unknown): unknown {
  return mapValues(memory, (part, key) => {
    if (key === "alarm") return alarmFrom1(part);
    if (key === "hours") return mapValues(part, hoursFrom1);
    if (key === "held") return mapValues(part, (held) => renameKeys(held, COUNT_1));
    return key === "came" ? mapValues(part, (came) => renameKeys(came, CAME_1)) : part;
  });
}

const MEMORY_2 = {
  heard: "deviceStatuses",
  seen: "seenSequences",
  newest: "newestSampleAt",
  told: "lastClosedHour",
  again: "hoursToRecount",
  held: "quarantinedCounts",
  came: "receivedCounts",
};
export const memoryFrom2 = (memory: unknown) => renameKeys(memory, MEMORY_2);
