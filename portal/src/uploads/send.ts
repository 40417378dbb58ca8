// Sends one report and says how far it is, which a fetch cannot.
import { API } from "../api/client.ts";
import { bearer } from "../session/session.ts";
import { type Draft, FORM_LIMIT } from "./draft.ts";
import { answerOf, type Happened } from "./sending.ts";

/** A line that moves no byte for so long is cut. */
const STALLED_MS = 30_000;
/** The API reads, seals and files within this. */
const ANSWER_MS = 60_000;

/** @returns what stops it */
export function send(draft: Draft, key: string, tell: (happened: Happened) => void): () => void {
  const request = new XMLHttpRequest();
  let ended = false;
  let patience: ReturnType<typeof setTimeout> | undefined;

  function end(happened: Happened): void {
    if (ended) return;
    ended = true;
    clearTimeout(patience);
    request.abort();
    tell(happened);
  }
  function waitAtMost(ms: number): void {
    clearTimeout(patience);
    patience = setTimeout(() => end({ type: "cut" }), ms);
  }

  request.upload.onprogress = ({ loaded, total }) => {
    waitAtMost(STALLED_MS);
    if (!ended) tell({ type: "progress", sent: loaded, total });
  };
  request.upload.onload = () => {
    waitAtMost(ANSWER_MS);
    if (!ended) tell({ type: "all_sent" });
  };
  request.onerror = () => end({ type: "cut" });
  request.onload = () => {
    const { status, responseText } = request;
    void answerOf(status, responseText).then((answer) => end({ type: "answer", answer }));
  };

  tell({ type: "start" });
  waitAtMost(STALLED_MS);
  Promise.all([bearer(), requestOf(draft)])
    .then(([token, { query, headers, body }]) => {
      if (ended) return;
      request.open("POST", `${API}/reports${query}`);
      request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
      request.setRequestHeader("Idempotency-Key", key);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(body);
    })
    .catch(() => end({ type: "cut" }));
  return () => end({ type: "cancel" });
}

type Asked = { query: string; headers: Record<string, string>; body: FormData | File };

/** A form up to its limit; a larger file by itself, with its digest, and what is said about it beside it. */
async function requestOf({ file, patientId, kind, recordedAt, metrics }: Draft): Promise<Asked> {
  const about = { patient_id: patientId, kind, ...(recordedAt && { recorded_at: recordedAt }) };
  const measured = Object.keys(metrics).length > 0 ? JSON.stringify(metrics) : null;
  if (file.size <= FORM_LIMIT) {
    const body = new FormData();
    for (const [name, value] of Object.entries(about)) body.set(name, value);
    if (measured) body.set("metrics", measured);
    body.set("file", file);
    return { query: "", headers: {}, body };
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return {
    query: `?${new URLSearchParams(about)}`,
    headers: {
      "Content-Type": "application/pdf",
      "X-Content-SHA256": Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
      "X-File-Name": encodeURIComponent(file.name),
      ...(measured && { "X-Report-Metrics": encodeURIComponent(measured) }),
    },
    body: file,
  };
}
