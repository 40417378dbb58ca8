// Checkpoints of the audit log in workerd: signed notes that others verify, and whatever is not one is refused.
import { describe, expect, it } from "vitest";
import { openCheckpoint, parseCheckpoint, signCheckpoint, verifierKeyOf, verifierKeysOf } from "../../src/audit-log/tree/note.ts";
import { parseCheckpointSigners } from "../../src/platform/checkpoint-signers.ts";

/** Seed and public key of RFC 8032, section 7.1, test 1. */
const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const ring = (kid: string, hex: string) => `${kid}:${Buffer.from(hex, "hex").toString("base64")}`;
const OTHER = ring("s2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const ROOT = Uint8Array.from({ length: 32 }, (_, i) => i);
const signers = await parseCheckpointSigners(ring("s1", SEED));

describe("a ring of signing keys", () => {
  it("derives the public key that RFC 8032 gives for its seed", () => {
    expect(Buffer.from(signers.current.publicKey).toString("hex")).toBe(PUBLIC_KEY);
    expect(signers.current.privateKey.extractable).toBe(false);
  });

  it("signs with its first key and publishes all", async () => {
    const rotated = await parseCheckpointSigners(`${OTHER},${ring("s1", SEED)}`);
    expect(rotated.current.kid).toBe("s2");
    expect(verifierKeysOf(rotated, "none")).toEqual([
      verifierKeyOf(rotated.current, "none"),
      verifierKeyOf(signers.current, "none"),
    ]);
    const before = await signCheckpoint(signers, "none", { size: 7, rootHash: ROOT });
    const after = await signCheckpoint(rotated, "none", { size: 7, rootHash: ROOT });
    expect(after).not.toBe(before);
    for (const note of [before, after]) expect((await openCheckpoint(rotated, "none", note))?.size).toBe(7);
    expect(await openCheckpoint(signers, "none", after)).toBeNull();
  });
});

describe("a checkpoint", () => {
  it("is the signed note of the specification", async () => {
    const note = await signCheckpoint(signers, "none", { size: 7, rootHash: ROOT });
    expect(note).toMatch(/^edgecare\/audit\/none\n7\nAAECAwQF[^\n]+\n\n— edgecare\/audit\/none [A-Za-z0-9+/]{90,}=*\n$/);
    expect(parseCheckpoint(note)).toEqual({ origin: "edgecare/audit/none", size: 7, rootHash: ROOT });
    expect(await openCheckpoint(signers, "none", note)).toEqual(parseCheckpoint(note));
    const second = "— example.org/witness AAAAAAAAAAAAAAAAAAAAAA==\n";
    expect((await openCheckpoint(signers, "none", note + second))?.size).toBe(7);
  });

  it("of another log, size, root or key is none of this log's", async () => {
    const note = await signCheckpoint(signers, "none", { size: 7, rootHash: ROOT });
    expect(await openCheckpoint(signers, "0193a5b0-0000-7000-8000-00000000000a", note)).toBeNull();
    expect(await openCheckpoint(await parseCheckpointSigners(OTHER), "none", note)).toBeNull();
    for (const changed of [note.replace("\n7\n", "\n8\n"), note.replace("AAECAwQF", "AAECAwQG")]) {
      expect(parseCheckpoint(changed)).not.toBeNull();
      expect(await openCheckpoint(signers, "none", changed)).toBeNull();
    }
  });

  it("refuses what is not the state of a tree", async () => {
    await expect(signCheckpoint(signers, "none", { size: -1, rootHash: ROOT })).rejects.toThrow(RangeError);
    await expect(signCheckpoint(signers, "none", { size: 1, rootHash: ROOT.subarray(1) })).rejects.toThrow(RangeError);
  });

  it("that is malformed is refused", async () => {
    const note = await signCheckpoint(signers, "none", { size: 7, rootHash: ROOT });
    const [text = "", signature = ""] = note.split(/\n\n/);
    const malformed = [
      "",
      text,
      `${text}\n`,
      `${text}\n\n`,
      note.slice(0, -1),
      `${note}\n`,
      `\u0001${note}`,
      note.replaceAll("\n", "\r\n"),
      note.replace("\n7\n", "\n07\n"),
      note.replace("\n7\n", "\n-7\n"),
      note.replace("\n7\n", "\n9007199254740993\n"),
      note.replace("\n\n", "\nextension\n\n"),
      note.replace("—", "-"),
      note.replace("— edgecare/audit/none", "— edgecare/audit none"),
      note.replace("— edgecare/audit/none", "— edgecare+audit/none"),
      note.replace(/=*\n\n/, "\n\n"),
      `${text}\n\n${signature.slice(0, 40)}\n`,
      `${note}Unexpected line.\n`,
      `${text}\n\n${signature.repeat(17)}`,
      `\ud800${note}`,
      note.replace("\n7\n", `\n7\n${"x".repeat(20_000)}\n`),
    ];
    for (const bad of malformed) {
      expect({ bad, opened: await openCheckpoint(signers, "none", bad) }).toEqual({ bad, opened: null });
    }
  });
});
