// Sealed JSON documents, decrypted and validated once per isolate: lists read the same rows again and again.
import type { z } from "zod";
import { BoundedCache } from "./bounded-cache.ts";
import { type KeyRing, type SealContext, unsealValue } from "./crypto.ts";

/** Documents that an isolate keeps in memory per key ring; the least recently used one is evicted. */
export const MAX_KEPT_DOCUMENTS = 2_048;
/** Longer ciphertexts, in characters, are decrypted on each read: they bound the memory to some 16 MB. */
export const MAX_KEPT_LENGTH = 4_096;

type Kept = { place: string; schema: z.ZodType; document: Promise<unknown> };
const keptByRing = new WeakMap<KeyRing, BoundedCache<string, Kept>>();

const placeOf = ({ table, column, id, version = 0 }: SealContext) => `${table}|${column}|${id}|${version}`;

/**
 * Reads a sealed document. It is kept under its exact ciphertext and for its place alone, so that a changed or moved value is
 * always decrypted, and rejected. Callers have read the row from the database and checked access: the cache gives no data of
 * its own.
 * @returns a frozen object  @throws ApiError integrity_error; ZodError for a document that does not match `schema`
 */
export function readSealed<S extends z.ZodType>(
  ring: KeyRing,
  context: SealContext,
  sealed: string,
  schema: S,
): Promise<Readonly<z.output<S>>> {
  const place = placeOf(context);
  const documents = keptByRing.get(ring) ?? new BoundedCache<string, Kept>(MAX_KEPT_DOCUMENTS);
  keptByRing.set(ring, documents);
  const kept = documents.get(sealed);
  if (kept?.place === place && kept.schema === schema) return kept.document as Promise<Readonly<z.output<S>>>;
  const document = unsealValue(ring, context, sealed).then((value) => deepFreeze(schema.parse(value)));
  if (sealed.length <= MAX_KEPT_LENGTH) {
    documents.set(sealed, { place, schema, document });
    document.catch(() => documents.delete(sealed));
  }
  return document;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}
