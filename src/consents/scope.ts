// What a consent covers, and the check that a grant is never wider than the request.
import type { ConsentKind } from "../access/consented.ts";
import type { FieldError } from "../platform/errors.ts";
import { DAY_MS } from "../platform/time.ts";

/** Times in Unix ms; `dataFrom` and `dataUntil` are included. */
export type ConsentScope = {
  kinds: readonly ConsentKind[];
  dataFrom: number;
  dataUntil: number;
  expiresAt: number;
  eraseAt: number;
};

const YEAR_MS = 366 * DAY_MS;
/** Longest span of the data. */
const MAX_SPAN_MS = 120 * YEAR_MS;
/** Longest life of a consent. */
export const MAX_LIFE_MS = 5 * YEAR_MS;

const error = (path: string, message: string): FieldError => ({ path, message, code: "custom" });

/** What is wrong with a scope by itself. */
export function findScopeErrors({ kinds, dataFrom, dataUntil, expiresAt, eraseAt }: ConsentScope, now: number): FieldError[] {
  return [
    ...(new Set(kinds).size < kinds.length ? [error("kinds", "Must name each kind once")] : []),
    ...(dataFrom > dataUntil ? [error("data_until", "Must not be before data_from")] : []),
    ...(dataUntil - dataFrom > MAX_SPAN_MS ? [error("data_from", "Must be at most 120 years before data_until")] : []),
    ...(expiresAt <= now ? [error("expires_at", "Must be in the future")] : []),
    ...(expiresAt > now + MAX_LIFE_MS ? [error("expires_at", "Must be within five years")] : []),
    ...(eraseAt < expiresAt ? [error("erase_at", "Must not be before expires_at")] : []),
    ...(eraseAt > now + MAX_LIFE_MS ? [error("erase_at", "Must be within five years")] : []),
  ];
}

/** Where a grant is wider than the request. */
export function findWiderErrors(granted: ConsentScope, requested: ConsentScope): FieldError[] {
  const isUnasked = granted.kinds.some((kind) => !requested.kinds.includes(kind));
  return [
    ...(isUnasked ? [error("kinds", "Must be among the requested kinds")] : []),
    ...(granted.dataFrom < requested.dataFrom ? [error("data_from", "Must not be before the requested time")] : []),
    ...(granted.dataUntil > requested.dataUntil ? [error("data_until", "Must not be after the requested time")] : []),
    ...(granted.expiresAt > requested.expiresAt ? [error("expires_at", "Must not be after the requested time")] : []),
    ...(granted.eraseAt > requested.eraseAt ? [error("erase_at", "Must not be after the requested time")] : []),
  ];
}
