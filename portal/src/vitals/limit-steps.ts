// Limits as charts draw them: each holds from its time until the next.
import type { LimitsInForce, LimitsSince } from "../../../src/monitoring/patient-object/contract.ts";

type Lines = Pick<LimitsInForce, "critical_low" | "low" | "high" | "critical_high">;
/** `from`: epoch milliseconds. */
export type LimitStep = Lines & { from: number };

const lines = ({ critical_low, low, high, critical_high }: Lines): Lines => ({ critical_low, low, high, critical_high });
const isSame = (a: Lines, b: Lines) => JSON.stringify(lines(a)) === JSON.stringify(lines(b));

/** By code, oldest first; a change of who set them is none of where they lie. */
export function stepsByCode(told: readonly LimitsSince[]): ReadonlyMap<string, readonly LimitStep[]> {
  const steps = new Map<string, LimitStep[]>();
  for (const limits of told) {
    const known = steps.get(limits.code) ?? [];
    const last = known.at(-1);
    if (!last || !isSame(last, limits)) known.push({ ...lines(limits), from: Date.parse(limits.from) });
    steps.set(limits.code, known);
  }
  return steps;
}

/** The steps with what the live view has heard since they were asked for. */
export function withLive(
  steps: readonly LimitStep[],
  code: string,
  live: { limits: ReadonlyMap<string, LimitsInForce>; limitsSince: number } | undefined,
  askedTo: number,
): readonly LimitStep[] {
  const now = live?.limits.get(code);
  const last = steps.at(-1);
  if (!now || !live || live.limitsSince <= askedTo || (last && isSame(last, now))) return steps;
  return [...steps, { ...lines(now), from: live.limitsSince }];
}

/** Those that held at a time; the first also before it, where nothing else is known. */
export const limitsAt = (steps: readonly LimitStep[], at: number): LimitStep | undefined =>
  steps.findLast(({ from }) => from <= at) ?? steps[0];
