// Limits over time for charts: each step applies until the next.
import type { LimitsInForce, LimitsSince } from "../../../../src/monitoring/patient-object/contract.ts";

type LimitLines = Pick<LimitsInForce, "critical_low" | "low" | "high" | "critical_high">;
/** `from`: epoch milliseconds. */
export type LimitStep = LimitLines & { from: number };

const pickLimits = ({ critical_low, low, high, critical_high }: LimitLines): LimitLines => ({
  critical_low,
  low,
  high,
  critical_high,
});
const hasSameLimits = (a: LimitLines, b: LimitLines) => JSON.stringify(pickLimits(a)) === JSON.stringify(pickLimits(b));

/** By code, oldest first; changes that leave the values unchanged are merged. */
export function groupLimitSteps(limitsSince: readonly LimitsSince[]): ReadonlyMap<string, readonly LimitStep[]> {
  const steps = new Map<string, LimitStep[]>();
  for (const limits of limitsSince) {
    const codeSteps = steps.get(limits.code) ?? [];
    const last = codeSteps.at(-1);
    if (!last || !hasSameLimits(last, limits)) codeSteps.push({ ...pickLimits(limits), from: Date.parse(limits.from) });
    steps.set(limits.code, codeSteps);
  }
  return steps;
}

/** The fetched steps plus changes from the live view. */
export function addLiveLimits(
  steps: readonly LimitStep[],
  code: string,
  live: { limits: ReadonlyMap<string, LimitsInForce>; limitsSince: number } | undefined,
  requestedUntil: number,
): readonly LimitStep[] {
  const current = live?.limits.get(code);
  const last = steps.at(-1);
  if (!current || !live || live.limitsSince <= requestedUntil || (last && hasSameLimits(last, current))) return steps;
  return [...steps, { ...pickLimits(current), from: live.limitsSince }];
}

/** The limits at a time; the first step also applies before its start when nothing earlier is known. */
export const limitsAt = (steps: readonly LimitStep[], at: number): LimitStep | undefined =>
  steps.findLast(({ from }) => from <= at) ?? steps[0];
