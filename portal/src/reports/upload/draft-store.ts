// A report that is being entered, while a session that ended has taken its page away. In this tab's memory alone.
import type { ReportInput } from "./upload-draft.ts";
import type { UploadKey } from "./upload-state.ts";

export type DraftState<Patient> = {
  step: number;
  file: File | null;
  /** `preset`: the patient from whose page one came, not read yet. */
  patient: Patient | null | "preset";
  said: ReportInput;
  /** Under which it was sent already, perhaps: sent again it is filed once. */
  keyed: UploadKey | null;
};

/** Whose it is: a person, acting for a hospital, on one visit of the page. */
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
    /** What this person had entered on this visit. Who acts for another hospital now has other patients: the rest stays. */
    load: ({ user, hospital, visit }: DraftOwner): DraftState<Patient> | null => {
      if (saved?.owner.user !== user || saved.owner.visit !== visit) return null;
      if (saved.owner.hospital === hospital) return saved.entered;
      return { ...saved.entered, step: Math.min(saved.entered.step, 1), patient: null, keyed: null };
    },
  };
}
