// The queue of password hashes in an isolate. A hash keeps the isolate's thread for 160 ms: one runs at a time, a pause of the same
// length follows for other requests, and a bounded number of requests waits.
import { type Actor, getActorId } from "../../access/actor.ts";
import { addressBucket } from "../../platform/address-bucket.ts";
import { ApiError } from "../../platform/errors.ts";
import { HASH_QUEUE } from "./password-cost.ts";

/**
 * Who asks for a hash. `known`: a user with a session, or a browser in which the account has logged in before; `staff` if that is
 * staff. Anybody can become known by registering, so that all who are not staff have bounded shares.
 */
export type HashCaller = { key: string; kind: "staff" | "known" | "unknown" };
/** A place in the queue, for hashes one after the other. */
export type HashSlot = { run<T>(hash: () => Promise<T>): Promise<T> };
type Entry = HashCaller & { isWaiting: boolean; seenAt: number };

const POLL_MS = 20;
/** The platform runs no more code of a request that its client has cancelled, so a slot or a turn expires by itself. */
const SLOT_TTL_MS = 10_000;
const WAITING_TTL_MS = 1_000;
const TURN_TTL_MS = 2_000;
const MAX_PAUSE_MS = 500;

/** In order of arrival. Holds no state of a request: entries of one request are only read by others. */
const entries: Entry[] = [];
let freeAt = 0;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function hashCaller(actor: Actor): HashCaller {
  if (actor.kind !== "user") return { key: `address:${addressBucket(actor.via.ip)}`, kind: "unknown" };
  return { key: `user:${getActorId(actor)}`, kind: actor.claimedRole.role === "patient" ? "known" : "staff" };
}

/** A browser in which the account has logged in before. */
export function hashCallerOfBrowser({ id, isStaff }: { id: string; isStaff: boolean }): HashCaller {
  return { key: `browser:${id}`, kind: isStaff ? "staff" : "known" };
}

/**
 * Runs `work` with a slot in the queue. Take it before anything that depends on the account, so that a full queue tells nothing
 * about it, and before reserving a login attempt, so that a full queue costs none.
 * @throws ApiError unavailable with Retry-After when the queue is full
 */
export async function withHashSlot<T>(caller: HashCaller, work: (slot: HashSlot) => Promise<T>): Promise<T> {
  const entry = enter(caller);
  try {
    return await work({ run: (hash) => runInTurn(entry, hash) });
  } finally {
    leave(entry);
  }
}

function enter(caller: HashCaller): Entry {
  const now = Date.now();
  removeExpired(now);
  const count = (matches: (entry: Entry) => boolean) => entries.filter(matches).length;
  const isFull =
    entries.length >= HASH_QUEUE.all ||
    count(({ key }) => key === caller.key) >= HASH_QUEUE.perCaller ||
    (caller.kind !== "staff" &&
      (count(({ kind }) => kind !== "staff") >= HASH_QUEUE.notStaff ||
        count(({ kind }) => kind === caller.kind) >= HASH_QUEUE[caller.kind]));
  if (isFull) throw new ApiError("unavailable", undefined, { headers: { "Retry-After": "5" } });
  const entry = { ...caller, isWaiting: false, seenAt: now };
  entries.push(entry);
  return entry;
}

function leave(entry: Entry): void {
  const position = entries.indexOf(entry);
  if (position >= 0) entries.splice(position, 1);
}

function removeExpired(now: number): void {
  for (const entry of [...entries]) {
    const ttl = entry.isWaiting ? WAITING_TTL_MS : SLOT_TTL_MS;
    if (Math.abs(now - entry.seenAt) > ttl) leave(entry);
  }
}

/** An end time beyond the maximum means that the clock was set back. */
const isFree = (now: number) => now >= freeAt || freeAt > now + TURN_TTL_MS;

async function runInTurn<T>(entry: Entry, hash: () => Promise<T>): Promise<T> {
  entry.isWaiting = true;
  // Polls instead of waiting for the one before, whose request may have been cancelled.
  for (;;) {
    const now = Date.now();
    entry.seenAt = now;
    // The others may have given it up while something else kept the thread.
    if (!entries.includes(entry)) entries.push(entry);
    removeExpired(now);
    if (isFree(now) && entries.find(({ isWaiting }) => isWaiting) === entry) break;
    await sleep(POLL_MS);
  }
  entry.isWaiting = false;
  const startedAt = Date.now();
  freeAt = startedAt + TURN_TTL_MS;
  try {
    return await hash();
  } finally {
    // On Cloudflare the clock stands still while code runs; a timer moves it.
    await sleep(1);
    const endedAt = Date.now();
    freeAt = endedAt + Math.min(Math.max(0, endedAt - startedAt), MAX_PAUSE_MS);
  }
}
