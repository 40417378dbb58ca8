// Seals what a patient's object has again under the current key: reasons of corrections, and archive files in R2.
import { z } from "zod";
import { getVerifiedKeys } from "../../../platform/config.ts";
import { type KeyRing, sealValue, unsealValue } from "../../../platform/crypto.ts";
import { storeFile, streamFile } from "../../../platform/files.ts";
import { storedDocument } from "../../../platform/stored-document.ts";
import { HOUR_MS } from "../../../platform/time.ts";
import type { ArchiveFile } from "./block-rows.ts";
import type { CorrectionBody } from "./correction.ts";
import { toObservationId } from "./ids.ts";
import type { Store } from "./store.ts";

/** Bounds of a call; the caller repeats it while there is `more`. */
const MAX_ARCHIVES = 4;
const MAX_CORRECTIONS = 500;
/** A call that reads an archive ends within this time. */
const REPLACED_MS = HOUR_MS;

/** Archive files that were sealed again into another file, with the time; deleted when nobody can still read them. */
const replacedArchivesDocument = storedDocument(
  "replaced archives",
  z.array(z.object({ file: z.string(), replacedAt: z.number() })),
);

/** The files that were sealed again into another file and are not deleted yet. */
export const listReplacedArchives = ({ documents }: Pick<Store, "documents">): string[] =>
  (documents.setting(replacedArchivesDocument) ?? []).map(({ file }) => file);

/** The name of an archive that is sealed again under a key. */
export const toResealedName = (file: string, keyId: string): string => `${keyId}${file.slice(file.indexOf("/"))}`;

/** Numbers of corrections and archives, and of the sealed values in them. */
export type SealingFailures = { corrections: number; archives: number; values: number };
/**
 * `counts`: values per key id, after the call. `sealed`: values that were sealed again, by the key before. `failed`: what did not open.
 * `waiting`: files that are deleted later.
 */
export type ObjectSealing = {
  counts: Record<string, number>;
  sealed: Record<string, number>;
  failed: SealingFailures;
  waiting: number;
  more: boolean;
};

type Context = { env: Env; store: Store; patientId: string; now: number; transact: (work: () => void) => void };

const keyIdOfValue = (sealed: string): string => /^s1\.([a-z0-9]+)\./.exec(sealed)?.[1] ?? "?";
const keyIdOfFile = (file: string): string => file.split("/")[0] ?? "?";
const listReasons = (body: CorrectionBody): string[] => [
  body.reason,
  ...body.before.flatMap(({ reason }) => (reason === null ? [] : [reason])),
];

/** The key ids of the reasons that are not under the current key. */
const listOtherKeys = (ring: KeyRing, body: CorrectionBody): string[] =>
  listReasons(body)
    .map(keyIdOfValue)
    .filter((keyId) => keyId !== ring.currentKid);

function add(counts: Record<string, number>, keyId: string): void {
  counts[keyId] = (counts[keyId] ?? 0) + 1;
}

export const emptySealing = (counts: Record<string, number> = {}): ObjectSealing => ({
  counts,
  sealed: {},
  failed: { corrections: 0, archives: 0, values: 0 },
  waiting: 0,
  more: false,
});

/** Values of the object by key id. */
export function countSealed({ documents, rows }: Store): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { body } of documents.allCorrections())
    for (const reason of body ? listReasons(body) : []) add(counts, keyIdOfValue(reason));
  for (const { file } of rows.listArchives()) add(counts, keyIdOfFile(file));
  for (const { file } of documents.setting(replacedArchivesDocument) ?? []) add(counts, keyIdOfFile(file));
  return counts;
}

/**
 * Values that do not open stay as they are. A correction or archive that changed meanwhile is left for the next call.
 * @param failed what did not open in earlier calls of the same run: it is not tried again
 */
export const sealAgain = (context: Context, failed: SealingFailures): Promise<ObjectSealing> =>
  context.store.fileWork.run(() => sealInTurn(context, failed));

async function sealInTurn(context: Context, failed: SealingFailures): Promise<ObjectSealing> {
  const { env, store } = context;
  const progress = emptySealing();
  if (!store.hasTables) return progress;
  const { fields } = await getVerifiedKeys(env);
  await sealCorrections(context, fields, progress, failed.corrections);
  await sealArchives(context, fields, progress, failed.archives);
  progress.waiting = await deleteReplaced(context);
  return { ...progress, counts: countSealed(store) };
}

async function sealCorrections({ store, patientId, transact }: Context, ring: KeyRing, progress: ObjectSealing, skip: number) {
  const due = store.documents
    .allCorrections()
    .flatMap(({ block, place, body }) => (body && listOtherKeys(ring, body).length > 0 ? [{ block, place, body }] : []));
  progress.more ||= due.length > skip + MAX_CORRECTIONS;
  for (const { block, place, body } of due.slice(skip, skip + MAX_CORRECTIONS)) {
    try {
      const sealed = await sealReasons(ring, toObservationId(patientId, block, place), body);
      transact(() => {
        if (JSON.stringify(store.documents.correction(block, place)) !== JSON.stringify(body)) return;
        store.saveCorrection(block, place, sealed);
        for (const keyId of listOtherKeys(ring, body)) add(progress.sealed, keyId);
      });
    } catch {
      progress.failed.corrections++;
      progress.failed.values += listOtherKeys(ring, body).length;
    }
  }
}

async function sealReasons(ring: KeyRing, observationId: string, body: CorrectionBody): Promise<CorrectionBody> {
  const context = { table: "corrections", column: "reason", id: observationId };
  const seal = async (reason: string) =>
    keyIdOfValue(reason) === ring.currentKid ? reason : sealValue(ring, context, await unsealValue(ring, context, reason));
  const before = [];
  for (const entry of body.before) before.push({ ...entry, reason: entry.reason === null ? null : await seal(entry.reason) });
  return { ...body, reason: await seal(body.reason), before };
}

async function sealArchives(context: Context, ring: KeyRing, progress: ObjectSealing, skip: number) {
  const { store, now, transact } = context;
  const due = store.rows.listArchives().filter(({ file }) => keyIdOfFile(file) !== ring.currentKid);
  progress.more ||= due.length > skip + MAX_ARCHIVES;
  for (const archive of due.slice(skip, skip + MAX_ARCHIVES)) {
    try {
      const file = await copyArchive(context, ring, archive);
      transact(() => {
        if (!store.replaceArchive(archive.file, file)) return;
        const replaced = store.documents.setting(replacedArchivesDocument) ?? [];
        store.documents.saveSetting(replacedArchivesDocument, [...replaced, { file: archive.file, replacedAt: now }]);
        add(progress.sealed, keyIdOfFile(archive.file));
      });
    } catch {
      progress.failed.archives++;
      progress.failed.values++;
    }
  }
}

/**
 * The new name follows from the old one, and sealing a file is deterministic: after a crash the file that was written is found.
 * @returns the key of the new file  @throws ApiError integrity_error, unavailable
 */
async function copyArchive({ env, patientId }: Context, ring: KeyRing, { file, size }: ArchiveFile): Promise<string> {
  const newFile = toResealedName(file, ring.currentKid);
  const owner = `vitals:${patientId}`;
  const { chunks } = await streamFile(env.FILES, ring, file, owner, size);
  if (await env.FILES.head(newFile)) {
    for await (const _ of chunks);
    return newFile;
  }
  await storeFile(env.FILES, ring, newFile, owner, chunks, size).catch(async (error: unknown) => {
    // Another call has written it meanwhile.
    if (!(await env.FILES.head(newFile))) throw error;
  });
  return newFile;
}

/** The files first: one whose name is forgotten would stay in R2. @returns how many are deleted later */
async function deleteReplaced({ env, store, now, transact }: Context): Promise<number> {
  const replaced = store.documents.setting(replacedArchivesDocument) ?? [];
  const isDue = ({ replacedAt }: { replacedAt: number }) => replacedAt <= now - REPLACED_MS;
  const due = replaced.filter(isDue);
  if (due.length > 0) {
    await env.FILES.delete(due.map(({ file }) => file));
    const deleted = new Set(due.map(({ file }) => file));
    transact(() => {
      const left = (store.documents.setting(replacedArchivesDocument) ?? []).filter(({ file }) => !deleted.has(file));
      store.documents.saveSetting(replacedArchivesDocument, left);
    });
  }
  return replaced.length - due.length;
}
