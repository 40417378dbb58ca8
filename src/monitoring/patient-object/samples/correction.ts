// The stored correction of a sample.

/** `value` counts now; the original sample stays in its block. Times are epoch milliseconds. */
export type CorrectionBody = {
  status: "amended" | "entered-in-error";
  value: number;
  /** UCUM; absent if it is that of the sample, which was as sent when it was doubtful. */
  unit?: string | undefined;
  by: string;
  reason: string;
  at: number;
  /** All earlier values, oldest first. */
  before: { value: number; unit?: string | undefined; by: string; at: number; reason: string | null }[];
};
