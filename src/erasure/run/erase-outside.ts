// The steps of an erasure outside of D1 and R2: the patient's object with its files, and hints in KV.
import { deleteHint, readHint } from "../../monitoring/intake/patient-hints.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import type { StepResult } from "./erase-rows.ts";
import { addCounts, type ErasureRow, extendHash, type Progress, type Subject, saveStep } from "./progress.ts";

type Outside = Pick<Env, "PATIENT_MONITOR" | "KV">;

const objectOf = ({ PATIENT_MONITOR }: Outside, { patientId }: Subject) => PATIENT_MONITOR.getByName(patientId);

/** Hints per step. */
const HINTS_PER_STEP = 100;

/** Credentials of the step, and the progress after it. */
function nextCredentials(progress: Progress) {
  const from = Number(progress.cursor ?? 0);
  const credentials = progress.subject.credentials.slice(from, from + HINTS_PER_STEP);
  const isLast = from + HINTS_PER_STEP >= progress.subject.credentials.length;
  const next = isLast ? { step: progress.step + 1, cursor: null } : { cursor: from + HINTS_PER_STEP };
  return { credentials, isFirst: from === 0, next: { ...progress, ...next } };
}

/** Counts first and in steps of its own, so that a run that is killed during the deletion still certifies what there was. */
export async function countOutside(env: Outside, db: Db, row: ErasureRow, progress: Progress): Promise<StepResult> {
  const { subject } = progress;
  const { credentials, isFirst, next } = nextCredentials(progress);
  const { rows, files } = isFirst ? await objectOf(env, subject).countStored() : { rows: 0, files: 0 };
  const hints = await Promise.all(credentials.map((id) => readHint(env.KV, id)));
  const found = credentials.filter((_, i) => hints[i] === subject.patientId);
  const counted = addCounts(next, { "object.rows": rows, "object.files": files, "kv.hints": found.length });
  const items = [...(isFirst ? [`object ${subject.patientId} ${rows} ${files}`] : []), ...found.map((id) => `hint ${id}`)];
  const listHash = items.length === 0 ? row.listHash : await extendHash(row.listHash, items);
  await batch(db, saveStep(db, row, counted, listHash, []));
  return { outcome: "continue", calls: credentials.length + 2 };
}

/** Empties the object and deletes the hints. Runs before D1, to which the object would deliver, and after it. */
export async function eraseOutside(env: Outside, db: Db, row: ErasureRow, progress: Progress): Promise<StepResult> {
  const { subject } = progress;
  const { credentials, isFirst, next } = nextCredentials(progress);
  if (isFirst) await objectOf(env, subject).erase();
  await Promise.all(credentials.map((id) => deleteHint(env.KV, id, subject.patientId)));
  await batch(db, saveStep(db, row, next, row.listHash, []));
  // A hint is read and deleted.
  return { outcome: "continue", calls: 2 * credentials.length + 2 };
}
