// Minutes of escalation and repeat as text fields.
export const PRIORITIES = ["high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** As the service admits them (src/organization/escalation/schemas.ts). */
export const MINUTES = { min: 1, max: 240 } as const;
export const MAX_TIERS = 3;

const isMinutes = (value: number) => Number.isInteger(value) && value >= MINUTES.min && value <= MINUTES.max;

/** `3, 10` as numbers, each later than the one before; null for anything else. */
export function parseTierMinutes(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  const minutes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  const isIncreasing = minutes.every((value, i) => i === 0 || value > (minutes[i - 1] ?? 0));
  return minutes.length <= MAX_TIERS && minutes.every(isMinutes) && isIncreasing ? minutes : null;
}

/** Null for an empty text, which means never; undefined for anything that is not minutes. */
export function parseRepeat(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const value = /^\d{1,3}$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  return isMinutes(value) ? value : undefined;
}
