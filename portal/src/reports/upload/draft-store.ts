// Draft of an upload while an expired session hides its page. Kept in this tab's memory only.
import type { ReportInput } from "./upload-draft.ts";
import type { UploadKey } from "./upload-state.ts";

export type DraftState<Patient> = {
  step: number;
  file: File | null;
  /** `preset`: the patient whose page led here, not loaded yet. */
  patient: Patient | null | "preset";
  input: ReportInput;
  /** Idempotency key of an earlier attempt: a retry with it files the report once. */
  uploadKey: UploadKey | null;
};

/** Owner of a draft: user, hospital and page visit. */
export type DraftOwner = { user: string; hospital: string | null; visit: string | undefined };

export function createDraftStore<Patient>() {
  let saved: { owner: DraftOwner; entered: DraftState<Patient> } | null = null;
  return {
    save: (owner: DraftOwner, entered: DraftState<Patient>): void => {
      saved = { owner, entered };
    },
    clear: (): void => {
      saved = null;
    },
    /** Draft of this user and visit. After a switch of hospital, patient and key are reset: the patients are others. */
    load: ({ user, hospital, visit }: DraftOwner): DraftState<Patient> | null => {
      if (saved?.owner.user !== user || saved.owner.visit !== visit) return null;
      if (saved.owner.hospital === hospital) return saved.entered;
      return { ...saved.entered, step: Math.min(saved.entered.step, 1), patient: null, uploadKey: null };
    },
  };
}
