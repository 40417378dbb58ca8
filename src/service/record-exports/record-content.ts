// The content of an export of a record, as it stands in the JSON file.
import type { Call } from "../../access/actor.ts";
import type { PatientRow } from "../../access/patient-row.ts";
import { type Clinical, type Identity, unsealClinical, unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { loadMetrics } from "../../reports/reading/report.ts";
import { type Collected, collectSections, type Sections } from "./collect-record.ts";
import { collectHours, type HourlyValues } from "./collect-vitals.ts";
import { MAX_OBJECTS } from "./record-export.ts";

export type RecordContent = {
  format: "edgecare-record-1";
  created_at: string;
  patient: { patient_id: string; patient_number: number; hospital_id: string } & Identity &
    Omit<Clinical, "notes"> & { notes?: string | null };
  sections: Sections;
  hourly_values: HourlyValues;
  /** What the file does not contain. */
  left_out: readonly string[];
  /** Values that could not be decrypted; each is null. */
  unreadable: number;
};

const LEFT_OUT = [
  "single samples of vital signs (hourly values are contained)",
  "drafts of reports",
  "records of other hospitals",
  "reviews of emergency access",
  "the access log, which has an export of its own",
];

export type Gathered = { content: RecordContent; identity: Identity; files: Collected["files"] };

/**
 * Reads everything.
 * @param isForPerson the person asked for it: without notes of staff
 * @param onProgress called with percents
 * @throws ApiError export_too_large
 */
export async function gatherRecord(
  env: Env,
  call: Call,
  patient: PatientRow,
  isForPerson: boolean,
  onProgress: (percent: number) => Promise<void>,
): Promise<Gathered> {
  const [identity, clinical] = await Promise.all([unsealIdentity(call.keys, patient), unsealClinical(call.keys, patient)]);
  const { sections, files, unreadable } = await collectSections(call, patient.id, isForPerson);
  await onProgress(30);
  const withMetrics = files.reports.filter(({ metricsKey }) => metricsKey !== null);
  if (withMetrics.length + files.reports.length + files.documents.length > MAX_OBJECTS) throw new ApiError("export_too_large");
  const items = new Map(sections.reports?.map((item) => [item["id"], item]));
  for (const row of withMetrics) {
    const { metrics, metrics_text } = await loadMetrics(call, env.FILES, row);
    Object.assign(items.get(row.id) ?? {}, { metrics, metrics_text });
  }
  await onProgress(50);
  const hourly_values = await collectHours(env, call, patient, patient.created_at);
  await onProgress(60);
  const { notes, ...history } = clinical;
  const about = { patient_id: patient.id, patient_number: patient.patient_number, hospital_id: patient.hospital_id };
  const content: RecordContent = {
    format: "edgecare-record-1",
    created_at: toIso(call.now),
    patient: { ...about, ...identity, ...history, ...(!isForPerson && { notes }) },
    sections,
    hourly_values,
    left_out: LEFT_OUT,
    unreadable,
  };
  return { content, identity, files };
}
