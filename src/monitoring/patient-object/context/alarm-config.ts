// The configuration of the alarm rules for one patient, from its facts and the catalogue.
import { mergeLimits } from "../../alarm-rules/limits.ts";
import type { AlarmConfig } from "../../alarm-rules/model.ts";
import { REPEAT_SET_MS } from "../../alarm-rules/sustained-profile.ts";
import { getDefaultLimits } from "../../vitals/catalogue.ts";
import { NEWS2_WINDOW_MS } from "../../vitals/codes.ts";
import { HOME_CRITICAL_DELAYS, type LimitProfile } from "../../vitals/home-limits.ts";
import { AGE_BANDS, type AgeBand } from "../../vitals/model.ts";
import { isNews2Applicable } from "../../vitals/news2.ts";
import type { LimitsInForce } from "../contract.ts";
import type { Facts } from "./facts.ts";

const MINUTE_MS = 60_000;

/** Seconds without data after which a device counts as silent, by its kind. One that sends more slowly has longer: send-intervals.ts. */
const MAX_SILENCE_S: Record<string, number> = {
  bedside_monitor: 60,
  gateway: 120,
  wearable: 30 * 60,
  cpap: 30 * 60,
  bipap: 30 * 60,
  oxygen: 30 * 60,
};

/** Kinds of devices that measure all the time; a patient with one that sends is watched continuously unless a setting says otherwise. */
const CONTINUOUS_KINDS: ReadonlySet<string> = new Set(["bedside_monitor", "gateway"]);

/** The current age band: the next one if the band in the facts has ended. An unknown age counts as adult. */
export function currentAgeBand({ age }: Pick<Facts, "age">, now: number): AgeBand {
  if (!age) return "adult";
  if (age.until === null || now < age.until) return age.band;
  return AGE_BANDS[AGE_BANDS.indexOf(age.band) + 1] ?? "adult";
}

export function toNews2Config(facts: Facts, now: number): { scale: 1 | 2; window_ms: number } | null {
  if (!facts.age || !isNews2Applicable(currentAgeBand(facts, now), facts.pregnant)) return null;
  return { scale: facts.scale, window_ms: NEWS2_WINDOW_MS };
}

type Merged = { band: AgeBand; limits: ReturnType<typeof mergeLimits> };
/** Cache by facts, which are replaced and never changed: valid until the age band changes. */
const merged = new WeakMap<object, Merged>();

/** What determines the limits of a patient. */
type LimitsBasis = Pick<Facts, "age" | "overrides"> & { monitoring?: Facts["monitoring"] | undefined };

/** The default limits that apply: without monitoring, those of a ward. */
export const toLimitProfile = (monitoring: Facts["monitoring"] | undefined): LimitProfile =>
  monitoring === "home" ? "home" : "ward";

function toEffectiveLimits(facts: LimitsBasis, now: number): Merged["limits"] {
  const band = currentAgeBand(facts, now);
  const known = merged.get(facts);
  if (known?.band === band) return known.limits;
  const limits = mergeLimits(
    getDefaultLimits(band, toLimitProfile(facts.monitoring)),
    facts.overrides.ward,
    facts.overrides.patient,
  );
  merged.set(facts, { band, limits });
  return limits;
}

/** The limits in effect with the layer that set them, so that a reader sees that somebody changed them. */
export function listLimitsInForce(facts: LimitsBasis, now: number): LimitsInForce[] {
  const { ward, patient } = facts.overrides;
  return Object.entries(toEffectiveLimits(facts, now)).map(([code, { critical_low, low, high, critical_high, silence_s }]) => {
    const set_by = patient[code] ? "patient" : ward[code] ? "ward" : "default";
    return { code, critical_low, low, high, critical_high, silence_s, set_by };
  });
}

export function buildAlarmConfig(facts: Facts, now: number): AlarmConfig {
  const activeBindings = facts.bindings.filter(({ until }) => until === null);
  return {
    monitoring: facts.open ? facts.monitoring : "off",
    limits: toEffectiveLimits(facts, now),
    ...(facts.monitoring === "home" && { critical_delay_s: HOME_CRITICAL_DELAYS }),
    news2: toNews2Config(facts, now),
    watch: { mode: facts.watch.mode, grace_ms: facts.watch.graceMinutes * MINUTE_MS },
    sustained: facts.news2Profile === "sustained" ? { repeat_ms: REPEAT_SET_MS } : null,
    overdueAlarm: facts.overdueAlarm,
    trendMark: facts.trendMark,
    devices: Object.fromEntries(
      activeBindings.map(({ device, kind }) => [
        device,
        { silence_s: MAX_SILENCE_S[kind] ?? null, isContinuous: CONTINUOUS_KINDS.has(kind) },
      ]),
    ),
    ...facts.reminders,
  };
}
