// Draft of a document that is being entered; it survives a new sign-in after an expired session.
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { currentSession } from "../accounts/session/session.ts";
import { useMe } from "../accounts/session/use-session.ts";
import { createDraftStore } from "../platform/draft-store.ts";
import type { UploadKey } from "../reports/upload/upload-state.ts";
import type { DocumentInput } from "./document-draft.ts";

/** `uploadKey`: idempotency key of an earlier attempt; a retry with it stores the document once. */
export type DocumentDraft = { input: DocumentInput; file: File | null; uploadKey: UploadKey | null };

const draftStore = createDraftStore<DocumentDraft>(() => null);

export function useDocumentDraft(initial: DocumentInput) {
  const { user_id: user, hospital } = useMe();
  const { __TSR_key: visit } = useLocation().state;
  const owner = { user, hospital: hospital?.id ?? null, visit };
  const [draft, setDraft] = useState<DocumentDraft>(
    () => draftStore.load(owner) ?? { input: initial, file: null, uploadKey: null },
  );
  useEffect(() => draftStore.save(owner, draft));
  useEffect(() => {
    // Leaving the page in any other way discards the draft.
    return () => {
      if (currentSession().status !== "expired") draftStore.clear();
    };
  }, []);
  const updateDraft = (part: Partial<DocumentDraft>) => setDraft((previous) => ({ ...previous, ...part }));
  return { draft, updateDraft };
}
