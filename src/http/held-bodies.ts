// Memory that request bodies take: bounded for all requests of an isolate, for each caller, and for callers who are not staff.
import type { Actor } from "../access/actor.ts";
import { ApiError } from "../platform/errors.ts";
import { addressBucket } from "./address-bucket.ts";

const MIB = 1024 * 1024;
/** An isolate has 128 MB, and a form is copied twice while it becomes a stored file. */
const MAX_HELD_BYTES = 48 * MIB;
/** Two forms of the maximum size at once. */
const MAX_HELD_PER_CALLER = 21 * MIB;
/** The rest is left to staff, devices and apps. */
const MAX_HELD_BY_PATIENTS = 24 * MIB;
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

/** What each request holds. */
const heldByRequest = new WeakMap<Request, { shares: Share[]; bytes: number }>();

/**
 * Counts bytes of a request's body as held until `releaseBody`.
 * @throws ApiError unavailable if a share has no room for them
 */
export function holdBody(request: Request, actor: Actor, bytes: number): void {
  const own = heldByRequest.get(request) ?? { shares: sharesOf(actor), bytes: 0 };
  if (own.shares.some(({ key, limit }) => (held.get(key) ?? 0) + bytes > limit)) {
    throw new ApiError("unavailable", "Too many request bodies are being received; try again later.");
  }
  add(own.shares, bytes);
  own.bytes += bytes;
  heldByRequest.set(request, own);
}

/** Gives back what the request holds. */
export function releaseBody(request: Request): void {
  const own = heldByRequest.get(request);
  if (!own) return;
  add(own.shares, -own.bytes);
  heldByRequest.delete(request);
}

/** Bytes held by all requests of this isolate. */
export const heldBytes = (): number => held.get("all") ?? 0;
