// Form in which staff asks another hospital for documents of a patient.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ChangeEvent, useState } from "react";
import { CONSENT_PURPOSES } from "../../../src/platform/db/vocabulary.ts";
import { useIdempotencyKey } from "../devices/use-idempotency-key.ts";
import { isDocumentType } from "../documents/api.ts";
import { listTypeChoices } from "../documents/document-list.tsx";
import { HospitalField } from "../organization/hospitals/hospital-select.tsx";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { withErrorMessages } from "../platform/api/problem.ts";
import { Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { QueryBoundary } from "../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { createRequest, useAskableHospitals } from "./api.ts";
import {
  findFaults,
  lastAccessDay,
  MAX_DESCRIPTION_LENGTH,
  newDraft,
  type RequestDraft,
  todayIn,
  toRequest,
} from "./request-draft.ts";
import classes from "./requests.module.css";

/** An emergency does not wait for an answer. */
const PURPOSES = CONSENT_PURPOSES.filter((purpose) => purpose !== "BTG");

export function NewRequestPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/documents/request" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page title={t("requests.ask_title")} windowTitle={t("requests.ask_of", { n: number })}>
      <p>
        <Link to="/patients/$patientId/documents" params={{ patientId }}>
          {t("documents.back")}
        </Link>
      </p>
      <Card>
        <RequestForm patientId={patientId} zone={zone} />
      </Card>
    </Page>
  );
}

type FormProps = { patientId: string; zone: string | undefined };

function RequestForm({ patientId, zone }: FormProps) {
  const t = useTranslation();
  const navigate = useNavigate();
  const getKey = useIdempotencyKey();
  const today = todayIn(zone);
  const [draft, setDraft] = useState(() => newDraft(today));
  const labels = {
    hospital_id: t("requests.hospital"),
    type: t("requests.type"),
    description: t("requests.description"),
    date_from: t("requests.first_day"),
    date_to: t("requests.last_day"),
    purpose: t("requests.purpose"),
    expires_at: t("consents.last_access_day"),
  };
  const validate = () => Object.fromEntries(Object.entries(findFaults(draft, today)).map(([path, fault]) => [path, t(fault)]));
  async function submit(): Promise<void> {
    const request = toRequest(patientId, draft, zone);
    const messages = { limit_reached: t("consents.too_many"), asked_too_often: t("consents.asked_too_often") };
    const requestId = await withErrorMessages(createRequest(request, getKey(request)), messages);
    announce(t("requests.sent"));
    await navigate({ to: "/requests/$requestId", params: { requestId } });
  }
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("requests.ask_text")}</p>
      <Form submitLabel={t("requests.send")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <RequestFields
            draft={draft}
            onChange={(part) => setDraft({ ...draft, ...part })}
            field={field}
            labels={labels}
            lastDay={lastAccessDay(today)}
          />
        )}
      </Form>
    </div>
  );
}

type FieldsProps = {
  draft: RequestDraft;
  onChange: (part: Partial<RequestDraft>) => void;
  field: (path: string) => { id: string; error: string | undefined };
  labels: Record<"hospital_id" | "type" | "description" | "date_from" | "date_to" | "purpose" | "expires_at", string>;
  lastDay: string;
};

function RequestFields({ draft, onChange, field, labels, lastDay }: FieldsProps) {
  const t = useTranslation();
  const dayInput = (part: "from" | "until" | "expires") => ({
    type: "date",
    value: draft[part],
    onChange: ({ currentTarget: { value } }: ChangeEvent<HTMLInputElement>) => onChange({ [part]: value }),
  });
  return (
    <>
      <HospitalInput
        label={labels.hospital_id}
        value={draft.hospitalId}
        onChange={(hospitalId) => onChange({ hospitalId })}
        {...field("hospital_id")}
      />
      <NativeSelect
        label={labels.type}
        value={draft.type}
        onChange={({ currentTarget: { value } }) => onChange({ type: isDocumentType(value) ? value : "" })}
        data={[{ value: "", label: t("requests.any_type") }, ...listTypeChoices()]}
        {...field("type")}
      />
      <Textarea
        label={labels.description}
        description={t("requests.description_hint")}
        maxLength={MAX_DESCRIPTION_LENGTH}
        autosize
        minRows={3}
        value={draft.description}
        onChange={({ currentTarget: { value } }) => onChange({ description: value })}
        {...field("description")}
      />
      <TextInput label={labels.date_from} description={t("requests.optional")} {...dayInput("from")} {...field("date_from")} />
      <TextInput label={labels.date_to} description={t("requests.optional")} {...dayInput("until")} {...field("date_to")} />
      <NativeSelect
        label={labels.purpose}
        value={draft.purpose}
        onChange={({ currentTarget: { value } }) => onChange({ purpose: PURPOSES.find((one) => one === value) ?? "" })}
        data={[
          { value: "", label: t("consents.choose_purpose") },
          ...PURPOSES.map((value) => ({ value, label: translateCode("consents.purpose", value) })),
        ]}
        {...field("purpose")}
      />
      <TextInput label={labels.expires_at} max={lastDay} {...dayInput("expires")} {...field("expires_at")} />
    </>
  );
}

type HospitalInputProps = { id: string; error: string | undefined; label: string; value: string; onChange: (id: string) => void };

function HospitalInput(input: HospitalInputProps) {
  const t = useTranslation();
  const query = useAskableHospitals();
  return (
    <QueryBoundary query={query}>
      {(hospitals) => (
        <>
          <HospitalField
            {...input}
            emptyLabel={t("requests.patient_chooses")}
            choices={hospitals.map(({ hospital_id, name }) => ({ value: hospital_id, label: name }))}
          />
          <p className={layout.note}>{t("requests.hospital_hint")}</p>
        </>
      )}
    </QueryBoundary>
  );
}
