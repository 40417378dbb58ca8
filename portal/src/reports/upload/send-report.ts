// Uploads one report.
import { sendUpload, type UploadRequest } from "../../platform/api/send-upload.ts";
import { MAX_FORM_BYTES, type UploadDraft } from "./upload-draft.ts";
import { parseResponse, type UploadEvent } from "./upload-state.ts";

/** @returns a function that aborts the upload */
export function sendReport(draft: UploadDraft, key: string, onEvent: (event: UploadEvent) => void): () => void {
  onEvent({ type: "start" });
  return sendUpload(() => buildRequest(draft), key, {
    onProgress: (sent, total) => onEvent({ type: "progress", sent, total }),
    onAllSent: () => onEvent({ type: "all_sent" }),
    onResponse: ({ status, text }) => void parseResponse(status, text).then((answer) => onEvent({ type: "answer", answer })),
    onEnd: (type) => onEvent({ type }),
  });
}

/** Multipart form up to the size limit; larger files as raw body with digest, metadata in headers. */
async function buildRequest({ file, patientId, kind, recordedAt, metrics }: UploadDraft): Promise<UploadRequest> {
  const fields = { patient_id: patientId, kind, ...(recordedAt && { recorded_at: recordedAt }) };
  const metricsJson = Object.keys(metrics).length > 0 ? JSON.stringify(metrics) : null;
  if (file.size <= MAX_FORM_BYTES) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    if (metricsJson) body.set("metrics", metricsJson);
    body.set("file", file);
    return { path: "/reports", headers: {}, body };
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return {
    path: `/reports?${new URLSearchParams(fields)}`,
    headers: {
      "Content-Type": "application/pdf",
      "X-Content-SHA256": Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      "X-File-Name": encodeURIComponent(file.name),
      ...(metricsJson && { "X-Report-Metrics": encodeURIComponent(metricsJson) }),
    },
    body: file,
  };
}
