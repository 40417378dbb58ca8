// Fernet: the published vectors (https://github.com/fernet/spec), and what a token must not survive.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FernetError, importFernetKey, MAX_FERNET_LENGTH, openFernet, sealFernet } from "../../src/platform/fernet.ts";
import { times } from "../long.ts";

type Vector = { token: string; now: string; secret: string; src?: string; iv?: number[]; ttl_sec?: number; desc?: string };
const vectors = (name: string): Vector[] => JSON.parse(readFileSync(`test/fixtures/fernet/${name}.json`, "utf8"));
const bytesOf = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const ageOf = ({ now, ttl_sec = 0 }: Vector) => ({ now: Date.parse(now), maxAgeMs: ttl_sec * 1000 });

describe("the published vectors", () => {
  it.each(vectors("generate"))("generate $src", async ({ token, now, iv = [], src = "", secret }) => {
    expect(await sealFernet(await importFernetKey(secret), bytesOf(src), Date.parse(now), new Uint8Array(iv))).toBe(token);
  });

  it.each(vectors("verify"))("verify $src", async (vector) => {
    expect(textOf(await openFernet(await importFernetKey(vector.secret), vector.token, ageOf(vector)))).toBe(vector.src);
  });

  it.each(vectors("invalid"))("refuse $desc", async (vector) => {
    await expect(openFernet(await importFernetKey(vector.secret), vector.token, ageOf(vector))).rejects.toThrow(FernetError);
  });

  it("are all there, and those that only their time makes invalid open without one", async () => {
    expect(["generate", "verify", "invalid"].map((name) => vectors(name).length)).toEqual([1, 1, 8]);
    const opened = await Promise.all(
      vectors("invalid").map(async ({ desc, token, secret }) => {
        const key = await importFernetKey(secret);
        return openFernet(key, token).then(
          () => desc,
          () => null,
        );
      }),
    );
    expect(opened.filter((desc) => desc !== null)).toEqual(["far-future TS (unacceptable clock skew)", "expired TTL"]);
  });
});

const newKeyText = () => `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}=`;

describe("a token", () => {
  it("opens with its key alone, as the same bytes, of any length", async () => {
    const [key, other] = await Promise.all([importFernetKey(newKeyText()), importFernetKey(newKeyText())]);
    for (const length of [0, 1, 15, 16, 17, 60_000]) {
      const message = new Uint8Array(Buffer.alloc(length, "नम"));
      const token = await sealFernet(key, message, Date.now());
      expect(Buffer.from(await openFernet(key, token)).equals(Buffer.from(message))).toBe(true);
      await expect(openFernet(other, token)).rejects.toThrow(FernetError);
    }
  });

  it("does not open with any changed, missing or added character", async () => {
    const key = await importFernetKey(newKeyText());
    const token = await sealFernet(key, bytesOf("Hypertension since 2015."), Date.now());
    const changed = [...token].flatMap((ch, i) =>
      i % times(7, 1) === 0 ? [token.slice(0, i) + (ch === "A" ? "B" : "A") + token.slice(i + 1), token.slice(0, i)] : [],
    );
    for (const text of [...changed, `${token}=`, `${token} `, ` ${token}`, token.replace(/=+$/, "")].filter(
      (text) => text !== token,
    ))
      await expect(openFernet(key, text), text).rejects.toThrow(FernetError);
  });

  it("has a bounded length", async () => {
    const key = await importFernetKey(newKeyText());
    await expect(openFernet(key, "A".repeat(MAX_FERNET_LENGTH + 4))).rejects.toThrow("too long");
  });

  it.each(["", "short", newKeyText().slice(0, -1), `${newKeyText()}=`, `${newKeyText()} `, "%".repeat(44)])(
    "needs a key of 32 bytes, not %j",
    async (text) => {
      await expect(importFernetKey(text)).rejects.toThrow(FernetError);
    },
  );
});
