// Upload hook: sends, aborts, retries with the same key, and aborts on unmount.
import { useEffect, useReducer, useRef } from "react";
import { invalidateUploads } from "./api.ts";
import { sendReport } from "./send-report.ts";
import { draftIdentity, type UploadDraft } from "./upload-draft.ts";
import { getUploadKey, isFinished, reduceUpload, type UploadKey } from "./upload-state.ts";

/** @param uploadKey key of the last attempt, as reported to `onKeyed` */
export function useSendReport(uploadKey: UploadKey | null, onUploadKey: (uploadKey: UploadKey) => void) {
  const [state, dispatch] = useReducer(reduceUpload, { status: "ready" });
  const stopRef = useRef<() => void>(() => undefined);
  const isDone = isFinished(state);
  useEffect(() => () => stopRef.current(), []);
  useEffect(() => {
    if (isDone) void invalidateUploads();
  }, [isDone]);
  function start(draft: UploadDraft): void {
    const next = getUploadKey(draftIdentity(draft), uploadKey, () => crypto.randomUUID());
    onUploadKey(next);
    stopRef.current = sendReport(draft, next.key, dispatch);
  }
  return { state, start, cancel: () => stopRef.current() };
}
