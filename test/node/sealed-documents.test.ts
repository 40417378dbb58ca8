// The cache of sealed documents: what is cached, for which location, and how much.
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { parseKeyRing, type SealContext, sealValue } from "../../src/platform/crypto.ts";
import { MAX_CACHED_DOCUMENTS, MAX_CACHED_LENGTH, readSealed } from "../../src/platform/sealed-documents.ts";

const Name = z.object({ name: z.string(), words: z.array(z.string()) });
const PLACE: SealContext = { table: "patients", column: "identity", id: "p1", version: 3 };
const newRing = () => parseKeyRing(`f1:${randomBytes(32).toString("base64")}`);
const decryptions = () => vi.spyOn(crypto.subtle, "decrypt");
const integrityError = { code: "integrity_error" };

afterEach(() => void vi.restoreAllMocks());

describe("readSealed", () => {
  it("decrypts a document once and freezes it", async () => {
    const ring = await newRing();
    const sealed = await sealValue(ring, PLACE, { name: "Asha", words: ["one"] });
    const decrypt = decryptions();
    const first = await readSealed(ring, PLACE, sealed, Name);
    expect(await readSealed(ring, PLACE, sealed, Name)).toBe(first);
    expect(decrypt).toHaveBeenCalledTimes(1);
    expect(() => Object.assign(first, { name: "Meena" })).toThrow(TypeError);
    expect(() => first.words.push("two")).toThrow(TypeError);
  });

  it("rejects a cached value at another location and under another ring", async () => {
    const ring = await newRing();
    const sealed = await sealValue(ring, PLACE, { name: "Asha", words: [] });
    await readSealed(ring, PLACE, sealed, Name);
    const others: SealContext[] = [
      { ...PLACE, id: "p2" },
      { ...PLACE, column: "clinical" },
      { ...PLACE, table: "users" },
      { ...PLACE, version: 4 },
    ];
    for (const place of others) await expect(readSealed(ring, place, sealed, Name)).rejects.toMatchObject(integrityError);
    await expect(readSealed(await newRing(), PLACE, sealed, Name)).rejects.toMatchObject(integrityError);
    expect(await readSealed(ring, PLACE, sealed, Name)).toEqual({ name: "Asha", words: [] });
  });

  it("caches no failure: a document that one schema rejects is read with the right one", async () => {
    const ring = await newRing();
    const sealed = await sealValue(ring, PLACE, { name: "Asha", words: [] });
    await expect(readSealed(ring, PLACE, sealed, z.string())).rejects.toThrow(z.ZodError);
    expect(await readSealed(ring, PLACE, sealed, Name)).toEqual({ name: "Asha", words: [] });
  });

  it(`caches the ${MAX_CACHED_DOCUMENTS} most recently used documents, and none longer than ${MAX_CACHED_LENGTH} characters`, async () => {
    const ring = await newRing();
    const placeOf = (i: number) => ({ ...PLACE, id: `p${i}` });
    const sealed = await Promise.all(
      Array.from({ length: MAX_CACHED_DOCUMENTS + 1 }, (_, i) => sealValue(ring, placeOf(i), { name: `${i}`, words: [] })),
    );
    for (const [i, value] of sealed.entries()) await readSealed(ring, placeOf(i), value, Name);
    const decrypt = decryptions();
    await readSealed(ring, placeOf(1), sealed[1] ?? "", Name);
    expect(decrypt).toHaveBeenCalledTimes(0);
    await readSealed(ring, placeOf(0), sealed[0] ?? "", Name);
    expect(decrypt).toHaveBeenCalledTimes(1);
    const long = await sealValue(ring, PLACE, { name: "a".repeat(MAX_CACHED_LENGTH), words: [] });
    await readSealed(ring, PLACE, long, Name);
    await readSealed(ring, PLACE, long, Name);
    expect(decrypt).toHaveBeenCalledTimes(3);
  });
});
