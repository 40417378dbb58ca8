// base64url: the native codec and the fallback, with the same vectors.
import { describe, expect, it } from "vitest";
import { type Codec, native, portable } from "../../src/platform/base64.ts";
import { BASE64URL, NOT_CANONICAL } from "../base64-vectors.ts";

const codecs: [string, Codec | null][] = [
  ["native", native],
  ["portable", portable],
];

describe.each(codecs)("the %s codec", (_, codec) => {
  if (!codec) throw new Error("this runtime has no native base64");

  it.each(BASE64URL)("writes and reads %j as %j", (bytes, text) => {
    expect(codec.encode(Uint8Array.from(bytes))).toBe(text);
    expect(codec.decode(text)).toEqual(Uint8Array.from(bytes));
  });

  it.each(NOT_CANONICAL)("refuses %j", (text) => {
    expect(codec.decode(text)).toBeNull();
  });

  it("reads what the other writes, of every length to 300 and of a megabyte", () => {
    const other = codec === portable ? native : portable;
    for (const length of [...Array.from({ length: 300 }, (_, i) => i), 2 ** 20]) {
      const bytes = new Uint8Array(length).map((_, i) => (i * 37 + length) % 256);
      expect(codec.decode(other?.encode(bytes) ?? "")).toEqual(bytes);
    }
  });
});
