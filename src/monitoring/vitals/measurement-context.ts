// Where and during what a value was measured, as far as it changes what the value means.
import { CODES } from "./codes.ts";
import { ACTIVITIES, type Activity } from "./model.ts";

/**
 * Sites of a body temperature (FHIR Observation.bodySite, in words). At `core` ones a thermometer shows the temperature of the body; at
 * `skin` ones it shows that of the skin, which is 25 to 35 in a healthy person and is kept under its own LOINC code.
 */
const TEMPERATURE_SITES: Readonly<Record<string, "core" | "skin">> = {
  oral: "core",
  axilla: "core",
  ear: "core",
  forehead: "core",
  rectum: "core",
  bladder: "core",
  esophagus: "core",
  nasopharynx: "core",
  groin: "core",
  wrist: "skin",
  finger: "skin",
  forearm: "skin",
  upper_arm: "skin",
  chest: "skin",
  ankle: "skin",
  foot: "skin",
};
export const BODY_SITES = Object.keys(TEMPERATURE_SITES);

export { ACTIVITIES };

const EXERCISE: ReadonlySet<Activity> = new Set(["active", "during exercise"]);
/** Vitals whose limits depend on activity. */
export const ACTIVITY_CODES: ReadonlySet<string> = new Set([CODES.heart_rate, CODES.respiratory_rate]);

/** The code of a value measured at a site; null for a site that is unknown or says nothing about this vital. */
export function codeAtSite(code: string, site: unknown): string | null {
  if (site === undefined || site === null) return code;
  const kind = typeof site === "string" && Object.hasOwn(TEMPERATURE_SITES, site) ? TEMPERATURE_SITES[site] : undefined;
  if (code !== CODES.temperature || kind === undefined) return null;
  return kind === "skin" ? CODES.skin_temperature : code;
}

/** What a source says of the activity: undefined for nothing, null for words that are unknown or say nothing about this vital. */
export function readActivity(code: string, activity: unknown): Activity | undefined | null {
  if (activity === undefined || activity === null) return undefined;
  return (ACTIVITY_CODES.has(code) ? ACTIVITIES.find((known) => known === activity) : null) ?? null;
}

/** Whether a value was measured during physical activity. */
export const isDuringExercise = (activity: Activity | undefined) => activity !== undefined && EXERCISE.has(activity);
