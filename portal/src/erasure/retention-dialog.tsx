// Form of a hospital's retention policy; no period may be shorter than the country requires.
import { useState } from "react";
import { Dialog } from "../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { NumberTextInput } from "../platform/design/number-text-input.tsx";
import { parseNumber } from "../platform/design/parse-number.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import { RECORD_KINDS, type RetentionPolicy, type RetentionSettings, saveRetention } from "./api.ts";

const MAX_YEARS = 100;
const [MIN_AGE, MAX_AGE] = [18, 120];

type Kind = (typeof RECORD_KINDS)[number];
type Draft = Record<Kind, string> & { age: string };

const toDraft = ({ years, minors_until_age }: RetentionPolicy): Draft => ({
  patient_record: String(years.patient_record),
  reports: String(years.reports),
  documents: String(years.documents),
  observations: String(years.observations),
  age: minors_until_age === null ? "" : String(minors_until_age),
});

const toWhole = (text: string): number => {
  const value = parseNumber(text);
  return value !== null && Number.isInteger(value) ? value : Number.NaN;
};

const toPolicy = (draft: Draft): RetentionPolicy => ({
  years: {
    patient_record: toWhole(draft.patient_record),
    reports: toWhole(draft.reports),
    documents: toWhole(draft.documents),
    observations: toWhole(draft.observations),
  },
  minors_until_age: draft.age.trim() === "" ? null : toWhole(draft.age),
});

/** @param settings when editing began: a policy that was changed since is not overwritten */
export function RetentionDialog({ settings: current, onClose }: { settings: RetentionSettings; onClose: () => void }) {
  const t = useTranslation();
  const [settings] = useState(current);
  const [draft, setDraft] = useState(() => toDraft(settings.in_force));
  const { hospital_id, minimum, version } = settings;
  const change = (name: keyof Draft) => (text: string) => setDraft((before) => ({ ...before, [name]: text }));
  const minimumAge = minimum.minors_until_age;

  function validate(): FieldErrors {
    const { years, minors_until_age: age } = toPolicy(draft);
    const errors = RECORD_KINDS.flatMap((kind) => {
      const min = minimum.years[kind];
      const isInRange = years[kind] >= min && years[kind] <= MAX_YEARS;
      return isInRange ? [] : [[`years.${kind}`, t("erasure.out_of_range", { min, max: MAX_YEARS })] as const];
    });
    const min = minimumAge ?? MIN_AGE;
    const isAge = age === null ? minimumAge === null : age >= min && age <= MAX_AGE;
    return Object.fromEntries(
      isAge ? errors : [...errors, ["minors_until_age", t("erasure.out_of_range", { min, max: MAX_AGE })]],
    );
  }

  const labels = {
    ...Object.fromEntries(RECORD_KINDS.map((kind) => [`years.${kind}`, t(`erasure.kind.${kind}`)])),
    minors_until_age: t("erasure.minors"),
  };
  return (
    <Dialog title={t("erasure.change_policy")} onClose={onClose}>
      <Form
        submitLabel={t("common.save")}
        validate={validate}
        onSubmit={() => saveRetention(hospital_id, version, toPolicy(draft)).then(onClose)}
        onCancel={onClose}
        labels={labels}
      >
        {(field) => (
          <>
            {RECORD_KINDS.map((kind) => (
              <NumberTextInput
                key={kind}
                {...field(`years.${kind}`)}
                label={t(`erasure.kind.${kind}`)}
                description={t("erasure.at_least_years", { n: minimum.years[kind] })}
                required
                value={draft[kind]}
                onText={change(kind)}
              />
            ))}
            <NumberTextInput
              {...field("minors_until_age")}
              label={t("erasure.minors")}
              description={minimumAge === null ? t("erasure.minors_hint") : t("erasure.at_least_age", { n: minimumAge })}
              required={minimumAge !== null}
              value={draft.age}
              onText={change("age")}
            />
          </>
        )}
      </Form>
    </Dialog>
  );
}
