// Model of the limits editor: inherited and own limits of a ward or patient, and the effect of a change.
import { applyOverride, BOUND_FIELDS, NO_LIMITS } from "../../../../src/monitoring/alarm-rules/no-limits.ts";
import type { DefaultRule, EffectiveRules, LimitOverride, WardRule } from "./api.ts";

export type LimitValues = EffectiveRules["rules"][number]["limits"];
export type RuleLayer = "default" | "ward" | "patient";

export const TIMING_FIELDS = ["duration_s", "hysteresis", "rate_per_minute", "silence_s"] as const;
export const NUMBER_FIELDS = [...BOUND_FIELDS, ...TIMING_FIELDS] as const;
export const RULE_FIELDS = [...NUMBER_FIELDS, "trend"] as const;
export type NumberField = (typeof NUMBER_FIELDS)[number];
export type RuleField = (typeof RULE_FIELDS)[number];

export const isBound = (field: RuleField): field is (typeof BOUND_FIELDS)[number] =>
  BOUND_FIELDS.some((bound) => bound === field);
/** The only limits that can be switched off. */
export const canBeOff = (field: NumberField) => field !== "duration_s" && field !== "hysteresis";

/** Limits of one vital sign for one ward or patient. */
export type VitalRule = {
  code: string;
  name: string;
  unit: string;
  /** Effective limits; null when the vital sign has none. */
  limits: LimitValues | null;
  /** Effective limits without the own ones. */
  inherited: LimitValues;
  layers: Readonly<Record<RuleField, RuleLayer>>;
  inheritedLayers: Readonly<Record<RuleField, RuleLayer>>;
  own: LimitOverride;
  /** Version of the own rule; null when there is none. */
  version: number | null;
  plausible: { min: number; max: number } | null;
  /** Sources of the default limits. */
  source: string | null;
  changed: { by: string; at: string } | null;
};

const sourceLayers = (own: LimitOverride, layer: RuleLayer, lowerLayer: (field: RuleField) => RuleLayer) =>
  Object.fromEntries(RULE_FIELDS.map((field) => [field, own[field] === undefined ? lowerLayer(field) : layer])) as Record<
    RuleField,
    RuleLayer
  >;

/** @param vitals vital signs that can have limits, e.g. all those with adult limits: younger ages may lack some */
export function buildPatientRules(
  { rules }: EffectiveRules,
  defaults: readonly DefaultRule[],
  ward: readonly WardRule[],
  vitals: readonly DefaultRule[],
): VitalRule[] {
  return listRuleVitals(vitals, ward, rules).map(({ code, name, unit, plausible }) => {
    const rule = rules.find((one) => one.code === code);
    const defaultRule = defaults.find((one) => one.code === code);
    const wardLimits = ward.find((one) => one.code === code)?.limits ?? {};
    const own: LimitOverride = Object.fromEntries(
      RULE_FIELDS.flatMap((field) => (rule?.from[field] === "patient" ? [[field, rule.limits[field]]] : [])),
    );
    const inheritedLayers = sourceLayers(wardLimits, "ward", () => "default");
    return {
      code,
      name,
      unit,
      limits: rule?.limits ?? null,
      inherited: applyOverride(defaultRule?.limits ?? NO_LIMITS, wardLimits),
      inheritedLayers,
      layers: sourceLayers(own, "patient", (field) => inheritedLayers[field]),
      own,
      version: rule?.version ?? null,
      plausible,
      source: defaultRule?.source ?? null,
      changed: rule?.updated_by && rule.updated_at ? { by: rule.updated_by, at: rule.updated_at } : null,
    };
  });
}

export function buildWardRules(
  defaults: readonly DefaultRule[],
  ward: readonly WardRule[],
  vitals: readonly DefaultRule[],
): VitalRule[] {
  return listRuleVitals(vitals, ward, []).map(({ code, name, unit, plausible }) => {
    const defaultRule = defaults.find((one) => one.code === code);
    const rule = ward.find((one) => one.code === code);
    const own = rule?.limits ?? {};
    return {
      code,
      name,
      unit,
      limits: defaultRule || rule ? applyOverride(defaultRule?.limits ?? NO_LIMITS, own) : null,
      inherited: defaultRule?.limits ?? NO_LIMITS,
      inheritedLayers: sourceLayers({}, "default", () => "default"),
      layers: sourceLayers(own, "ward", () => "default"),
      own,
      version: rule?.version ?? null,
      plausible,
      source: defaultRule?.source ?? null,
      changed: rule ? { by: rule.updated_by, at: rule.updated_at } : null,
    };
  });
}

type RuleVital = { code: string; name: string; unit: string; plausible: { min: number; max: number } | null };

/** All catalogued vital signs with limits anywhere, and those limited only here. */
function listRuleVitals(vitals: readonly DefaultRule[], ward: readonly WardRule[], rules: EffectiveRules["rules"]): RuleVital[] {
  const known: RuleVital[] = [...vitals];
  for (const { code, name, unit } of [...rules, ...ward]) {
    if (name !== null && !known.some((one) => one.code === code)) known.push({ code, name, unit: unit ?? "", plausible: null });
  }
  return known;
}

export type LimitChange = { field: RuleField; before: number | boolean | null; after: number | boolean | null };

/** The effective limits if the own limits were these. */
export function diffLimits({ limits, inherited }: VitalRule, own: LimitOverride): LimitChange[] {
  const after = applyOverride(inherited, own);
  return RULE_FIELDS.map((field) => ({ field, before: (limits ?? NO_LIMITS)[field], after: after[field] })).filter(
    (change) => change.before !== change.after,
  );
}

/** Own limits equal to the inherited ones: previews a reset, because the preview API needs at least one limit. */
export const toInheritedOverride = ({ inherited }: VitalRule): LimitOverride => ({ ...inherited });

/** Whether fewer alarms are expected: a limit further out, or off. */
export function isLessStrict({ field, before, after }: LimitChange): boolean {
  if (after === null || after === false) return true;
  if (before === null || typeof before !== "number" || typeof after !== "number") return false;
  return field === "low" || field === "critical_low" ? after < before : after > before;
}
