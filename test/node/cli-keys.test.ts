// `edgecare keys` as an operator runs it: new secrets that the Worker accepts, and each step of a rotation.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { advanceRing, RING_NAMES, RingError } from "../../cli/key-rings.ts";
import { parseCheckpointSigners } from "../../src/platform/checkpoint-signers.ts";
import { OPTIONAL_SECRETS, SECRETS } from "../../src/platform/config.ts";
import { parseKeyRing, parseMacKeyRing } from "../../src/platform/crypto.ts";
import { parseMacKeys } from "../../src/platform/mac-keys.ts";
import { parseSigningKeys } from "../../src/platform/signing-keys.ts";

function cli(args: string[], input = "") {
  const { status, stdout, stderr } = spawnSync("node", ["cli/edgecare.ts", ...args], { input, encoding: "utf8" });
  return { status, stdout, stderr };
}

function rotate(name: string, stage: string, input: string, ...more: string[]): string {
  const { status, stdout, stderr } = cli(["keys", "rotate", name, "--stage", stage, ...more], input);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("Deploy it") });
  expect(stdout.endsWith("\n")).toBe(true);
  return stdout.trim();
}

function refused(name: string, stage: string, input: string): string {
  const { status, stdout, stderr } = cli(["keys", "rotate", name, "--stage", stage], input);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  return stderr;
}

function freshSecrets(): Record<string, string> {
  const { status, stdout, stderr } = cli(["keys", "new"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return Object.fromEntries([...stdout.matchAll(/^([A-Z_]+)='([^'\n]+)'$/gm)].map(([, name = "", value = ""]) => [name, value]));
}

const fresh = freshSecrets();
const kidsOf = (ring: string): string[] =>
  ring.startsWith("[")
    ? JSON.parse(ring).map(({ kid }: { kid: string }) => kid)
    : ring.split(",").map((entry) => entry.split(":")[0] ?? "");

describe("edgecare keys new", () => {
  it("prints every secret once, each another one at every run", () => {
    expect(Object.keys(fresh).sort()).toEqual([...SECRETS, ...OPTIONAL_SECRETS].sort());
    const again = freshSecrets();
    expect(new Set([...Object.values(fresh), ...Object.values(again)]).size).toBe(2 * Object.keys(fresh).length);
    for (const value of Object.values(fresh)) expect(value.length).toBeGreaterThanOrEqual(32);
  });

  it("prints rings as the Worker reads them", async () => {
    expect((await parseSigningKeys(fresh["JWT_KEYS"] ?? "")).jwks.keys).toHaveLength(1);
    expect((await parseKeyRing(fresh["FIELD_KEYS"] ?? "")).currentKid).toBe("f1");
    expect((await parseMacKeyRing(fresh["IDENTITY_KEYS"] ?? "")).currentKid).toBe("i1");
    expect((await parseKeyRing(fresh["AUDIT_KEYS"] ?? "")).currentKid).toBe("a1");
    expect((await parseCheckpointSigners(fresh["AUDIT_SIGNING_KEYS"] ?? "")).current.kid).toBe("s1");
  });
});

describe("edgecare keys rotate", () => {
  it("JWT_KEYS: adds, then signs with the new key, then drops the old one; the Worker accepts every ring on the way", async () => {
    const present = fresh["JWT_KEYS"] ?? "";
    const [old] = kidsOf(present);
    const added = rotate("JWT_KEYS", "add", present);
    const [first, next] = kidsOf(added);
    expect([first, kidsOf(added).length]).toEqual([old, 2]);
    const signing = rotate("JWT_KEYS", "sign", added);
    expect(kidsOf(signing)).toEqual([next, old]);
    const dropped = rotate("JWT_KEYS", "drop", signing);
    expect(kidsOf(dropped)).toEqual([next]);
    for (const [ring, current] of [
      [added, old],
      [signing, next],
      [dropped, next],
    ] as const) {
      expect((await parseSigningKeys(ring)).currentKid).toBe(current);
    }
    expect(JSON.parse(signing)[1].d).toBe(JSON.parse(present)[0].d);
  });

  it.each([
    ["FIELD_KEYS", "f"],
    ["IDENTITY_KEYS", "i"],
    ["AUDIT_KEYS", "a"],
    ["AUDIT_SIGNING_KEYS", "s"],
  ] as const)("%s: as JWT_KEYS, but an old key goes by force alone", async (name, letter) => {
    const present = fresh[name] ?? "";
    const added = advanceRing(name, present, "add");
    expect(added.startsWith(`${present},`)).toBe(true);
    const signing = advanceRing(name, added, "sign");
    expect(kidsOf(signing)).toEqual([`${letter}2`, `${letter}1`]);
    const third = advanceRing(name, advanceRing(name, signing, "add"), "sign");
    expect(kidsOf(third)).toEqual([`${letter}3`, `${letter}2`, `${letter}1`]);
    expect((await parseKeyRing(third)).currentKid).toBe(`${letter}3`);
    expect(refused(name, "drop", third)).toContain("--force");
    expect(kidsOf(rotate(name, "drop", third, "--force"))).toEqual([`${letter}3`, `${letter}2`]);
  });

  it.each([
    ["LINK_KEY", "l"],
    ["REFRESH_KEY", "r"],
  ] as const)("%s: from a secret without a key id on, without force", async (name, letter) => {
    const present = fresh[name] ?? "";
    const added = rotate(name, "add", present);
    expect(added.startsWith(`${present},${letter}1:`)).toBe(true);
    const signing = rotate(name, "sign", added);
    expect(signing.endsWith(`,${present}`)).toBe(true);
    expect((await parseMacKeys(signing)).all).toHaveLength(2);
    const dropped = rotate(name, "drop", signing);
    expect(signing).toBe(`${dropped},${present}`);
    expect(kidsOf(advanceRing(name, advanceRing(name, dropped, "add"), "sign"))).toEqual([`${letter}2`, `${letter}1`]);
  });

  it("refuses a step too early or twice, and never drops the key that signs", () => {
    for (const name of RING_NAMES) {
      const present = fresh[name] ?? "";
      const added = advanceRing(name, present, "add");
      const signing = advanceRing(name, added, "sign");
      expect(() => advanceRing(name, present, "sign")).toThrow(/--stage add/);
      expect(() => advanceRing(name, added, "add")).toThrow(/--stage sign/);
      expect(() => advanceRing(name, signing, "sign")).toThrow(/already/);
      for (const ring of [present, added]) {
        for (const force of [false, true]) expect(() => advanceRing(name, ring, "drop", force)).toThrow(RingError);
      }
    }
    expect(refused("JWT_KEYS", "drop", fresh["JWT_KEYS"] ?? "")).toContain("cannot be dropped");
  });

  it("orders keys without a date by their place, the one in front being the newest", () => {
    const bare = JSON.parse(advanceRing("JWT_KEYS", advanceRing("JWT_KEYS", fresh["JWT_KEYS"] ?? "", "add"), "sign"));
    const undated = JSON.stringify(bare.map(({ iat: _, ...jwk }: { iat: number }) => jwk));
    expect(kidsOf(advanceRing("JWT_KEYS", undated, "drop"))).toEqual([bare[0].kid]);
    const next = advanceRing("JWT_KEYS", undated, "add");
    expect(kidsOf(advanceRing("JWT_KEYS", advanceRing("JWT_KEYS", next, "sign"), "drop"))).toEqual([
      kidsOf(next)[2],
      bare[0].kid,
    ]);
  });

  it("reads the line of .dev.vars too", () => {
    const line = `FIELD_KEYS='${fresh["FIELD_KEYS"]}'\n`;
    expect(kidsOf(rotate("FIELD_KEYS", "add", line))).toEqual(["f1", "f2"]);
  });

  it("says what is wrong with a ring and shows nothing of it", () => {
    const [secret] = [String(JSON.parse(fresh["JWT_KEYS"] ?? "")[0].d)];
    const rings: [string, string][] = [
      ["JWT_KEYS", ""],
      ["JWT_KEYS", `[{"kid":"a","kty":"EC","crv":"P-256","d":"${secret}"}]`],
      ["FIELD_KEYS", fresh["JWT_KEYS"] ?? ""],
      ["IDENTITY_KEYS", `${fresh["IDENTITY_KEYS"]},${fresh["IDENTITY_KEYS"]}`],
      ["AUDIT_KEYS", `${fresh["AUDIT_KEYS"]}AA`],
      ["AUDIT_SIGNING_KEYS", `${fresh["AUDIT_SIGNING_KEYS"]},`],
    ];
    for (const [name, ring] of rings) {
      const said = refused(name, "add", ring);
      expect(said).toContain(name);
      expect(said).not.toMatch(/at .*\.ts|A{20}/);
      expect(said).not.toContain(secret);
    }
  });

  it.each([
    [["keys"]],
    [["keys", "new", "--force"]],
    [["keys", "rotate", "INDEX_KEY", "--stage", "add"]],
    [["keys", "status", "--force"]],
    [["keys", "rotate", "JWT_KEYS", "--stage"]],
    [["nothing"]],
  ])("%j is answered with the usage and 2", (args) => {
    const { status, stdout, stderr } = cli(args, fresh["JWT_KEYS"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(
      "keys rotate JWT_KEYS|FIELD_KEYS|IDENTITY_KEYS|AUDIT_KEYS|AUDIT_SIGNING_KEYS|LINK_KEY|REFRESH_KEY --stage add|sign|drop",
    );
  });
});
