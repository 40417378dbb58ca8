// Input of a form while an expired session hides its page. Kept in this tab's memory only.

/** Owner of a draft: user, hospital and page visit. */
export type DraftOwner = { user: string; hospital: string | null; visit: string | undefined };

/** @param forOtherHospital what remains of a draft after a switch of hospital, whose patients are others; null for nothing */
export function createDraftStore<Draft>(forOtherHospital: (entered: Draft) => Draft | null) {
  let saved: { owner: DraftOwner; entered: Draft } | null = null;
  return {
    save: (owner: DraftOwner, entered: Draft): void => {
      saved = { owner, entered };
    },
    clear: (): void => {
      saved = null;
    },
    /** Draft of this user and visit. */
    load: ({ user, hospital, visit }: DraftOwner): Draft | null => {
      if (saved?.owner.user !== user || saved.owner.visit !== visit) return null;
      return saved.owner.hospital === hospital ? saved.entered : forOtherHospital(saved.entered);
    },
  };
}
