// Shortest retention periods by country. Sources: docs/retention.md, which is no legal advice.

/** Kinds of data with a retention period of their own. `patient_record`: identity, history, intake, care team, settings. */
export const RECORD_KINDS = ["patient_record", "reports", "documents", "observations"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export type RetentionPolicy = {
  /** Years after the newest entry of the kind. */
  years: Record<RecordKind, number>;
  /** Entries about a minor are kept at least until this age; null: as those about adults. */
  minors_until_age: number | null;
};

type Requirement = { years: number; minorsUntilAge: number | null };

/** For a country that is not listed: as long as the longest listed one, for minors counted from the age of 18. */
const DEFAULT_REQUIREMENT: Requirement = { years: 10, minorsUntilAge: 28 };

/** By ISO 3166-1 alpha-2. */
const REQUIREMENTS: ReadonlyMap<string, Requirement> = new Map([
  ["DE", { years: 10, minorsUntilAge: null }],
  ["GB", { years: 8, minorsUntilAge: 26 }],
  ["IN", { years: 3, minorsUntilAge: null }],
]);

/** The country whose requirement applies; null for the default. */
export const jurisdictionOf = (country: string | null): string | null =>
  country !== null && REQUIREMENTS.has(country) ? country : null;

/** The shortest policy that a hospital of this country may have. */
export function minimumPolicy(country: string | null): RetentionPolicy {
  const { years, minorsUntilAge } = REQUIREMENTS.get(country ?? "") ?? DEFAULT_REQUIREMENT;
  return {
    years: { patient_record: years, reports: years, documents: years, observations: years },
    minors_until_age: minorsUntilAge,
  };
}

/** The longer of both for each period: the country of a hospital may change after its policy was set. */
export function longerPolicy(a: RetentionPolicy, b: RetentionPolicy): RetentionPolicy {
  const longer = (kind: RecordKind) => Math.max(a.years[kind], b.years[kind]);
  return {
    years: {
      patient_record: longer("patient_record"),
      reports: longer("reports"),
      documents: longer("documents"),
      observations: longer("observations"),
    },
    minors_until_age:
      a.minors_until_age === null && b.minors_until_age === null
        ? null
        : Math.max(a.minors_until_age ?? 0, b.minors_until_age ?? 0),
  };
}
