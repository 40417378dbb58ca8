// Form in which a person shares records without a request: with a hospital, a practitioner there, or by a code.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CONSENT_KINDS } from "../../../src/platform/db/vocabulary.ts";
import { useMe } from "../accounts/session/use-session.ts";
import { SELF_CARE_HOSPITAL_ID } from "../organization/hospitals/api.ts";
import { listPractitioners } from "../patients/own-record/api.ts";
import { NAMES_STALE_MS } from "../platform/api/query-client.ts";
import { Form } from "../platform/design/form.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { OneTimeSecretDialog } from "../platform/design/one-time-secret-dialog.tsx";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { NewCode } from "./api.ts";
import classes from "./consents.module.css";
import { DayFields } from "./day-fields.tsx";
import { useWards } from "./guardians/api.ts";
import { KindFields } from "./kind-fields.tsx";
import { type RecordChoice, RecordFields, useRecordChoices } from "./record-fields.tsx";
import { BY_CODE, useShareDraft } from "./use-share-draft.ts";

export function SharePage() {
  const t = useTranslation();
  const { query, toChoices } = useRecordChoices();
  return (
    <Page title={t("consents.share")}>
      <p>
        <Link to="/me/consents">{t("consents.all_mine")}</Link>
      </p>
      <Card>
        <QueryBoundary query={query}>{(records) => <ShareForm records={toChoices(records)} />}</QueryBoundary>
      </Card>
    </Page>
  );
}

/** Those that have a record of the person, or of somebody whose guardian they are. */
function useOwnHospitals(): { value: string; label: string }[] {
  const { patients } = useMe();
  const wards = useWards();
  const names = new Map([...patients, ...wards].map(({ hospital_id, hospital_name }) => [hospital_id, hospital_name]));
  names.delete(SELF_CARE_HOSPITAL_ID);
  return [...names].map(([value, label]) => ({ value, label }));
}

function ShareForm({ records }: { records: readonly RecordChoice[] }) {
  const t = useTranslation();
  const { draft, change, limits, validate, submit, newCode } = useShareDraft();
  const { target, ownId, practitionerId, recordIds, kinds, days } = draft;
  const recordsThere = records.filter(({ hospitalId }) => hospitalId === target);
  const labels = {
    hospital_id: t("consents.share_with"),
    patient_id: t("consents.share_for"),
    patient_ids: t("consents.which_records"),
    kinds: t("consents.kinds"),
    data_from: t("consents.first_day"),
    data_until: t("consents.last_day"),
    expires_at: t("consents.last_access_day"),
  };
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("consents.share_text")}</p>
      <Form
        submitLabel={t("consents.share_now")}
        validate={() => validate(recordsThere.length > 1)}
        onSubmit={submit}
        labels={labels}
      >
        {(field) => (
          <>
            <TargetSelect
              label={labels.hospital_id}
              value={target}
              // A hospital is not shared its own records.
              onChange={(chosen) => change({ target: chosen, ownId: "", practitionerId: "", recordIds: [] })}
              {...field("hospital_id")}
            />
            {recordsThere.length > 1 && (
              <NativeSelect
                label={labels.patient_id}
                description={t("consents.share_for_hint")}
                value={ownId}
                onChange={({ currentTarget }) => change({ ownId: currentTarget.value })}
                data={[
                  { value: "", label: t("consents.choose_record") },
                  ...recordsThere.map(({ id, label }) => ({ value: id, label })),
                ]}
                {...field("patient_id")}
              />
            )}
            {target !== "" && target !== BY_CODE && (
              <PractitionerSelect
                hospitalId={target}
                value={practitionerId}
                onChange={(chosen) => change({ practitionerId: chosen })}
              />
            )}
            <RecordFields
              label={labels.patient_ids}
              choices={records.filter(({ hospitalId }) => hospitalId !== target)}
              value={recordIds}
              onChange={(chosen) => change({ recordIds: chosen })}
              {...field("patient_ids")}
            />
            <KindFields
              label={labels.kinds}
              choices={CONSENT_KINDS}
              value={kinds}
              onChange={(chosen) => change({ kinds: chosen })}
              {...field("kinds")}
            />
            <DayFields
              days={days}
              onChange={(chosen) => change({ days: chosen })}
              limits={limits}
              field={field}
              labels={labels}
            />
          </>
        )}
      </Form>
      {newCode && <NewCodeDialog newCode={newCode} />}
    </div>
  );
}

function NewCodeDialog({ newCode: { code, valid_until } }: { newCode: NewCode }) {
  const t = useTranslation();
  const navigate = useNavigate();
  return (
    <OneTimeSecretDialog
      title={t("consents.code_title")}
      label={t("consents.code")}
      value={code}
      onClose={() => void navigate({ to: "/me/consents" })}
    >
      <p>{t("consents.code_text", { until: formatDateTime(valid_until) })}</p>
    </OneTimeSecretDialog>
  );
}

type TargetSelectProps = {
  id: string;
  error: string | undefined;
  label: string;
  value: string;
  onChange: (target: string) => void;
};

function TargetSelect({ value, onChange, ...input }: TargetSelectProps) {
  const t = useTranslation();
  const hospitals = useOwnHospitals();
  return (
    <NativeSelect
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      data={[{ value: "", label: t("consents.choose_hospital") }, ...hospitals, { value: BY_CODE, label: t("consents.by_code") }]}
      {...input}
    />
  );
}

type PractitionerSelectProps = { hospitalId: string; value: string; onChange: (practitionerId: string) => void };

/** All staff who see the own record, or one practitioner with a public profile. */
function PractitionerSelect({ hospitalId, value, onChange }: PractitionerSelectProps) {
  const t = useTranslation();
  const { data } = useQuery({ queryKey: ["me", "practitioners"], queryFn: listPractitioners, staleTime: NAMES_STALE_MS });
  const there = data?.items.filter(({ hospital }) => hospital.hospital_id === hospitalId) ?? [];
  return (
    <NativeSelect
      label={t("consents.reader")}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      data={[
        { value: "", label: t("consents.all_readers") },
        ...there.map(({ practitioner_id, full_name }) => ({ value: practitioner_id, label: full_name })),
      ]}
    />
  );
}
