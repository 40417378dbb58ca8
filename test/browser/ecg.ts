// A realistic ECG report as a PDF, generated like those of the demo data.
import { drawEcgReport } from "../../cli/demo/ecg-pdf.ts";
import { generateEcgMetrics, synthesizeEcg } from "../../cli/demo/ecg-signal.ts";
import type { Caller } from "./api.ts";
import { withToken } from "./api.ts";
import type { Patient } from "./world.ts";

let drawn = 0;

export type Ecg = { pdf: Buffer; metrics: ReturnType<typeof generateEcgMetrics>; recordedAt: string };

/** Every report is different. */
export async function createEcg(patient: Patient): Promise<Ecg> {
  const seed = Date.now() + drawn++;
  const metrics = generateEcgMetrics(seed);
  const recordedAt = new Date(Date.now() - 3_600_000).toISOString();
  const pdf = await drawEcgReport({
    metrics,
    signal: synthesizeEcg(metrics, seed),
    patient: { name: patient.name, birth_date: patient.birth, sex: "female", patient_number: patient.number },
    device: "ECG cart 2",
    hospital: "A hospital",
    recorded_at: recordedAt,
  });
  return { pdf: Buffer.from(pdf), metrics, recordedAt };
}

/** Uploads it over the API. @returns the response's data: a report, or an upload in quarantine */
export async function sendEcg(
  { ask }: Caller,
  { pdf, metrics, recordedAt }: Ecg,
  patient?: Patient,
): Promise<{ report_id: string | null; upload_id: string }> {
  const body = new FormData();
  body.set("file", new File([new Uint8Array(pdf)], "ecg_0412.pdf", { type: "application/pdf" }));
  body.set("metrics", JSON.stringify(metrics));
  body.set("recorded_at", recordedAt);
  if (patient) body.set("patient_id", patient.id);
  return (await ask("/reports", { body })).data;
}

/** An unassigned recorder: its uploads go to quarantine. */
export async function sendToQuarantine(device: { token: string }, ecg: Ecg): Promise<string> {
  return (await sendEcg(withToken(device.token), ecg)).upload_id;
}
