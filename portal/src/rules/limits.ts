// Limits as somebody edits them: what is inherited, what this ward or patient has of its own, and what a change would do.
import { NO_LIMITS } from "../../../src/monitoring/alarm-rules/no-limits.ts";
import type { Default, Effective, Override, WardRule } from "./api.ts";

export type Limits = Effective["rules"][number]["limits"];
export type Layer = "default" | "ward" | "patient";

export const BOUNDS = ["critical_low", "low", "high", "critical_high"] as const;
export const MANNERS = ["duration_s", "hysteresis", "rate_per_minute", "silence_s"] as const;
export const NUMBERS = [...BOUNDS, ...MANNERS] as const;
export const FIELDS = [...NUMBERS, "trend"] as const;
export type NumberField = (typeof NUMBERS)[number];
export type Field = (typeof FIELDS)[number];

export const isBound = (field: Field): field is (typeof BOUNDS)[number] => BOUNDS.some((bound) => bound === field);
/** These alone can be switched off. */
export const canBeOff = (field: NumberField) => field !== "duration_s" && field !== "hysteresis";

/** The limits of one vital, in one ward or of one patient. */
export type VitalRule = {
  code: string;
  name: string;
  unit: string;
  /** In force; null where the vital has none at all. */
  limits: Limits | null;
  /** What is in force without the own ones. */
  inherited: Limits;
  from: Readonly<Record<Field, Layer>>;
  inheritedFrom: Readonly<Record<Field, Layer>>;
  own: Override;
  /** Of the own rule; null for none. */
  version: number | null;
  plausible: { min: number; max: number } | null;
  /** Where the default comes from. */
  source: string | null;
  changed: { by: string; at: string } | null;
};

const over = (base: Limits, own: Override): Limits => ({
  ...base,
  ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
});
const layers = (own: Override, layer: Layer, beneath: (field: Field) => Layer) =>
  Object.fromEntries(FIELDS.map((field) => [field, own[field] === undefined ? beneath(field) : layer])) as Record<Field, Layer>;

/** @param vitals those that can have limits, e.g. all that an adult has some of: an age may lack some */
export function rulesOfPatient(
  { rules }: Effective,
  defaults: readonly Default[],
  ward: readonly WardRule[],
  vitals: readonly Default[],
): VitalRule[] {
  return vitalsOf(vitals, ward, rules).map(({ code, name, unit, plausible }) => {
    const rule = rules.find((one) => one.code === code);
    const preset = defaults.find((one) => one.code === code);
    const wards = ward.find((one) => one.code === code)?.limits ?? {};
    const own: Override = Object.fromEntries(
      FIELDS.flatMap((field) => (rule?.from[field] === "patient" ? [[field, rule.limits[field]]] : [])),
    );
    const inheritedFrom = layers(wards, "ward", () => "default");
    return {
      code,
      name,
      unit,
      limits: rule?.limits ?? null,
      inherited: over(preset?.limits ?? NO_LIMITS, wards),
      inheritedFrom,
      from: layers(own, "patient", (field) => inheritedFrom[field]),
      own,
      version: rule?.version ?? null,
      plausible,
      source: preset?.source ?? null,
      changed: rule?.updated_by && rule.updated_at ? { by: rule.updated_by, at: rule.updated_at } : null,
    };
  });
}

export function rulesOfWard(defaults: readonly Default[], ward: readonly WardRule[], vitals: readonly Default[]): VitalRule[] {
  return vitalsOf(vitals, ward, []).map(({ code, name, unit, plausible }) => {
    const preset = defaults.find((one) => one.code === code);
    const rule = ward.find((one) => one.code === code);
    const own = rule?.limits ?? {};
    return {
      code,
      name,
      unit,
      limits: preset || rule ? over(preset?.limits ?? NO_LIMITS, own) : null,
      inherited: preset?.limits ?? NO_LIMITS,
      inheritedFrom: layers({}, "default", () => "default"),
      from: layers(own, "ward", () => "default"),
      own,
      version: rule?.version ?? null,
      plausible,
      source: preset?.source ?? null,
      changed: rule ? { by: rule.updated_by, at: rule.updated_at } : null,
    };
  });
}

type Named = { code: string; name: string; unit: string; plausible: { min: number; max: number } | null };

/** All vitals of the catalogue that are limited anywhere, and those that only somebody here has limited. */
function vitalsOf(vitals: readonly Default[], ward: readonly WardRule[], rules: Effective["rules"]): Named[] {
  const known: Named[] = [...vitals];
  for (const { code, name, unit } of [...rules, ...ward]) {
    if (name !== null && !known.some((one) => one.code === code)) known.push({ code, name, unit: unit ?? "", plausible: null });
  }
  return known;
}

export type Change = { field: Field; before: number | boolean | null; after: number | boolean | null };

/** What would be in force otherwise if the own limits were these. */
export function changesOf({ limits, inherited }: VitalRule, own: Override): Change[] {
  const after = over(inherited, own);
  return FIELDS.map((field) => ({ field, before: (limits ?? NO_LIMITS)[field], after: after[field] })).filter(
    (change) => change.before !== change.after,
  );
}

/** The own limits that say all that is inherited: for a preview of taking the own ones back, which cannot be asked with none. */
export const asInherited = ({ inherited }: VitalRule): Override => ({ ...inherited });

/** Whether fewer alarms must be expected: a limit further out, or off. */
export function isLooser({ field, before, after }: Change): boolean {
  if (after === null || after === false) return true;
  if (before === null || typeof before !== "number" || typeof after !== "number") return false;
  return field === "low" || field === "critical_low" ? after < before : after > before;
}
