// The cost of a password hash in production; the worker tests replace it by a low one (vitest.config.ts).
import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { SCRYPT } from "../../src/accounts/passwords/password-cost.ts";
import { hashPassword, MAX_SCRYPT_COST, verifyPassword } from "../../src/accounts/passwords/passwords.ts";

it("is that of the OWASP cheat sheet, and what workerd can pay", () => {
  expect(SCRYPT).toEqual({ N: 2 ** 14, r: 8, p: 5 });
  expect(SCRYPT.N * SCRYPT.r * SCRYPT.p).toBeLessThanOrEqual(MAX_SCRYPT_COST);
  expect(128 * SCRYPT.N * SCRYPT.r).toBeLessThanOrEqual(32 * 1024 * 1024);
});

it("is that of a new hash, which its password opens and no other", async () => {
  const hash = await hashPassword("quiet river stones");
  expect(hash).toMatch(/^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
  expect(await verifyPassword("quiet river stones", hash)).toEqual({ isCorrect: true, needsRehash: false });
  expect(await verifyPassword("quiet river stone", hash)).toMatchObject({ isCorrect: false });
});

it("is spent in the hash queue only", () => {
  const calls = globSync("src/**/*.ts").flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => /\b(hashPassword|verifyPassword)\(/.test(line) && !/^export async function/.test(line))
      .map((line) => ({ path, line: line.trim() })),
  );
  expect(calls.length).toBeGreaterThanOrEqual(6);
  const outside = calls.filter(({ line }) => !/[sS]lot\.run\(/.test(line));
  // createUnverifiedUserRow() makes demo data; createUserRow() calls it in the queue.
  expect(outside).toEqual([{ path: "src/accounts/users/users.ts", line: "passwordHash: await hashPassword(input.password)," }]);
});
