// Time-based one-time passwords against the vectors of RFC 6238, and their tolerance.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findTimeStep } from "../../src/accounts/factors/totp.ts";
import { oneTimePassword, toBase32 } from "../one-time-password.ts";
import { absent } from "../shared-data.ts";

const FILE = "../shared/data/vectors/otp/rfc6238_rfc4226.json";
type Vector = { algorithm: string; seed_ascii: string; time: number; totp: string };
const secretOf = (ascii: string) => toBase32(new TextEncoder().encode(ascii));

describe("a code", () => {
  it("is that of RFC 6238", ({ skip }) => {
    skip(!existsSync(FILE), absent("vectors/otp"));
    const { rfc6238 }: { rfc6238: Vector[] } = JSON.parse(readFileSync(FILE, "utf8"));
    const vectors = rfc6238.filter(({ algorithm }) => algorithm === "SHA1");
    expect(vectors.length).toBeGreaterThan(5);
    for (const { seed_ascii, time, totp } of vectors) {
      const secret = secretOf(seed_ascii);
      // Six digits are the last six of eight: both are a remainder of the same number (RFC 4226, section 5.3).
      expect(findTimeStep(secret, totp.slice(-6), time * 1000)).toBe(Math.floor(time / 30));
      expect(oneTimePassword(secret, time * 1000, 8)).toBe(totp);
    }
  });

  it("is accepted one step early and late, and no more", () => {
    const secret = secretOf("12345678901234567890");
    const now = 1_800_000_000_000;
    const found = [-2, -1, 0, 1, 2].map((steps) => findTimeStep(secret, oneTimePassword(secret, now + steps * 30_000), now));
    expect(found).toEqual([null, now / 30_000 - 1, now / 30_000, now / 30_000 + 1, null]);
  });
});
