// Memory that request bodies take: bounded for all requests of an isolate, for each caller, and for callers who are not staff.
import type { Actor } from "../access/actor.ts";
import { addressBucket } from "../platform/address-bucket.ts";
import { ApiError } from "../platform/errors.ts";

const MIB = 1024 * 1024;
/** An isolate has 128 MB, and a form of reports is copied twice while it becomes a stored file; a larger one is never copied. */
const MAX_HELD_BYTES = 48 * MIB;
/** A document of the maximum size, or two forms of reports, at once. */
const MAX_HELD_PER_CALLER = 26 * MIB;
/** The rest is left to staff, devices and apps. */
const MAX_HELD_BY_PATIENTS = 26 * MIB;
const MAX_HELD_ANONYMOUS = 4 * MIB;
const MAX_HELD_PER_ADDRESS = MIB;

type Share = { key: string; limit: number };

/** Bytes held in this isolate by share; a share without any has no entry. */
const held = new Map<string, number>();

function sharesOf(actor: Actor): Share[] {
  const all = { key: "all", limit: MAX_HELD_BYTES };
  switch (actor.kind) {
    case "anonymous":
      return [
        all,
        { key: "anonymous", limit: MAX_HELD_ANONYMOUS },
        { key: `address:${addressBucket(actor.via.ip)}`, limit: MAX_HELD_PER_ADDRESS },
      ];
    case "user": {
      const own = { key: `user:${actor.userId}`, limit: MAX_HELD_PER_CALLER };
      return actor.claimedRole.role === "patient" ? [all, { key: "patients", limit: MAX_HELD_BY_PATIENTS }, own] : [all, own];
    }
    case "device":
    case "app":
      return [all, { key: `credential:${actor.credentialId}`, limit: MAX_HELD_PER_CALLER }];
    case "system":
      return [all];
  }
}

function add(shares: Share[], bytes: number): void {
  for (const { key } of shares) {
    const total = (held.get(key) ?? 0) + bytes;
    if (total > 0) held.set(key, total);
    else held.delete(key);
  }
}

/** A request that its client cancels runs no more code: what it held counts until this long after its last byte. */
const EXPIRY_MS = 60_000;

type Held = { shares: Share[]; bytes: number; expiresAt: number };
const heldByRequest = new WeakMap<Request, Held>();
/** In order of expiry. */
const holders = new Set<Held>();

function giveBack(one: Held): void {
  if (holders.delete(one)) add(one.shares, -one.bytes);
}

function dropExpired(now: number): void {
  for (const one of holders) {
    if (one.expiresAt > now) return;
    giveBack(one);
  }
}

/**
 * Counts bytes of a request's body as held until `releaseBody`.
 * @throws ApiError unavailable if a share has no room for them
 */
export function holdBody(request: Request, actor: Actor, bytes: number): void {
  const now = Date.now();
  dropExpired(now);
  const before = heldByRequest.get(request);
  const shares = before?.shares ?? sharesOf(actor);
  if (shares.some(({ key, limit }) => (held.get(key) ?? 0) + bytes > limit)) {
    throw new ApiError("unavailable", "Too many request bodies are being received; try again later.");
  }
  if (before) giveBack(before);
  const one = { shares, bytes: (before?.bytes ?? 0) + bytes, expiresAt: now + EXPIRY_MS };
  add(shares, one.bytes);
  holders.add(one);
  heldByRequest.set(request, one);
}

/** Gives back what the request holds. */
export function releaseBody(request: Request): void {
  const one = heldByRequest.get(request);
  if (one) giveBack(one);
}

/** Bytes held by all requests of this isolate. */
export const heldBytes = (): number => held.get("all") ?? 0;
