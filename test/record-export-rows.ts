// Exports of records whose file is there, as a job leaves them.

import { getKeys } from "../src/platform/config.ts";
import { createObjectKey, storeFile } from "../src/platform/files.ts";
import { exportRecordId } from "../src/service/record-exports/file-owner.ts";
import { env, type Person, sha256 } from "./world.ts";

/** @returns the id of an export that the person asked for */
export async function newRecordExport(patientId: string, by: Pick<Person, "id">): Promise<string> {
  const id = crypto.randomUUID();
  const { fields } = await getKeys(env);
  const bytes = new TextEncoder().encode(JSON.stringify({ export: id }));
  const key = createObjectKey(fields, Date.now());
  await storeFile(env.FILES, fields, key, exportRecordId(id), new Uint8Array(bytes), bytes.length);
  // biome-ignore lint/plugin: a constant with bound values.
  await env.DB.prepare(
    `INSERT INTO record_exports (id, patient_id, hospital_id, requested_by, format, language, state, progress, attempts,
       file_key, file_size, sha256, expires_at, created_at, updated_at)
     SELECT ?1, id, hospital_id, ?3, 'json', 'en', 'ready', 100, 1, ?4, ?5, ?6, ?7, ?8, ?8 FROM patients WHERE id = ?2`,
  )
    .bind(id, patientId, by.id, key, bytes.length, await sha256(new Uint8Array(bytes)), Date.now() + 86_400_000, Date.now())
    .run();
  return id;
}
