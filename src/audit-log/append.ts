// Appends events to a log: bounds, leaf hash and chain, and one row per event.
import { toBase64Url } from "../platform/base64.ts";
import { type AuditLogEvent, type LogEntry, MAX_APPENDED, MAX_SUBJECTS } from "./contract.ts";
import { chainMac, type EntryKeys } from "./entry-chain.ts";
import { isUuidv7 } from "./known-ids.ts";
import { leafHash } from "./tree/leaf.ts";

/** JSON of an event in UTF-16 units: subjects and an ample detail. A row holds at most 2 MB. */
export const MAX_EVENT_LENGTH = 131_072;
/** Entries that wait for R2. Beyond it the log takes no more, and events wait in D1. */
export const MAX_OPEN_ENTRIES = 250_000;

/** Where the next entry goes, and what the last one was. */
export type Tail = { nextSeq: number; logged: number; mac: string };

/** The entry as it is stored. */
export type NewEntry = {
  seq: number;
  id: string;
  logged: number;
  event: string;
  seed: Uint8Array;
  leafHash: Uint8Array;
  mac: string;
};

/** @throws RangeError for events that no log takes, whenever they come */
export function checkEvents(events: readonly AuditLogEvent[]): void {
  if (events.length > MAX_APPENDED) throw new RangeError(`an append takes at most ${MAX_APPENDED} events`);
  for (const { id, subjects } of events) {
    if (!isUuidv7(id)) throw new RangeError("the id of an event must be a UUIDv7 in lower case");
    if (subjects.length > MAX_SUBJECTS) throw new RangeError(`an event names at most ${MAX_SUBJECTS} patients`);
    if (new Set(subjects).size < subjects.length) throw new RangeError("an event names each patient once");
  }
}

/**
 * Gives each event its place, time, salt, leaf hash and MAC. Stores nothing.
 * @param now epoch milliseconds  @throws RangeError for an event that is too long or has no canonical form
 */
export function prepareEntries(tail: Tail, keys: EntryKeys, events: readonly AuditLogEvent[], now: number): NewEntry[] {
  const logged = Math.max(now, tail.logged);
  let previous = tail.mac;
  return events.map((event, i) => {
    const text = JSON.stringify(event);
    if (text.length > MAX_EVENT_LENGTH) throw new RangeError(`an event has at most ${MAX_EVENT_LENGTH} characters`);
    const seed = crypto.getRandomValues(new Uint8Array(16));
    const seq = tail.nextSeq + i;
    // As it will be read back: JSON omits what is undefined.
    const hash = hashOf({ ...(JSON.parse(text) as AuditLogEvent), seq, logged, seed: toBase64Url(seed) });
    previous = chainMac(keys, previous, { seq, leafHash: hash });
    return { seq, id: event.id, logged, event: text, seed, leafHash: hash, mac: previous };
  });
}

function hashOf(entry: LogEntry): Uint8Array {
  try {
    return leafHash(entry);
  } catch (error) {
    // Callers know content that is refused for good by this class.
    throw error instanceof TypeError ? new RangeError("an event has a value without a canonical form", { cause: error }) : error;
  }
}

export function insertEntries(sql: SqlStorage, entries: readonly NewEntry[]): void {
  for (const { seq, id, logged, event, seed, leafHash, mac } of entries) {
    sql.exec(
      "INSERT INTO entries (seq, id, logged, event, seed, leaf_hash, mac) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[seq, id, logged, event, seed, leafHash, mac],
    );
  }
}
