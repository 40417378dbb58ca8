// The stored correction of a sample.

/** `value` counts now; the original sample stays in its block. Times are epoch milliseconds. */
export type CorrectionBody = {
  status: "amended" | "entered-in-error";
  value: number;
  by: string;
  reason: string;
  at: number;
  /** All earlier values, oldest first. */
  before: { value: number; by: string; at: number; reason: string | null }[];
};
