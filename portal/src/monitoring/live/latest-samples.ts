// Maps of the latest sample by code: the last valid one, and beside it the last invalid one.
import type { LiveSample } from "../../../../src/monitoring/patient-object/contract.ts";

/** Codes contain no line break, so the key of an invalid sample is never that of another code. */
const invalidKey = (code: string) => `invalid\n${code}`;

export type LatestSamples = ReadonlyMap<string, LiveSample>;

export const latestKey = ({ code, status }: Pick<LiveSample, "code" | "status">) =>
  status === "invalid" ? invalidKey(code) : code;

export const toLatestSamples = <T extends LiveSample>(samples: readonly T[]): Map<string, T> =>
  new Map(samples.map((sample) => [latestKey(sample), sample]));

/** When a sample counts as measured: a clock that is ahead makes none newer than its receipt. Both times are of one form. */
export const shownTime = ({ effective_at, received_at }: Pick<LiveSample, "effective_at" | "received_at">) =>
  effective_at < received_at ? effective_at : received_at;

export const findInvalidSample = (latest: LatestSamples, code: string): LiveSample | undefined => latest.get(invalidKey(code));
