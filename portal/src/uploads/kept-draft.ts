// A report that is being entered, while a session that ended has taken its page away. In this tab's memory alone.
import type { Said } from "./draft.ts";
import type { Keyed } from "./sending.ts";

export type Entered<Patient> = {
  step: number;
  file: File | null;
  /** `preset`: the patient from whose page one came, not read yet. */
  patient: Patient | null | "preset";
  said: Said;
  /** Under which it was sent already, perhaps: sent again it is filed once. */
  keyed: Keyed | null;
};

/** Whose it is: a person, acting for a hospital, on one visit of the page. */
export type Owner = { user: string; hospital: string | null; visit: string | undefined };

export function draftKeeper<Patient>() {
  let kept: { owner: Owner; entered: Entered<Patient> } | null = null;
  return {
    keep: (owner: Owner, entered: Entered<Patient>): void => {
      kept = { owner, entered };
    },
    forget: (): void => {
      kept = null;
    },
    /** What this person had entered on this visit. Who acts for another hospital now has other patients: the rest stays. */
    of: ({ user, hospital, visit }: Owner): Entered<Patient> | null => {
      if (kept?.owner.user !== user || kept.owner.visit !== visit) return null;
      if (kept.owner.hospital === hospital) return kept.entered;
      return { ...kept.entered, step: Math.min(kept.entered.step, 1), patient: null, keyed: null };
    },
  };
}
