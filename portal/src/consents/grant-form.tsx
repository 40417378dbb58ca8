// Answer to a request: which records, and as much of what was asked as the person wants to share. It cannot be wider.
import { useState } from "react";
import type { DocumentRequest } from "../document-requests/api.ts";
import { SELF_CARE_HOSPITAL_ID } from "../organization/hospitals/api.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { Consent, Grant } from "./api.ts";
import classes from "./consents.module.css";
import { DayFields } from "./day-fields.tsx";
import { KindFields } from "./kind-fields.tsx";
import { type RecordChoice, RecordFields, useRecordChoices } from "./record-fields.tsx";
import { fillOpenEnds, findDayFaults, toDays, toNarrowed, toShownDays } from "./scope-draft.ts";

/** `request`: the document request that the consent is for, which is about records of one hospital. */
type GrantFormProps = {
  consent: Consent;
  request: DocumentRequest | null;
  zone: string | undefined;
  onGrant: (grant: Grant) => Promise<void>;
};

/** A document request can be about records of the asked hospital alone. The person's own notes are at no hospital that could answer. */
function canShare({ hospitalId }: RecordChoice, { hospital_id }: Consent, request: DocumentRequest | null): boolean {
  if (hospitalId === hospital_id) return false;
  if (!request) return true;
  return request.hospital === null ? hospitalId !== SELF_CARE_HOSPITAL_ID : hospitalId === request.hospital.hospital_id;
}

export function GrantForm(props: GrantFormProps) {
  const { consent, request } = props;
  const t = useTranslation();
  const { query, toChoices } = useRecordChoices();
  return (
    <QueryBoundary query={query}>
      {(records) => {
        const choices = toChoices(records).filter((choice) => canShare(choice, consent, request));
        return choices.length === 0 ? (
          <p>{t(request?.hospital ? "requests.no_record_there" : "consents.no_records")}</p>
        ) : (
          <LoadedGrantForm {...props} choices={choices} />
        );
      }}
    </QueryBoundary>
  );
}

function LoadedGrantForm({ consent, request, zone, onGrant, choices }: GrantFormProps & { choices: readonly RecordChoice[] }) {
  const t = useTranslation();
  const asked = toDays(consent, zone);
  const shown = toShownDays(consent, zone);
  const [recordIds, setRecordIds] = useState<readonly string[]>([]);
  const [kinds, setKinds] = useState(consent.kinds);
  const [days, setDays] = useState(shown);
  const labels = {
    patient_ids: t(request ? "requests.which_record" : "consents.which_records"),
    kinds: t("consents.kinds"),
    data_from: t("consents.first_day"),
    data_until: t("consents.last_day"),
    expires_at: t("consents.last_access_day"),
  };
  function validate(): FieldErrors {
    const faults = Object.entries(findDayFaults(fillOpenEnds(days, consent, zone), asked, dayInZone(Date.now(), zone)));
    const hospitals = new Set(choices.filter(({ id }) => recordIds.includes(id)).map(({ hospitalId }) => hospitalId));
    return {
      ...(recordIds.length === 0 && { patient_ids: t("consents.fault.records") }),
      ...(request && hospitals.size > 1 && { patient_ids: t("requests.one_hospital") }),
      ...(kinds.length === 0 && { kinds: t("consents.fault.kinds") }),
      ...Object.fromEntries(faults.map(([field, fault]) => [field, t(fault)])),
    };
  }
  const submit = () =>
    onGrant({
      patient_ids: [...recordIds],
      ...(kinds.length < consent.kinds.length && { kinds }),
      ...toNarrowed(fillOpenEnds(days, consent, zone), consent, zone),
    });
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("consents.answer_text")}</p>
      <Form submitLabel={t(request ? "requests.agree" : "consents.grant")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <>
            <RecordFields
              label={labels.patient_ids}
              choices={choices}
              value={recordIds}
              onChange={setRecordIds}
              {...field("patient_ids")}
            />
            {!request && (
              <KindFields label={labels.kinds} choices={consent.kinds} value={kinds} onChange={setKinds} {...field("kinds")} />
            )}
            <DayFields days={days} onChange={setDays} limits={shown} isAsked field={field} labels={labels} />
          </>
        )}
      </Form>
    </div>
  );
}
