// Uploads one report by XMLHttpRequest, because fetch reports no progress.

import { getAccessToken } from "../../accounts/session/session.ts";
import { API_BASE } from "../../platform/api/client.ts";
import { MAX_FORM_BYTES, type UploadDraft } from "./upload-draft.ts";
import { parseResponse, type UploadEvent } from "./upload-state.ts";

/** Abort after this long without progress, ms. */
const STALL_TIMEOUT_MS = 30_000;
/** Time for the API to read, encrypt and file the upload, ms. */
const RESPONSE_TIMEOUT_MS = 60_000;

/** @returns a function that aborts the upload */
export function sendReport(draft: UploadDraft, key: string, onEvent: (event: UploadEvent) => void): () => void {
  const request = new XMLHttpRequest();
  let isEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function finish(event: UploadEvent): void {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(timer);
    request.abort();
    onEvent(event);
  }
  function restartTimer(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => finish({ type: "cut" }), ms);
  }

  request.upload.onprogress = ({ loaded, total }) => {
    restartTimer(STALL_TIMEOUT_MS);
    if (!isEnded) onEvent({ type: "progress", sent: loaded, total });
  };
  request.upload.onload = () => {
    restartTimer(RESPONSE_TIMEOUT_MS);
    if (!isEnded) onEvent({ type: "all_sent" });
  };
  request.onerror = () => finish({ type: "cut" });
  request.onload = () => {
    const { status, responseText } = request;
    void parseResponse(status, responseText).then((answer) => finish({ type: "answer", answer }));
  };

  onEvent({ type: "start" });
  restartTimer(STALL_TIMEOUT_MS);
  Promise.all([getAccessToken(), buildRequest(draft)])
    .then(([token, { query, headers, body }]) => {
      if (isEnded) return;
      request.open("POST", `${API_BASE}/reports${query}`);
      request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
      request.setRequestHeader("Idempotency-Key", key);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(body);
    })
    .catch(() => finish({ type: "cut" }));
  return () => finish({ type: "cancel" });
}

type RequestParts = { query: string; headers: Record<string, string>; body: FormData | File };

/** Multipart form up to the size limit; larger files as raw body with digest, metadata in headers. */
async function buildRequest({ file, patientId, kind, recordedAt, metrics }: UploadDraft): Promise<RequestParts> {
  const fields = { patient_id: patientId, kind, ...(recordedAt && { recorded_at: recordedAt }) };
  const metricsJson = Object.keys(metrics).length > 0 ? JSON.stringify(metrics) : null;
  if (file.size <= MAX_FORM_BYTES) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    if (metricsJson) body.set("metrics", metricsJson);
    body.set("file", file);
    return { query: "", headers: {}, body };
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return {
    query: `?${new URLSearchParams(fields)}`,
    headers: {
      "Content-Type": "application/pdf",
      "X-Content-SHA256": Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      "X-File-Name": encodeURIComponent(file.name),
      ...(metricsJson && { "X-Report-Metrics": encodeURIComponent(metricsJson) }),
    },
    body: file,
  };
}
