// Uploads by XMLHttpRequest, because fetch reports no progress.
import { getAccessToken } from "../../accounts/session/session.ts";
import { API_BASE } from "./client.ts";

/** Abort after this long without progress, ms. */
const STALL_TIMEOUT_MS = 30_000;
/** Time for the API to read, encrypt and store the upload, ms. */
const RESPONSE_TIMEOUT_MS = 60_000;

/** `path` is relative to the API, and `headers` are those besides the access token and the idempotency key. */
export type UploadRequest = { path: string; headers: Record<string, string>; body: FormData | File };
export type UploadResponse = { status: number; text: string; headers: Pick<Headers, "get"> };
export type UploadHandlers = {
  onProgress: (sent: number, total: number) => void;
  /** The last byte is sent; there is no response yet. */
  onAllSent: () => void;
  onResponse: (response: UploadResponse) => void;
  /** The attempt ended without a response. Called once, and nothing after it. */
  onEnd: (reason: "cut" | "cancel") => void;
};

/** @returns a function that aborts the upload */
export function sendUpload(build: () => Promise<UploadRequest>, key: string, handlers: UploadHandlers): () => void {
  const request = new XMLHttpRequest();
  let isEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function finish(notify: () => void): void {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(timer);
    request.abort();
    notify();
  }
  const cut = () => finish(() => handlers.onEnd("cut"));
  function restartTimer(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(cut, ms);
  }

  request.upload.onprogress = ({ loaded, total }) => {
    if (isEnded) return;
    restartTimer(STALL_TIMEOUT_MS);
    handlers.onProgress(loaded, total);
  };
  request.upload.onload = () => {
    if (isEnded) return;
    restartTimer(RESPONSE_TIMEOUT_MS);
    handlers.onAllSent();
  };
  request.onerror = cut;
  request.onload = () => {
    const { status, responseText: text } = request;
    const retryAfter = request.getResponseHeader("Retry-After");
    const headers = new Headers(retryAfter === null ? {} : { "Retry-After": retryAfter });
    finish(() => handlers.onResponse({ status, text, headers }));
  };

  restartTimer(STALL_TIMEOUT_MS);
  Promise.all([getAccessToken(), build()])
    .then(([token, { path, headers, body }]) => {
      if (isEnded) return;
      request.open("POST", `${API_BASE}${path}`);
      request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
      request.setRequestHeader("Idempotency-Key", key);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(body);
    })
    .catch(cut);
  return () => finish(() => handlers.onEnd("cancel"));
}
