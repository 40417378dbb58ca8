// The independent verifier: published vectors of Merkle trees and notes, agreement with the log's own code, and its command.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { measureVerifier } from "../../bench/verify.ts";
import type { LogEntry } from "../../src/audit-log/contract.ts";
import { AUDIT_LOG_MIGRATIONS } from "../../src/audit-log/schema.ts";
import { leafBytes } from "../../src/audit-log/tree/leaf.ts";
import { verifierKeysOf as ownVerifierKeysOf, signCheckpoint } from "../../src/audit-log/tree/note.ts";
import { EMPTY_TREE, extendTree, tilePath as ownTilePath, partialTiles, rootHash } from "../../src/audit-log/tree/tiles.ts";
import { parseCheckpointSigners } from "../../src/platform/checkpoint-signers.ts";
import { leafOf } from "../../verifier/leaf.ts";
import { isSigned, parseCheckpoint, verifierKeysOf } from "../../verifier/note.ts";
import { rootOf, rootOfEdge, tilePath, verifyConsistency, verifyInclusion } from "../../verifier/tree.ts";
import { times, VERIFY } from "../long.ts";
import { createRandom } from "./alerts-randomness.ts";

type Vector = { name: string; proof: string[] | null; wantErr: boolean };
type InclusionVector = Vector & { leafIdx: number; treeSize: number; root: string | null; leafHash: string | null };
type ConsistencyVector = Vector & { size1: number; size2: number; root1: string | null; root2: string | null };
const vectors = <T>(kind: string): T[] => JSON.parse(readFileSync(`test/fixtures/merkle/${kind}.json`, "utf8"));
const bytes = (base64: string | null) => new Uint8Array(Buffer.from(base64 ?? "", "base64"));
const hashOf = (hex: string) => new Uint8Array(createHash("sha256").update("\0").update(Buffer.from(hex, "hex")).digest());
const random = createRandom(15);

describe("published vectors", () => {
  it.each(vectors<InclusionVector>("inclusion"))("inclusion: $name", ({ leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
    const isProved = verifyInclusion(leafIdx, treeSize, bytes(leafHash), (proof ?? []).map(bytes), bytes(root));
    expect(isProved).toBe(!wantErr);
  });

  it.each(vectors<ConsistencyVector>("consistency"))("consistency: $name", ({ size1, size2, root1, root2, proof, wantErr }) => {
    const [first, second] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ];
    expect(verifyConsistency(first, second, (proof ?? []).map(bytes))).toBe(!wantErr);
  });

  it("the tree of eight leaves (transparency-dev/merkle, testonly/constants.go)", () => {
    const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const root = rootOf(leaves.map(hashOf));
    expect(Buffer.from(root).toString("hex")).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    expect(rootOfEdge([Buffer.concat(leaves.map(hashOf))])).toEqual(root);
  });

  it("the key and note of golang.org/x/mod/sumdb/note", async () => {
    const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const note =
      "If you think cryptography is the answer to your problem,\n" +
      "then you don't know what your problem is.\n\n" +
      "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    expect(await isSigned(note, [vkey])).toBe(true);
    expect(await isSigned(note.replace("your problem is", "the problem is"), [vkey])).toBe(false);
  });

  it("the path of a tile (C2SP tlog-tiles)", () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("0/x001/x234/067");
  });
});

const word = () => random.pick(["nurse", "ä\u2028", "\ud83d\ude00", 'a"b\\', "", "\u0007", "x".repeat(40)]);
function randomEntry(seq: number): LogEntry {
  const value = () => random.pick<unknown>([null, word(), random.integer(-5, 1e9), random.next(), [word(), { b: 1, a: word() }]]);
  const subjects = Array.from({ length: random.integer(0, 3) }, (_, i) => `patient-${i}-${random.integer(0, 99)}`);
  return {
    id: `id-${seq}`,
    seq,
    logged: random.integer(0, 2e12),
    recorded: random.integer(0, 2e12),
    seed: Buffer.from(Array.from({ length: 16 }, () => random.integer(0, 255))).toString("base64url"),
    event: word(),
    action: "R",
    outcome: "success",
    reason: random.pick([null, word()]),
    actor: { kind: "user", role: random.pick([null, word()]), id: word() },
    hospital_id: random.pick([null, word()]),
    actor_hospital_id: random.pick([null, word()]),
    basis: null,
    purpose: word(),
    entity: random.pick([
      null,
      { type: "patient", id: "p" },
      { type: "report", id: `${subjects[0] ?? word()}/1` },
      { type: "w", id: "1" },
    ]),
    request_id: word(),
    ip: random.pick([null, word()]),
    detail: random.pick([null, { z: value(), a: value(), ä: value(), "": value() }]),
    subjects,
  };
}

describe("the verifier and the log's own code", () => {
  it("agree on every leaf", () => {
    for (let i = 0; i < times(500, 20_000); i++) {
      const entry = randomEntry(i);
      expect(leafOf(entry)).toBe(Buffer.from(leafBytes(entry)).toString("utf8"));
    }
  });

  it("agree on roots, paths of tiles and verifier keys", async () => {
    const leaves = Array.from({ length: 700 }, (_, i) => hashOf(i.toString(16).padStart(4, "0")));
    for (const size of [0, 1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 700]) {
      const { edge } = extendTree(EMPTY_TREE, leaves.slice(0, size));
      expect(rootOfEdge(partialTiles(edge).map(({ hashes }) => hashes))).toEqual(rootHash(edge));
    }
    for (const index of [0, 9, 999, 1_000, 1_234_567]) {
      for (const width of [1, 256]) expect(tilePath({ level: 2, index, width })).toBe(ownTilePath({ level: 2, index, width }));
    }
    const ring = `s1:${Buffer.alloc(32, 7).toString("base64")}`;
    const signers = await parseCheckpointSigners(ring);
    expect(await verifierKeysOf(ring, "none")).toEqual(ownVerifierKeysOf(signers, "none"));
    const note = await signCheckpoint(signers, "none", { size: 1, rootHash: hashOf("") });
    expect(parseCheckpoint("none", note)).toEqual({ size: 1, root: hashOf("") });
    expect(await isSigned(note, await verifierKeysOf(ring, "none"))).toBe(true);
  });
});

it("20,000 events a second are verified on one core", { timeout: 120_000 }, async ({ skip }) => {
  skip(!VERIFY, "in npm run verify");
  const perSecond = await measureVerifier(40_000);
  process.stderr.write(`events verified per second: ${perSecond}\n`);
  expect(perSecond).toBeGreaterThan(20_000);
});

describe("edgecare audit verify", () => {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-verify-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const ring = `s1:${Buffer.alloc(32, 7).toString("base64")}`;
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  const verify = (...args: string[]) => {
    const command = ["cli/edgecare.mjs", "audit", "verify", ...args];
    const { status, stdout, stderr } = spawnSync("node", command, { encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("accepts tiles and checkpoints of a folder, names a changed byte, and explains its use", async () => {
    const { full, edge } = extendTree(
      EMPTY_TREE,
      Array.from({ length: 300 }, (_, i) => hashOf(i.toString(16).padStart(4, "0"))),
    );
    for (const tile of [...full, ...partialTiles(edge)]) write(`tlog/none/tile/${ownTilePath(tile)}`, tile.hashes);
    const note = await signCheckpoint(await parseCheckpointSigners(ring), "none", { size: 300, rootHash: rootHash(edge) });
    write("tlog/none/checkpoints/000000000300", note);
    write("keys", `export AUDIT_SIGNING_KEYS='${ring}'\nAUDIT_KEYS = ${ring}\n`);
    write("saved", `${note}\n`);
    const args = [folder, "--keys", join(folder, "keys"), "--checkpoint", join(folder, "saved")];
    expect(verify(...args)).toMatchObject({
      status: 0,
      stdout:
        "none: intact (0 events opened of 300, 1 checkpoints; 300 events are only in the log's object, or missing)\n" +
        "Only the log of the checkpoint, none, was checked.\n",
    });
    const withoutKeys = expect.stringContaining("none: intact as far as it was checked without keys (0 events opened of 300");
    expect(verify(folder)).toMatchObject({ status: 0, stdout: withoutKeys });
    for (const text of ["", `{"AUDIT_KEYS":"${ring}"}`, `AUDIT_KEYS='${ring}'\n`, `AUDIT_KEYS=x\nAUDIT_SIGNING_KEYS=x\n`]) {
      write("bad-keys", text);
      const { status, stderr } = verify(folder, "--keys", join(folder, "bad-keys"));
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^[^\n]*bad-keys[^\n]*\n$/) });
    }
    const tile = join(folder, "tlog/none/tile/0/000");
    const changed = readFileSync(tile);
    changed[40] = (changed[40] ?? 0) ^ 1;
    writeFileSync(tile, changed);
    const { status, stdout } = verify(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/^none: (truncated|tile_changed)/) });
    write("empty/file", "");
    const empty = join(folder, "empty");
    const wrong = [[], ["/does/not/exist"], [join(empty, "file")], [empty], [folder, "--log", "other"], [folder, "--colour"]];
    for (const bad of [...wrong, [...args, "--log", "other"], [folder, "--keys", empty]]) expect(verify(...bad).status).toBe(2);
  });

  /** The local state of a server with one object: its tables, as the log creates them, and rows of its state. */
  function localState(change: (db: DatabaseSync) => void = () => {}): string {
    const state = mkdtempSync(join(folder, "state-"));
    for (const path of ["r2", "do/edgecare-AuditLog"]) mkdirSync(join(state, path), { recursive: true });
    const db = new DatabaseSync(join(state, "do/edgecare-AuditLog/object.sqlite"));
    for (const { statements } of AUDIT_LOG_MIGRATIONS.migrations) for (const statement of statements) db.exec(statement);
    db.exec("INSERT INTO state VALUES (1, 'none', 0, 0, '', NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0)");
    change(db);
    db.close();
    return state;
  }

  it("takes no object for a log that was only read, as the local server leaves it", () => {
    const state = localState();
    const db = new DatabaseSync(join(state, "do/edgecare-AuditLog/read.sqlite"));
    db.exec("CREATE TABLE __miniflare_do_name (name TEXT); CREATE TABLE _cf_METADATA (key INTEGER)");
    db.close();
    expect(verify(state)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^none: intact [^\n]*\n$/) });
  });

  it("accepts a log without events, and misses a checkpoint that its object has written", () => {
    write("keys", `AUDIT_SIGNING_KEYS='${ring}'\nAUDIT_KEYS='${ring}'\n`);
    const keys = ["--keys", join(folder, "keys")];
    const { status, stdout } = verify(localState(), ...keys);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "none: intact (0 events opened of 0, 0 checkpoints)\n" });
    const missing = localState((db) => db.exec("INSERT INTO checkpoints VALUES (7, zeroblob(32))"));
    expect(verify(missing, ...keys)).toMatchObject({ status: 1, stdout: expect.stringMatching(/^none: checkpoint_deleted/) });
  });

  it("names a log or file that cannot be read, goes on with the others, and leaves no copy behind", () => {
    const temp = mkdtempSync(join(folder, "temp-"));
    const run = (state: string) => {
      const command = ["cli/edgecare.mjs", "audit", "verify", state];
      const { status, stdout, stderr } = spawnSync("node", command, { encoding: "utf8", env: { ...process.env, TMPDIR: temp } });
      return { status, stderr, stdout };
    };
    const damages: [string, (object: string) => void][] = [
      ["garbage", (object) => writeFileSync(object, "garbage".repeat(1_000))],
      ["truncated", (object) => truncateSync(object, 5_000)],
      ["without its state row", (object) => new DatabaseSync(object).exec("DELETE FROM state")],
      ["second", () => undefined],
    ];
    for (const [name, damage] of damages) {
      const state = localState();
      const other = join(state, "do/edgecare-AuditLog/x.sqlite");
      copyFileSync(join(state, "do/edgecare-AuditLog/object.sqlite"), other);
      damage(other);
      const stdout = expect.stringMatching(/x\.sqlite: unreadable: .+\nnone: intact/);
      expect([name, run(state)]).toEqual([name, { status: 1, stderr: "", stdout }]);
    }
    const huge = localState((db) => db.exec("UPDATE state SET pruned_end = 9223372036854775807"));
    expect(run(huge)).toEqual({ status: 1, stderr: "", stdout: expect.stringMatching(/^none: unreadable: /) });
    const copy = mkdtempSync(join(folder, "copy-"));
    for (const name of ["tile/0/000", "checkpoints/000000000300"]) {
      mkdirSync(dirname(join(copy, "tlog/none", name)), { recursive: true });
      copyFileSync(join(folder, "tlog/none", name), join(copy, "tlog/none", name));
    }
    truncateSync(join(copy, "tlog/none/tile/0/000"), 8 * 2 ** 30);
    expect(run(copy)).toMatchObject({ status: 1, stdout: expect.stringMatching(/^none: /) });
    expect(readdirSync(temp)).toEqual([]);
  });
});
