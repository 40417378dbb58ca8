// A stable patient whose values can be changed and scored.
import { type News2Parameter, type News2Values, scoreNews2 } from "../../src/monitoring/vitals/news2.ts";

export const HEALTHY_VALUES: News2Values = {
  respiratory_rate: 16,
  spo2: 98,
  oxygen: false,
  systolic: 120,
  pulse: 70,
  consciousness: "A",
  temperature: 36.8,
};

export function scoreWith(changed: Partial<News2Values>, scale: 1 | 2 = 1) {
  const result = scoreNews2({ ...HEALTHY_VALUES, ...changed }, scale);
  if ("missing" in result) throw new Error(`Missing: ${result.missing.join()}`);
  return result;
}

export const scorePart = (name: News2Parameter, changed: Partial<News2Values>, scale: 1 | 2 = 1) =>
  scoreWith(changed, scale).parts[name];
