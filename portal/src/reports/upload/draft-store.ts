// Draft of an upload while an expired session hides its page.
import { createDraftStore } from "../../platform/draft-store.ts";
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

/** After a switch of hospital, patient and key are reset. */
export const createUploadDraftStore = <Patient>() =>
  createDraftStore<DraftState<Patient>>((entered) => ({
    ...entered,
    step: Math.min(entered.step, 1),
    patient: null,
    uploadKey: null,
  }));
