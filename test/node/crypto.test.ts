// The crypto module against published vectors and an independent implementation (Node's, itself tested with the vectors).
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, type TestContext, vi } from "vitest";
import { z } from "zod";
import {
  computeBlindIndex,
  computeMac,
  constantTimeEqual,
  decryptGcm,
  deriveRecordKey,
  encodeCanonical,
  encryptGcm,
  fromBase64Url,
  importMacKey,
  MAX_RECORD_KEYS,
  parseKeyRing,
  type SealContext,
  sealValue,
  toBase64Url,
  unsealValue,
} from "../../src/platform/crypto.ts";
import { ApiError } from "../../src/platform/errors.ts";
import { times } from "../long.ts";
import { absent } from "../shared-data.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/data/vectors/wycheproof");
const bytes = (source: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(source);
const hex = (text: string) => bytes(Buffer.from(text, "hex"));
const text = (value: string) => bytes(new TextEncoder().encode(value));

/** The tests of a vector file. */
function vectors<T extends z.ZodType>({ skip }: TestContext, name: string, schema: T): z.infer<T>[] {
  const file = join(VECTORS, name);
  skip(!existsSync(file), absent("vectors/wycheproof"));
  const groups = z.object({ testGroups: z.array(z.object({ tests: z.array(schema) })) });
  return groups.parse(JSON.parse(readFileSync(file, "utf8"))).testGroups.flatMap(({ tests }) => tests);
}

const base = { tcId: z.number(), comment: z.string(), result: z.enum(["valid", "invalid", "acceptable"]) };
const Aead = z.object({
  ...base,
  key: z.string(),
  iv: z.string(),
  aad: z.string(),
  msg: z.string(),
  ct: z.string(),
  tag: z.string(),
});
const Hmac = z.object({ ...base, key: z.string(), msg: z.string(), tag: z.string() });
const Hkdf = z.object({ ...base, ikm: z.string(), salt: z.string(), info: z.string(), size: z.number(), okm: z.string() });

async function isIntegrityError(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => "it opened",
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: "integrity_error" });
}

const newRing = (kid = "f1") => parseKeyRing(`${kid}:${randomBytes(32).toString("base64")}`);
const PLACE: SealContext = { table: "patients", column: "identity", id: "p1", version: 3 };

describe("AES-GCM", () => {
  it("opens every valid Wycheproof vector, refuses every other, and seals to the same bytes", async (context) => {
    const cases = vectors(context, "aes_gcm_test.json", Aead);
    let opened = 0;
    for (const { key, iv, aad, msg, ct, tag, result } of cases) {
      const cryptoKey = await crypto.subtle.importKey("raw", hex(key), "AES-GCM", false, ["encrypt", "decrypt"]);
      const sealed = hex(ct + tag);
      if (iv.length !== 24) {
        // EdgeCare uses only 96-bit nonces; a platform may reject others, but must not decrypt them to something else.
        const plain = await decryptGcm(cryptoKey, hex(iv), sealed, hex(aad)).catch(() => null);
        if (plain) expect([result, Buffer.from(plain).toString("hex")]).toEqual(["valid", msg]);
        continue;
      }
      if (result !== "valid") {
        await isIntegrityError(decryptGcm(cryptoKey, hex(iv), sealed, hex(aad)));
        continue;
      }
      expect(Buffer.from(await decryptGcm(cryptoKey, hex(iv), sealed, hex(aad))).toString("hex")).toBe(msg);
      expect(Buffer.from(await encryptGcm(cryptoKey, hex(iv), hex(msg), hex(aad))).toString("hex")).toBe(ct + tag);
      opened++;
    }
    expect(opened).toBeGreaterThan(60);
  });
});

describe("HMAC-SHA256", () => {
  it("of Node meets every Wycheproof vector", (context) => {
    for (const { key, msg, tag, result } of vectors(context, "hmac_sha256_test.json", Hmac)) {
      const made = createHmac("sha256", hex(key)).update(hex(msg)).digest("hex").slice(0, tag.length);
      expect(made === tag).toBe(result === "valid");
    }
  });

  it("is Node's", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, unit: "binary" }),
        fc.array(fc.string({ unit: "binary" })),
        async (secret, parts) => {
          const expected = createHmac("sha256", text(secret)).update(encodeCanonical(parts)).digest();
          expect(Buffer.compare(expected, await computeMac(await importMacKey(secret), parts))).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("computes a blind index that depends on key, kind and value", async () => {
    const [a, b] = await Promise.all([importMacKey("key one"), importMacKey("key two")]);
    const indexes = await Promise.all([
      computeBlindIndex(a, "user.email", "x@y.z"),
      computeBlindIndex(b, "user.email", "x@y.z"),
      computeBlindIndex(a, "user.name", "x@y.z"),
      computeBlindIndex(a, "user.email", "x@y.zz"),
      computeBlindIndex(a, "user.emailx@y.z", ""),
    ]);
    expect(new Set(indexes).size).toBe(5);
    expect(await computeBlindIndex(a, "user.email", "x@y.z")).toBe(indexes[0]);
  });
});

describe("HKDF-SHA256", () => {
  it("of Node meets every Wycheproof vector", (context) => {
    for (const { ikm, salt, info, size, okm, result } of vectors(context, "hkdf_sha256_test.json", Hkdf)) {
      if (result !== "valid") continue;
      expect(Buffer.from(hkdfSync("sha256", hex(ikm), hex(salt), hex(info), size)).toString("hex")).toBe(okm);
    }
  });

  it("is Node's", async () => {
    const master = randomBytes(32);
    const ring = await parseKeyRing(`f1:${master.toString("base64")}`);
    for (const record of [["patients", "p1"], ["file", "k", "report:1"], [], ["", ""]]) {
      const key = Buffer.from(hkdfSync("sha256", master, new Uint8Array(), encodeCanonical(record), 32));
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const sealed = Buffer.concat([cipher.update("text"), cipher.final(), cipher.getAuthTag()]);
      const plain = await decryptGcm(
        await deriveRecordKey(ring, "f1", record),
        bytes(nonce),
        bytes(sealed),
        bytes(new Uint8Array()),
      );
      expect(Buffer.from(plain).toString()).toBe("text");
    }
  });
});

describe("a sealed value", () => {
  it("matches its documented format: another implementation opens it", async () => {
    const master = randomBytes(32);
    const ring = await parseKeyRing(`f1:${master.toString("base64")}`);
    const [format, kid, body = ""] = (await sealValue(ring, PLACE, { name: "आशा" })).split(".");
    expect([format, kid]).toEqual(["s1", "f1"]);
    const joined = Buffer.from(body, "base64url");
    const key = Buffer.from(hkdfSync("sha256", master, new Uint8Array(), "8:patients|2:p1", 32));
    const decipher = createDecipheriv("aes-256-gcm", key, joined.subarray(0, 12));
    decipher.setAAD(Buffer.from("2:s1|2:f1|8:identity|1:3"));
    decipher.setAuthTag(joined.subarray(-16));
    const plain = Buffer.concat([decipher.update(joined.subarray(12, -16)), decipher.final()]).toString();
    expect(plain.trimEnd()).toBe('{"name":"आशा"}');
    expect(Buffer.byteLength(plain)).toBe(64);
  });

  it("comes back as it went in, whatever JSON it is", async () => {
    const ring = await newRing();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(JSON.stringify(await unsealValue(ring, PLACE, await sealValue(ring, PLACE, value)))).toBe(JSON.stringify(value));
      }),
      { numRuns: 200 },
    );
  });

  it("does not open with any one bit flipped", async () => {
    const ring = await newRing();
    const sealed = await sealValue(ring, PLACE, "x");
    const joined = fromBase64Url(sealed.split(".")[2] ?? "");
    if (!joined) throw new Error("not base64url");
    for (let bit = 0; bit < joined.length * 8; bit++) {
      const flipped = joined.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await isIntegrityError(unsealValue(ring, PLACE, `s1.f1.${toBase64Url(flipped)}`));
    }
    for (let at = 0; at < sealed.length; at++) {
      const ch = String.fromCharCode(sealed.charCodeAt(at) ^ 1);
      await isIntegrityError(unsealValue(ring, PLACE, sealed.slice(0, at) + ch + sealed.slice(at + 1)));
    }
    expect(await unsealValue(ring, PLACE, sealed)).toBe("x");
  });

  it("opens at its own place alone", async () => {
    const ring = await newRing();
    const sealed = await sealValue(ring, PLACE, "x");
    const elsewhere: SealContext[] = [
      { ...PLACE, table: "users" },
      { ...PLACE, column: "clinical" },
      { ...PLACE, id: "p2" },
      { ...PLACE, version: 4 },
      { table: "patients", column: "identity", id: "p1" },
      { ...PLACE, table: "patient", id: "sp1" },
    ];
    for (const place of elsewhere) await isIntegrityError(unsealValue(ring, place, sealed));
    await isIntegrityError(unsealValue(await newRing(), PLACE, sealed));
    await isIntegrityError(unsealValue(await newRing("f2"), PLACE, sealed));
  });

  const SEALS = times(10_000, 100_000);
  it(`has a nonce of its own: ${SEALS} seals of one value in one place, no two alike`, async () => {
    const ring = await newRing();
    const nonces = new Set<string>();
    const sealed = new Set<string>();
    for (let i = 0; i < SEALS; i += 500) {
      const some = await Promise.all(Array.from({ length: 500 }, () => sealValue(ring, PLACE, "same")));
      for (const one of some) {
        sealed.add(one);
        nonces.add(one.slice(6, 22));
      }
    }
    expect([nonces.size, sealed.size]).toEqual([SEALS, SEALS]);
  });

  it("has a length that tells no name from a longer one", async () => {
    const ring = await newRing();
    const lengths = await Promise.all(
      ["", "Li", "Venkatanarasimharajuvaripeta"].map(async (v) => (await sealValue(ring, PLACE, v)).length),
    );
    expect(new Set(lengths).size).toBe(1);
  });

  it("derives a record's key once for all columns and versions, and again for another record or key ring", async () => {
    const derive = vi.spyOn(crypto.subtle, "deriveKey");
    try {
      const ring = await newRing();
      const sealed = await Promise.all([
        sealValue(ring, PLACE, "x"),
        sealValue(ring, { ...PLACE, column: "clinical", version: 4 }, "y"),
      ]);
      expect(await unsealValue(ring, PLACE, sealed[0] ?? "")).toBe("x");
      expect(derive).toHaveBeenCalledTimes(1);
      await sealValue(ring, { ...PLACE, id: "p2" }, "x");
      expect(derive).toHaveBeenCalledTimes(2);
      await isIntegrityError(unsealValue(await newRing(), PLACE, sealed[0] ?? ""));
      expect(derive).toHaveBeenCalledTimes(3);
    } finally {
      derive.mockRestore();
    }
  });

  it("has its record's key forgotten when 4,096 others were used since", async () => {
    const ring = await newRing();
    const kid = ring.currentKid;
    const first = await deriveRecordKey(ring, kid, ["patients", "first"]);
    expect(await deriveRecordKey(ring, kid, ["patients", "first"])).toBe(first);
    for (let i = 0; i < MAX_RECORD_KEYS; i++) await deriveRecordKey(ring, kid, ["patients", String(i)]);
    expect(await deriveRecordKey(ring, kid, ["patients", "first"])).not.toBe(first);
  });

  it("is sealed with the first key of a ring and opened with any", async () => {
    const [old, next] = [`a:${randomBytes(32).toString("base64")}`, `b:${randomBytes(32).toString("base64")}`];
    const before = await sealValue(await parseKeyRing(old), PLACE, "x");
    const both = await parseKeyRing(`${next}, ${old}`);
    expect(await unsealValue(both, PLACE, before)).toBe("x");
    const after = await sealValue(both, PLACE, "y");
    expect(after).toMatch(/^s1\.b\./);
    await isIntegrityError(unsealValue(await parseKeyRing(old), PLACE, after));
    await isIntegrityError(unsealValue(await parseKeyRing(next), PLACE, before));
  });
});

describe("encodings", () => {
  it("canonical() encodes no two lists of parts to the same bytes", () => {
    const part = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a", "1:a", "|", "a|1:b", "0:", ":"));
    const parts = fc.array(part, { maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        // An empty list has no bytes; every use has at least one part.
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(Buffer.compare(encodeCanonical(a), encodeCanonical(b))).not.toBe(0);
      }),
      { numRuns: 2000 },
    );
    expect(encodeCanonical(["a", "bc"])).not.toEqual(encodeCanonical(["ab", "c"]));
  });

  it("base64url has one spelling for each run of bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        const encoded = toBase64Url(data);
        expect(encoded).toBe(Buffer.from(data).toString("base64url"));
        expect(fromBase64Url(encoded)).toEqual(bytes(data));
      }),
    );
    for (const other of ["QR", "QQ==", "Q", "Q Q", "QQ\n", "+/+/", "é", "QQ.", "AAB".slice(0, 1)])
      expect(fromBase64Url(other)).toBeNull();
  });

  it("sameBytes() compares unequal lengths without throwing", () => {
    expect(constantTimeEqual(text("abc"), text("abc"))).toBe(true);
    for (const other of ["", "ab", "abd", "abcd"]) expect(constantTimeEqual(text("abc"), text(other))).toBe(false);
    expect(constantTimeEqual(text(""), text(""))).toBe(true);
  });
});
