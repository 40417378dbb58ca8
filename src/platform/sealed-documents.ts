// Cache of decrypted and validated documents: lists read the same rows again and again.
import type { z } from "zod";
import { BoundedCache } from "./bounded-cache.ts";
import { type KeyRing, type SealContext, unsealValue } from "./crypto.ts";
import { ApiError } from "./errors.ts";
import { log } from "./log.ts";

/** Cached documents per key ring and isolate; the least recently used one is evicted. */
export const MAX_CACHED_DOCUMENTS = 2_048;
/** Longer ciphertexts, in characters, are decrypted on each read. Both limits bound the cache to about 16 MB. */
export const MAX_CACHED_LENGTH = 4_096;

type CachedDocument = { contextKey: string; schema: z.ZodType; document: unknown };
const cacheByRing = new WeakMap<KeyRing, BoundedCache<string, CachedDocument>>();

const toContextKey = ({ table, column, id, version = 0 }: SealContext) => `${table}|${column}|${id}|${version}`;

/**
 * Reads a sealed document, from the cache if possible. An entry applies only to its exact ciphertext, location and schema, so a
 * changed or moved value is always decrypted, and rejected. Callers read the row from the database and check access first.
 * @returns a frozen object  @throws ApiError integrity_error; ZodError for a document that does not match `schema`
 */
export async function readSealed<S extends z.ZodType>(
  ring: KeyRing,
  context: SealContext,
  sealed: string,
  schema: S,
): Promise<Readonly<z.output<S>>> {
  const contextKey = toContextKey(context);
  const cache = cacheByRing.get(ring) ?? new BoundedCache<string, CachedDocument>(MAX_CACHED_DOCUMENTS);
  cacheByRing.set(ring, cache);
  const cached = cache.get(sealed);
  if (cached?.contextKey === contextKey && cached.schema === schema) return cached.document as Readonly<z.output<S>>;
  const document = deepFreeze(schema.parse(await unsealValue(ring, context, sealed)));
  // Only once decrypted: a request that the platform ends meanwhile leaves no unsettled entry to others.
  if (sealed.length <= MAX_CACHED_LENGTH) cache.set(sealed, { contextKey, schema, document });
  return document;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}

/**
 * For lists, in which one corrupt value does not fail the page: null for it.
 * @param onCorrupt called per corrupt value; without it such a value is an error  @throws ApiError integrity_error
 */
export async function nullIfCorrupt<T>(opened: Promise<T>, onCorrupt?: () => void): Promise<T | null> {
  return opened.catch((error: unknown) => {
    if (!onCorrupt || !(error instanceof ApiError) || error.code !== "integrity_error") throw error;
    onCorrupt();
    return null;
  });
}

/** Opens the rows of a list, and logs how many values are corrupt. @param open passes `onCorrupt` on to `nullIfCorrupt` */
export async function openListItems<R, T>(
  requestId: string,
  rows: readonly R[],
  open: (row: R, onCorrupt: () => void) => Promise<T>,
): Promise<{ items: T[]; corruptCount: number }> {
  let corruptCount = 0;
  const items = await Promise.all(rows.map((row) => open(row, () => void corruptCount++)));
  if (corruptCount > 0)
    log({}, "ERROR", "sealed values in a list cannot be decrypted", {
      request_id: requestId,
      code: "integrity_error",
      count: corruptCount,
    });
  return { items, corruptCount };
}
