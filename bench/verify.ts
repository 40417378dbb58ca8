// Throughput of `edgecare audit verify` on one core: a log in a folder with segments, tiles and checkpoints, verified with all keys.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { v7 } from "uuid";
import { AuditFolder } from "../cli/audit-source.ts";
import { mulberry32 } from "../cli/random.ts";
import type { LogEntry } from "../src/audit-log/contract.ts";
import { writeSegment } from "../src/audit-log/segments/write-segment.ts";
import { leafHash } from "../src/audit-log/tree/leaf.ts";
import { signCheckpoint } from "../src/audit-log/tree/note.ts";
import { EMPTY_TREE, extendTree, partialTiles, rootHash, tilePath } from "../src/audit-log/tree/tiles.ts";
import { parseCheckpointSigners } from "../src/platform/checkpoint-signers.ts";
import { parseKeyRing } from "../src/platform/crypto.ts";
import { verifierKeysOf } from "../verifier/note.ts";
import { verifyLog } from "../verifier/verify-log.ts";

/** Those of an hour at most, as the log closes segments. */
const SEGMENT_ENTRIES = 4_096;
const MIN_EVENTS_PER_SECOND = 20_000;
const START = Date.UTC(2026, 0, 1);
const LOG = "none";
const AUDIT_KEYS = `a1:${Buffer.alloc(32, 3).toString("base64")}`;
const SIGNING_KEYS = `s1:${Buffer.alloc(32, 7).toString("base64")}`;

const random = mulberry32(15);
const pick = (name: string, count: number) => `${name}-${Math.floor(random() * count)}`;

function newEntry(seq: number): LogEntry {
  const time = START + seq * 900;
  return {
    seq,
    logged: time,
    seed: Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString("base64url"),
    id: v7({ msecs: time }),
    recorded: time,
    event: "patient.list",
    action: "R",
    outcome: "success",
    reason: null,
    actor: { kind: "user", id: pick("actor", 200), role: "nurse" },
    hospital_id: "hospital",
    actor_hospital_id: null,
    basis: "staff",
    purpose: "TREAT",
    entity: null,
    request_id: v7({ msecs: time }),
    ip: "203.0.113.7",
    detail: { count: 2 },
    subjects: [pick("patient", 5_000), pick("other-patient", 5_000)],
  };
}

/** A bucket in a folder, as far as the log writes to it. */
function bucketIn(folder: string): R2Bucket {
  const put = async (key: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
    return {};
  };
  return { put } as unknown as R2Bucket;
}

async function writeLog(folder: string, count: number): Promise<void> {
  const bucket = bucketIn(folder);
  const [ring, signers] = [await parseKeyRing(AUDIT_KEYS), await parseCheckpointSigners(SIGNING_KEYS)];
  let edge = EMPTY_TREE;
  for (let first = 0; first < count; first += SEGMENT_ENTRIES) {
    const entries = Array.from({ length: Math.min(SEGMENT_ENTRIES, count - first) }, (_, i) => newEntry(first + i));
    await writeSegment(bucket, ring, LOG, "hour", entries);
    const grown = extendTree(edge, entries.map(leafHash));
    edge = grown.edge;
    for (const tile of [...grown.full, ...partialTiles(edge)])
      await bucket.put(`tlog/${LOG}/tile/${tilePath(tile)}`, tile.hashes);
    const note = await signCheckpoint(signers, LOG, { size: edge.size, rootHash: rootHash(edge) });
    await bucket.put(`tlog/${LOG}/checkpoints/${String(edge.size).padStart(12, "0")}`, new TextEncoder().encode(note));
  }
}

/** Verifies a log of so many events. @returns events per second of CPU time */
export async function measureVerifier(count: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-bench-verify-"));
  try {
    await writeLog(folder, count);
    const log = new AuditFolder(folder);
    const keys = { verifierKeys: await verifierKeysOf(SIGNING_KEYS, LOG), auditKeys: AUDIT_KEYS, savedCheckpoint: null };
    const before = process.cpuUsage();
    const { problem, checked } = await verifyLog(log.source(LOG, keys));
    const { user, system } = process.cpuUsage(before);
    log.close();
    if (problem || checked.events !== count) throw new Error(`the log was not verified: ${JSON.stringify({ problem, checked })}`);
    return Math.round((count * 1_000_000) / (user + system));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const perSecond = await measureVerifier(100_000);
  console.log(`verifier: ${perSecond} events per second on one core (at least ${MIN_EVENTS_PER_SECOND})`);
  process.exitCode = perSecond < MIN_EVENTS_PER_SECOND ? 1 : 0;
}
