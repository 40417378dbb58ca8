// Form in which a person shares records without a request: with a hospital, a practitioner there, or by a code.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { CONSENT_KINDS } from "../../../src/platform/db/vocabulary.ts";
import { useMe } from "../accounts/session/use-session.ts";
import { useIdempotencyKey } from "../devices/use-idempotency-key.ts";
import { SELF_CARE_HOSPITAL_ID } from "../organization/hospitals/api.ts";
import { listPractitioners } from "../patients/own-record/api.ts";
import { withErrorMessages } from "../platform/api/problem.ts";
import { NAMES_STALE_MS } from "../platform/api/query-client.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { OneTimeSecretDialog } from "../platform/design/one-time-secret-dialog.tsx";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { createOffer, type NewCode, shareRecords } from "./api.ts";
import type { ConsentKind } from "./consent-facts.tsx";
import classes from "./consents.module.css";
import { DayFields } from "./day-fields.tsx";
import { KindFields } from "./kind-fields.tsx";
import { type RecordChoice, RecordFields, useRecordChoices } from "./record-fields.tsx";
import { findDayFaults, NO_DAYS, requestLimits, toInstants } from "./scope-draft.ts";

const BY_CODE = "code";

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

/** Those that have a record of the person. */
function useOwnHospitals(): { value: string; label: string }[] {
  const { patients } = useMe();
  const names = new Map(patients.map(({ hospital_id, hospital_name }) => [hospital_id, hospital_name]));
  names.delete(SELF_CARE_HOSPITAL_ID);
  return [...names].map(([value, label]) => ({ value, label }));
}

function ShareForm({ records }: { records: readonly RecordChoice[] }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const getKey = useIdempotencyKey();
  const hospitals = useOwnHospitals();
  const [target, setTarget] = useState("");
  const [practitionerId, setPractitionerId] = useState("");
  const [recordIds, setRecordIds] = useState<readonly string[]>([]);
  const [kinds, setKinds] = useState<readonly ConsentKind[]>([]);
  const [days, setDays] = useState(NO_DAYS);
  const [newCode, setNewCode] = useState<NewCode | null>(null);
  const today = dayInZone(Date.now());
  const limits = requestLimits(today);
  const choices = records.filter(({ hospitalId }) => hospitalId !== target);
  const chosenIds = recordIds.filter((id) => choices.some((choice) => choice.id === id));
  const labels = {
    hospital_id: t("consents.share_with"),
    patient_ids: t("consents.which_records"),
    kinds: t("consents.kinds"),
    data_from: t("consents.first_day"),
    data_until: t("consents.last_day"),
    expires_at: t("consents.last_access_day"),
  };
  function validate(): FieldErrors {
    const faults = Object.entries(findDayFaults(days, limits, today));
    return {
      ...(target === "" && { hospital_id: t("common.required_choice") }),
      ...(chosenIds.length === 0 && { patient_ids: t("consents.fault.records") }),
      ...(kinds.length === 0 && { kinds: t("consents.fault.kinds") }),
      ...Object.fromEntries(faults.map(([field, fault]) => [field, t(fault)])),
    };
  }
  async function send(): Promise<void> {
    const scope = { patient_ids: chosenIds, kinds: [...kinds], ...toInstants(days) };
    if (target === BY_CODE) return setNewCode(await createOffer(scope));
    const share = { hospital_id: target, ...(practitionerId && { practitioner_id: practitionerId }), ...scope };
    const consentId = await shareRecords(share, getKey(share));
    await navigate({ to: "/me/consents/$consentId", params: { consentId } });
  }
  const submit = () =>
    withErrorMessages(send(), {
      conflict: t("consents.not_shareable"),
      recipient_unavailable: t("consents.recipient_gone"),
      limit_reached: t(target === BY_CODE ? "consents.too_many_codes" : "consents.too_many_live"),
    });
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("consents.share_text")}</p>
      <Form submitLabel={t("consents.share_now")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <>
            <NativeSelect
              label={labels.hospital_id}
              value={target}
              onChange={({ currentTarget: { value } }) => {
                setTarget(value);
                setPractitionerId("");
              }}
              data={[
                { value: "", label: t("consents.choose_hospital") },
                ...hospitals,
                { value: BY_CODE, label: t("consents.by_code") },
              ]}
              {...field("hospital_id")}
            />
            {target !== "" && target !== BY_CODE && (
              <PractitionerSelect hospitalId={target} value={practitionerId} onChange={setPractitionerId} />
            )}
            <RecordFields
              label={labels.patient_ids}
              choices={choices}
              value={chosenIds}
              onChange={setRecordIds}
              {...field("patient_ids")}
            />
            <KindFields label={labels.kinds} choices={CONSENT_KINDS} value={kinds} onChange={setKinds} {...field("kinds")} />
            <DayFields days={days} onChange={setDays} limits={limits} field={field} labels={labels} />
          </>
        )}
      </Form>
      {newCode && (
        <OneTimeSecretDialog
          title={t("consents.code_title")}
          label={t("consents.code")}
          value={newCode.code}
          onClose={() => void navigate({ to: "/me/consents" })}
        >
          <p>{t("consents.code_text", { until: formatDateTime(newCode.valid_until) })}</p>
        </OneTimeSecretDialog>
      )}
    </div>
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
