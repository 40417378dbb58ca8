// base64url on Node, which may have no native codec: used by the CLI and the benchmarks.
import { describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url } from "../../src/platform/base64.ts";
import { BASE64URL, NOT_CANONICAL } from "../base64-vectors.ts";

describe("base64url", () => {
  it.each(BASE64URL)("writes and reads %j as %j", (bytes, text) => {
    expect(toBase64Url(Uint8Array.from(bytes))).toBe(text);
    expect(fromBase64Url(text)).toEqual(Uint8Array.from(bytes));
  });

  it.each(NOT_CANONICAL)("refuses %j", (text) => {
    expect(fromBase64Url(text)).toBeNull();
  });
});
