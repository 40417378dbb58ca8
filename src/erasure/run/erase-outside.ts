// The steps of an erasure outside of D1 and R2: the patient's object with its files, and hints in KV.
import { deleteHint, readHint } from "../../monitoring/intake/patient-hints.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { addCounts, type ErasureRow, extendHash, type Progress, type Subject, saveStep } from "./progress.ts";

type Outside = Pick<Env, "PATIENT_MONITOR" | "KV">;

const objectOf = ({ PATIENT_MONITOR }: Outside, { patientId }: Subject) => PATIENT_MONITOR.getByName(patientId);

/** Counts first and in a step of its own, so that a run that is killed during the deletion still certifies what there was. */
export async function countOutside(env: Outside, db: Db, row: ErasureRow, progress: Progress): Promise<void> {
  const { subject } = progress;
  const { rows, files } = await objectOf(env, subject).countStored();
  const hints = await Promise.all(subject.credentials.map((id) => readHint(env.KV, id)));
  const found = subject.credentials.filter((_, i) => hints[i] === subject.patientId);
  const counted = addCounts(progress, { "object.rows": rows, "object.files": files, "kv.hints": found.length });
  const items = [`object ${subject.patientId} ${rows} ${files}`, ...found.map((id) => `hint ${id}`)];
  const next = { ...counted, step: progress.step + 1 };
  await batch(db, saveStep(db, row, next, await extendHash(row.listHash, items), []));
}

/** Empties the object and deletes the hints. Runs before D1, to which the object would deliver, and after it. */
export async function eraseOutside(env: Outside, db: Db, row: ErasureRow, progress: Progress): Promise<void> {
  const { subject } = progress;
  await objectOf(env, subject).erase();
  await Promise.all(subject.credentials.map((id) => deleteHint(env.KV, id, subject.patientId)));
  await batch(db, saveStep(db, row, { ...progress, step: progress.step + 1 }, row.listHash, []));
}
