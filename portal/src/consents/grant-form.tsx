// Answer to a request: which records, and as much of what was asked as the person wants to share. It cannot be wider.
import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { SELF_CARE_HOSPITAL_ID } from "../organization/hospitals/api.ts";
import { formatRecord, useRecords } from "../patients/own-record/my-page.tsx";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { Consent, Grant } from "./api.ts";
import classes from "./consents.module.css";
import { DayFields } from "./day-fields.tsx";
import { KindFields } from "./kind-fields.tsx";
import { findDayFaults, toDays, toNarrowed } from "./scope-draft.ts";

/** A record that the person can choose. */
type Choice = { id: string; label: string };
type GrantFormProps = { consent: Consent; zone: string | undefined; onGrant: (grant: Grant) => Promise<void> };

export function GrantForm({ consent, zone, onGrant }: GrantFormProps) {
  const t = useTranslation();
  const query = useRecords();
  const { patients } = useMe();
  const hospitalOf = ({ patient_id, hospital_id }: { patient_id: string; hospital_id: string }) =>
    hospital_id === SELF_CARE_HOSPITAL_ID
      ? t("consents.own_entries")
      : patients.find((own) => own.patient_id === patient_id)?.hospital_name;
  return (
    <QueryBoundary query={query}>
      {({ items }) => {
        const choices = items
          .filter(({ hospital_id }) => hospital_id !== consent.hospital_id)
          .map((record) => ({ id: record.patient_id, label: formatRecord(record, hospitalOf(record), t) }));
        return choices.length === 0 ? (
          <p>{t("consents.no_records")}</p>
        ) : (
          <LoadedGrantForm consent={consent} zone={zone} onGrant={onGrant} choices={choices} />
        );
      }}
    </QueryBoundary>
  );
}

function LoadedGrantForm({ consent, zone, onGrant, choices }: GrantFormProps & { choices: readonly Choice[] }) {
  const t = useTranslation();
  const asked = toDays(consent, zone);
  const [recordIds, setRecordIds] = useState<readonly string[]>([]);
  const [kinds, setKinds] = useState(consent.kinds);
  const [days, setDays] = useState(asked);
  const labels = {
    patient_ids: t("consents.which_records"),
    kinds: t("consents.kinds"),
    data_from: t("consents.first_day"),
    data_until: t("consents.last_day"),
    expires_at: t("consents.last_access_day"),
  };
  function validate(): FieldErrors {
    const faults = Object.entries(findDayFaults(days, asked, dayInZone(Date.now(), zone)));
    return {
      ...(recordIds.length === 0 && { patient_ids: t("consents.fault.records") }),
      ...(kinds.length === 0 && { kinds: t("consents.fault.kinds") }),
      ...Object.fromEntries(faults.map(([field, fault]) => [field, t(fault)])),
    };
  }
  const submit = () =>
    onGrant({
      patient_ids: [...recordIds],
      ...(kinds.length < consent.kinds.length && { kinds }),
      ...toNarrowed(days, consent, zone),
    });
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("consents.answer_text")}</p>
      <Form submitLabel={t("consents.grant")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <>
            <Checkbox.Group
              label={labels.patient_ids}
              description={t("consents.which_records_hint")}
              error={field("patient_ids").error}
              value={[...recordIds]}
              onChange={setRecordIds}
            >
              <div className={classes.choices}>
                {choices.map(({ id, label }, i) => (
                  // The error summary links to the first checkbox.
                  <Checkbox key={id} {...(i === 0 && { id: field("patient_ids").id })} value={id} label={label} />
                ))}
              </div>
            </Checkbox.Group>
            <KindFields label={labels.kinds} choices={consent.kinds} value={kinds} onChange={setKinds} {...field("kinds")} />
            <DayFields days={days} onChange={setDays} limits={asked} isAsked field={field} labels={labels} />
          </>
        )}
      </Form>
    </div>
  );
}
