// What the verifier reads of a log, from its object and R2.
import type { LogSource } from "../../verifier/source.ts";
import { tilePath } from "../../verifier/tree.ts";
import { getKeys } from "../platform/config.ts";
import { auditLogOf } from "./contract.ts";
import { verifierKeysOf } from "./tree/note.ts";

/** Stores nothing, even for a log without events. @param savedCheckpoint a checkpoint that was kept elsewhere */
export async function openLogSource(env: Env, logId: string, savedCheckpoint: string | null = null): Promise<LogSource> {
  const log = auditLogOf(env, logId);
  const [{ auditSigners }, { prunedUpTo, checkpoint }] = await Promise.all([getKeys(env), log.status()]);
  const prefix = `tlog/${logId}/checkpoints/`;
  const nameOf = (size: number) => `${prefix}${String(size).padStart(12, "0")}`;
  return {
    logId,
    verifierKeys: verifierKeysOf(auditSigners, logId),
    auditKeys: env.AUDIT_KEYS,
    prunedUpTo,
    newestCheckpoint: checkpoint,
    savedCheckpoint,
    checkpoints: async (afterSize, limit) => {
      const { objects } = await env.FILES.list({ prefix, startAfter: nameOf(Math.max(afterSize, 0)), limit });
      const read = async (key: string) => ({ size: Number(key.slice(prefix.length)), text: await readText(env.FILES, key) });
      return Promise.all(objects.map(({ key }) => read(key)));
    },
    knownCheckpoints: async (afterSize, limit) => log.listCheckpoints(afterSize, limit),
    readTile: async (place) => {
      const object = await env.FILES.get(`tlog/${logId}/tile/${tilePath(place)}`);
      return object && new Uint8Array(await object.arrayBuffer());
    },
    segments: async (fromSeq, limit) => log.listSegments(fromSeq, limit),
    segmentTerms: async (first) => log.readTerms(first),
    readSegment: async (key, offset, length) => {
      const object = await env.FILES.get(key, { range: { offset, length } });
      return object && new Uint8Array(await object.arrayBuffer());
    },
    openRows: async (afterSeq, limit) => log.readOpen(afterSeq, limit),
  };
}

/** Empty for an object that is missing: no checkpoint is empty. */
const readText = async (bucket: R2Bucket, key: string): Promise<string> => (await (await bucket.get(key))?.text()) ?? "";
