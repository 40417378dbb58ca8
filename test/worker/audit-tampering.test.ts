// The independent verifier names every change of a log's raw stores: rows of the object's SQLite and objects in R2.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { resealSegment } from "../../src/audit-log/segments/reseal-segment.ts";
import { signCheckpoint } from "../../src/audit-log/tree/note.ts";
import { getKeys } from "../../src/platform/config.ts";
import { leafHash } from "../../verifier/leaf.ts";
import { verifyLog } from "../../verifier/verify-log.ts";
import { isSampled } from "../long.ts";
import { createRandom } from "../node/alerts-randomness.ts";
import { dumpStorage, loadStorage, type StorageDump } from "../object-storage.ts";
import { env } from "../world.ts";
import { appendAll, evict, HOUR, inside, newEvent, newLog, runDue, START, type Stub } from "./audit-log-world.ts";

/** Entries 0 to 299 and 300 to 549 are in segments, 550 to 629 are rows, of which a checkpoint covers those before 610. */
const [FIRST_OPEN, COVERED, SIZE] = [550, 610, 630];
type Log = { logId: string; stub: Stub };
/** An object of R2 by key. */
type Files = Map<string, Uint8Array>;
let log: Log;
let files: Files;
let storage: StorageDump;

const rotated = `k9:${Buffer.alloc(32, 9).toString("base64")},${env.AUDIT_KEYS}`;

async function createLog(): Promise<Log> {
  const made = newLog();
  const add = (count: number) =>
    appendAll(
      made.stub,
      Array.from({ length: count }, (_, i) => newEvent({ actor: { kind: "user", id: `actor-${i % 7}`, role: "nurse" } })),
    );
  for (const [hour, count] of [300, 250].entries()) {
    await add(count);
    vi.setSystemTime(START + (hour + 1) * HOUR);
    await runDue(made.stub);
  }
  await add(60);
  await made.stub.checkpoint();
  await add(20);
  return made;
}

async function listKeys(prefix: string): Promise<string[]> {
  return (await env.FILES.list({ prefix })).objects.map(({ key }) => key);
}
const logKeys = async () => [...(await listKeys(`audit/${log.logId}/`)), ...(await listKeys(`tlog/${log.logId}/`))];
const readFile = async (key: string) => new Uint8Array((await (await env.FILES.get(key))?.arrayBuffer()) ?? new ArrayBuffer());

async function record(): Promise<void> {
  storage = await inside(log.stub, (_, state) => dumpStorage(state.storage.sql));
  files = new Map();
  for (const key of await logKeys()) files.set(key, await readFile(key));
}

async function restore(): Promise<void> {
  await inside(log.stub, (_, state) => loadStorage(state.storage.sql, storage));
  await evict(log.stub);
  const keys = await logKeys();
  await env.FILES.delete(keys.filter((key) => !files.has(key)));
  for (const [key, bytes] of files) await env.FILES.put(key, bytes);
}

const verify = async (keys = env) => verifyLog(await openLogSource({ ...env, AUDIT_KEYS: keys.AUDIT_KEYS }, log.logId));
const run = (query: string, ...values: SqlStorageValue[]) =>
  inside(log.stub, (_, state) => void state.storage.sql.exec(query, ...values));

type Row = { seq: number; id: string; logged: number; event: string; seed: ArrayBuffer; leaf_hash: ArrayBuffer; mac: string };
const toText = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("base64url");
/** The row as somebody without keys would write it at this number: with its leaf hash, and the MAC that it had. */
function renumbered(row: Row, seq: number): Row {
  const hash = leafHash({ ...JSON.parse(row.event), seq, logged: row.logged, seed: toText(row.seed) });
  return { ...row, seq, leaf_hash: new Uint8Array(hash).buffer };
}

/** Replaces the open rows by others, numbered from the first on. */
async function rewrite(change: (rows: Row[]) => Row[]): Promise<void> {
  await inside(log.stub, (_, state) => {
    const { sql } = state.storage;
    const rows = change(sql.exec<Row>("SELECT * FROM entries ORDER BY seq").toArray());
    sql.exec("DELETE FROM entries");
    for (const [i, row] of rows.entries()) {
      const { seq, id, logged, event, seed, leaf_hash, mac } = row.seq === FIRST_OPEN + i ? row : renumbered(row, FIRST_OPEN + i);
      sql.exec("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", seq, id, logged, event, seed, leaf_hash, mac);
    }
  });
}
const edited = (row: Row): Row => renumbered({ ...row, event: row.event.replace("actor-", "actor-x") }, row.seq);
/** As somebody without keys would forge it. */
const forged = (row: Row): Row => ({
  ...row,
  event: row.event.replace('"nurse"', '"doctor"').replace(row.id, row.id.replace(/.{4}$/, "beef")),
  id: row.id.replace(/.{4}$/, "beef"),
  mac: `${row.mac.split(".")[0]}.${Buffer.alloc(32, 5).toString("base64url")}`,
});

async function flip(key: string, at: number): Promise<void> {
  const bytes = await readFile(key);
  const i = at % bytes.length;
  bytes[i] = (bytes[i] ?? 0) ^ (1 << (at % 8));
  await env.FILES.put(key, bytes);
}
const flipOneOf = async (prefix: string, n: number) => {
  const keys = await listKeys(prefix);
  await flip(keys[n % keys.length] ?? "", n * 7919);
};

/** A checkpoint that the log's own key signed, over another tree. */
async function signOther(size: number): Promise<string> {
  const { auditSigners } = await getKeys(env);
  return signCheckpoint(auditSigners, log.logId, { size, rootHash: new Uint8Array(32).fill(7) });
}
const sizes = [300, FIRST_OPEN, COVERED];
const keyOf = (size: number) => `tlog/${log.logId}/checkpoints/${String(size).padStart(12, "0")}`;
const at = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

/** What must be named: the kind, or several that the stores cannot tell apart, and the first entry that differs; null for none. */
type Named = [kinds: string | string[], seq: number | null | undefined];
type Tampering = [name: string, change: (n: number) => Promise<Named>];
/** Of the open rows, so that there are `after` others behind it. */
const openSeq = (n: number, after: number) => FIRST_OPEN + (n % (SIZE - FIRST_OPEN - after));
const index = (seq: number) => seq - FIRST_OPEN;

const TAMPERINGS: Tampering[] = [
  ["a byte of a segment", async (n) => flipOneOf(`audit/${log.logId}/`, n).then(() => ["unreadable", undefined])],
  ["a byte of a tile", async (n) => flipOneOf(`tlog/${log.logId}/tile/`, n).then(() => ["tile_changed", undefined])],
  [
    "a byte of a checkpoint",
    async (n) => flipOneOf(`tlog/${log.logId}/checkpoints/`, n).then(() => ["checkpoint_replaced", null]),
  ],
  [
    "a checkpoint deleted",
    async (n) => {
      await env.FILES.delete(keyOf(at(sizes, n)));
      return ["checkpoint_deleted", null];
    },
  ],
  [
    "a checkpoint replaced by one of the log's key over another tree",
    async (n) => {
      const size = at(sizes, n);
      await env.FILES.put(keyOf(size), await signOther(size));
      return ["checkpoint_replaced", null];
    },
  ],
  [
    "a checkpoint replaced likewise, unknown to the log's own state",
    async (n) => {
      const size = at([300, FIRST_OPEN], n);
      await env.FILES.put(keyOf(size), await signOther(size));
      await run("DELETE FROM checkpoints");
      return ["checkpoint_replaced", null];
    },
  ],
  [
    "a checkpoint replaced in the object's own state",
    async () => {
      await run("UPDATE state SET checkpoint = ?", await signOther(COVERED));
      return ["checkpoint_replaced", null];
    },
  ],
  [
    "all checkpoints of closed entries deleted, in the state as well",
    async () => {
      await env.FILES.delete([keyOf(FIRST_OPEN), keyOf(COVERED)]);
      await run("DELETE FROM checkpoints WHERE size > 300");
      await run("UPDATE state SET checkpoint = NULL, checkpoint_size = 300");
      return ["checkpoint_deleted", 300];
    },
  ],
  [
    "a tile deleted",
    async (n) => {
      await env.FILES.delete(at(await listKeys(`tlog/${log.logId}/tile/`), n));
      return ["tile_changed", undefined];
    },
  ],
  [
    "a file of a segment deleted",
    async (n) => {
      const key = at(await listKeys(`audit/${log.logId}/`), n);
      await env.FILES.delete(key);
      return ["deleted", Number(/\/(\d+)-\d+-[\w-]+$/.exec(key)?.[1])];
    },
  ],
  [
    "a segment dropped from the list",
    async (n) => {
      await run("DELETE FROM segments WHERE first_seq = ?", (n % 2) * 300);
      return ["deleted", (n % 2) * 300];
    },
  ],
  [
    "a segment listed twice",
    async () => {
      const values = "recorded_from, recorded_to, logged_from, logged_to, level, object_key, size, index_size, terms, kid";
      await run(`INSERT INTO segments SELECT 17, end_seq, ${values} FROM segments WHERE first_seq = 0`);
      return ["index_changed", 17];
    },
  ],
  [
    "the times of a segment in the list",
    async (n) => {
      await run(`UPDATE segments SET ${n % 2 ? "recorded_to = 0" : "recorded_from = 1e15"} WHERE first_seq = 300`);
      return ["index_changed", 300];
    },
  ],
  [
    "the terms of a segment in the list",
    async (n) => {
      const { terms } = (storage.rows["segments"]?.[1] ?? {}) as { terms: { base64: string } };
      const bytes = new Uint8Array(Buffer.from(terms.base64, "base64"));
      // Either another fingerprint, or one less.
      const changed = n % 2 ? bytes.with(n % bytes.length, (bytes[n % bytes.length] ?? 0) ^ 1) : bytes.slice(4);
      await run("UPDATE segments SET terms = ? WHERE first_seq = 300", changed.buffer);
      return ["index_changed", undefined];
    },
  ],
  [
    "an event that was never pruned declared to be",
    async () => {
      await run("UPDATE state SET pruned_end = 300");
      await run("DELETE FROM segments WHERE first_seq = 300");
      return ["deleted", 300];
    },
  ],
  [
    "the event of a row",
    async (n) => {
      const seq = openSeq(n, 0);
      await run("UPDATE entries SET event = replace(event, 'actor-', 'actor-x') WHERE seq = ?", seq);
      return ["edited", seq];
    },
  ],
  [
    "the event of a row, with its leaf hash",
    async (n) => {
      const seq = openSeq(n, 0);
      await rewrite((rows) => rows.map((row) => (row.seq === seq ? edited(row) : row)));
      return ["edited", seq];
    },
  ],
  [
    "the time, seed, id, MAC or leaf hash of a row",
    async (n) => {
      const seq = openSeq(n >> 3, 0);
      const changes = [
        `logged = logged ${n % 2 ? "+ 1" : "- 86400000"}`,
        "seed = zeroblob(16)",
        "id = 'x' || id",
        "mac = 'x' || mac",
        "leaf_hash = zeroblob(32)",
        "event = '{}'",
        "event = 'null'",
      ];
      await run(`UPDATE entries SET ${at(changes, n)} WHERE seq = ?`, seq);
      return ["edited", seq];
    },
  ],
  [
    "a row deleted",
    async (n) => {
      const seq = openSeq(n, 1);
      await run("DELETE FROM entries WHERE seq = ?", seq);
      return ["deleted", seq];
    },
  ],
  [
    "a row deleted and the others renumbered",
    async (n) => {
      const seq = openSeq(n, 1);
      await run("DELETE FROM entries WHERE seq = ?", seq);
      await run("UPDATE entries SET seq = seq + 1000 WHERE seq > ?", seq);
      await run("UPDATE entries SET seq = seq - 1001 WHERE seq > 1000");
      return ["deleted", seq];
    },
  ],
  [
    "one to three rows deleted and the others renumbered with their leaf hashes",
    async (n) => {
      const count = 1 + (n % 3);
      const seq = openSeq(n >> 2, count + 2);
      await rewrite((rows) => rows.filter((row) => row.seq < seq || row.seq >= seq + count));
      return ["deleted", seq];
    },
  ],
  [
    "the last row but one deleted and the last renumbered with its leaf hash",
    async () => {
      await rewrite((rows) => rows.filter(({ seq }) => seq !== SIZE - 2));
      return [["edited", "deleted"], SIZE - 2];
    },
  ],
  [
    "two rows exchanged",
    async (n) => {
      const seq = openSeq(n, 1);
      await run("UPDATE entries SET seq = 9999 WHERE seq = ?", seq);
      await run("UPDATE entries SET seq = ? WHERE seq = ?", seq, seq + 1);
      await run("UPDATE entries SET seq = ? WHERE seq = 9999", seq + 1);
      return ["reordered", seq];
    },
  ],
  [
    "a row moved to another place, all with their leaf hashes",
    async (n) => {
      const [from, to] = [index(openSeq(n, 0)), index(openSeq(n >> 8, 0))];
      if (from === to) return [[], -1];
      await rewrite((rows) => {
        const [moved] = rows.splice(from, 1);
        if (moved) rows.splice(to, 0, moved);
        return rows;
      });
      return ["reordered", FIRST_OPEN + Math.min(from, to)];
    },
  ],
  [
    "rows in reverse order, with their leaf hashes",
    async (n) => {
      const [from, length] = [index(openSeq(n, 20)), 3 + (n % 17)];
      await rewrite((rows) => [
        ...rows.slice(0, from),
        ...rows.slice(from, from + length).reverse(),
        ...rows.slice(from + length),
      ]);
      return ["reordered", FIRST_OPEN + from];
    },
  ],
  [
    "a forged row inserted before another",
    async (n) => {
      const i = index(openSeq(n, 0));
      await rewrite((rows) => rows.flatMap((row, k) => (k === i ? [renumbered(forged(row), -1), row] : [row])));
      return ["inserted", FIRST_OPEN + i];
    },
  ],
  [
    "a forged row in place of another",
    async (n) => {
      const i = index(openSeq(n, 0));
      await rewrite((rows) => rows.map((row, k) => (k === i ? renumbered(forged(row), row.seq) : row)));
      return ["edited", FIRST_OPEN + i];
    },
  ],
  [
    "a forged row at the end",
    async () => {
      await rewrite((rows) => [...rows, ...rows.slice(-1).map((row) => renumbered(forged(row), -1))]);
      return [["edited", "inserted"], SIZE];
    },
  ],
  [
    "a copy of the last row at the end",
    async () => {
      await run("INSERT INTO entries SELECT 630, id, logged, event, seed, leaf_hash, mac FROM entries WHERE seq = 629");
      return ["inserted", SIZE];
    },
  ],
  [
    "a row before the first open one",
    async (n) => {
      const seq = at([-5, 0, 17, 300, 549], n);
      await run("INSERT INTO entries SELECT ?, id, logged, event, seed, leaf_hash, mac FROM entries WHERE seq = 600", seq);
      return ["inserted", seq];
    },
  ],
  [
    "the end of the log",
    async (n) => {
      const seq = FIRST_OPEN + (n % (COVERED - FIRST_OPEN));
      await run("DELETE FROM entries WHERE seq >= ?", seq);
      return ["truncated", seq];
    },
  ],
];

beforeAll(async () => {
  vi.useFakeTimers({ now: START, toFake: ["Date"] });
  log = await createLog();
  await record();
});
afterAll(() => void vi.useRealTimers());

/** Of each change in the long form; the short form has one of them, another each day. */
const REPEATS = 33;

/** Changes the stores, verifies, and puts everything back. */
async function tamper(change: Tampering[1], n: number, keys = env) {
  const [kinds, seq] = await change(n);
  const { isIntact, problem } = await verify(keys);
  await restore();
  if (seq === -1) return;
  const kind = [kinds].flat().includes(problem?.kind ?? "") ? kinds : problem;
  expect({ n, isIntact, kind, seq: problem?.seq, detail: problem?.detail }).toMatchObject({
    n,
    isIntact: false,
    kind: kinds,
    ...(seq !== undefined && { seq }),
  });
}

describe("a changed log is named", () => {
  const random = createRandom(15).next;
  it.each(TAMPERINGS.map(([name, change], row) => [name, change, row] as const))("%s", async (_, change, row) => {
    const draws = Array.from({ length: REPEATS }, () => Math.floor(random() * 1_000_000));
    for (const n of draws.filter((_n, i) => isSampled(row, i, REPEATS))) await tamper(change, n);
    expect((await verify()).problem).toBeNull();
  });
});

it("segments that were sealed again under a new key are accepted, and their changes named", async () => {
  const before = { storage, files };
  const keys = { ...env, AUDIT_KEYS: rotated };
  const { audit } = await getKeys(keys);
  for (const segment of await log.stub.listSegments(0, 10)) {
    const resealed = await resealSegment(env.FILES, audit, segment);
    if (!resealed) throw new Error("the segment has the current key already");
    const { key, size, indexSize } = resealed;
    await run(
      "UPDATE segments SET object_key = ?, size = ?, index_size = ? WHERE first_seq = ?",
      key,
      size,
      indexSize,
      segment.first,
    );
    await env.FILES.delete(segment.key);
  }
  await record();
  expect(await verify(keys)).toMatchObject({ isIntact: true, checked: { events: SIZE, segments: 2 } });
  expect((await verify()).problem).toMatchObject({ kind: "unreadable", seq: 0 });
  const named = TAMPERINGS.filter(([name]) => /segment/.test(name));
  for (const [row, [, change]] of named.entries())
    for (let n = 0; n < REPEATS; n++) if (isSampled(row, n, REPEATS)) await tamper(change, n * 31, keys);
  ({ storage, files } = before);
  await restore();
});
