// Emergency access: where clinical staff begin one, and the list of accesses.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import { toLatinDigits } from "../patients/latin-digits.ts";
import { patientQuery } from "../patients/record/use-patient-record.ts";
import { queryClient } from "../platform/api/query-client.ts";
import { type Column, DataTable } from "../platform/design/data-table.tsx";
import { formatDateTime } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { AccessState, ReaderName, RecordLink } from "./access-facts.tsx";
import { type EmergencyAccess, useEmergencyAccesses } from "./api.ts";
import { isClinical } from "./clinical.ts";
import classes from "./emergency.module.css";
import { useOwnReach } from "./emergency-offer.tsx";
import { StartDialog } from "./start-dialog.tsx";

const STATUSES = ["active", "ended"] as const;

export function EmergencyPage() {
  const t = useTranslation();
  const { role, is_privacy_officer } = useMe();
  const canList = isClinical(role) || is_privacy_officer;
  return (
    <Page title={t("emergency.title")}>
      {isClinical(role) && <StartCard />}
      <Card title={t(is_privacy_officer ? "emergency.list_hospital" : "emergency.list_own")}>
        {is_privacy_officer && (
          <p>
            <Link to="/privacy">{t("emergency.to_reviews")}</Link>
          </p>
        )}
        {canList ? <AccessList isOfficer={is_privacy_officer} /> : <p>{t("emergency.officers_only")}</p>}
      </Card>
    </Page>
  );
}

/** A patient number or an id. */
const REF_PATTERN = /^([1-9][0-9]{0,14}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

function StartCard() {
  const t = useTranslation();
  const navigate = useNavigate();
  const reach = useOwnReach();
  const [text, setText] = useState("");
  const [isInvalid, setIsInvalid] = useState(false);
  const [patient, setPatient] = useState<string | null>(null);
  function handleSubmit(event: FormEvent) {
    event.preventDefault();
    const ref = toLatinDigits(text.trim()).toLowerCase();
    const isValid = REF_PATTERN.test(ref);
    setIsInvalid(!isValid);
    setPatient(isValid ? ref : null);
  }
  function openRecord(patientId: string) {
    queryClient.removeQueries({ queryKey: patientQuery(patientId).queryKey });
    void navigate({ to: "/patients/$patientId", params: { patientId } });
  }
  return (
    <Card title={t("emergency.begin_title")}>
      <p>{t("emergency.begin_text")}</p>
      {reach && <p>{t(`emergency.reach_is.${reach}`)}</p>}
      <form onSubmit={handleSubmit} noValidate className={`${layout.stack} ${classes.form}`}>
        <TextInput
          label={t("emergency.patient")}
          description={t("emergency.patient_hint")}
          error={isInvalid && t("emergency.patient_wrong")}
          value={text}
          onChange={({ target }) => setText(target.value)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
        />
        <div>
          <Button type="submit" variant="outline" color="red">
            {t("emergency.begin")}
          </Button>
        </div>
      </form>
      {patient !== null && <StartDialog patient={patient} onOpened={openRecord} onClose={() => setPatient(null)} />}
    </Card>
  );
}

function AccessList({ isOfficer }: { isOfficer: boolean }) {
  const t = useTranslation();
  const search = useSearch({ from: "/signed-in/emergency" });
  const navigate = useNavigate({ from: "/emergency" });
  const status = STATUSES.find((one) => one === search.status) ?? null;
  const query = useEmergencyAccesses(status, true);
  const columns: Column<EmergencyAccess>[] = [
    { label: t("emergency.started"), cell: ({ started_at }) => formatDateTime(started_at) },
    ...(isOfficer ? [{ label: t("emergency.reader"), cell: (access: EmergencyAccess) => <ReaderName access={access} /> }] : []),
    { label: t("emergency.status"), cell: (access) => <AccessState access={access} /> },
    { label: t("emergency.reason"), cell: ({ reason }) => <span className={classes.text}>{reason}</span> },
    { label: t("emergency.record"), cell: (access) => <RecordLink access={access} /> },
    {
      label: t("emergency.details"),
      cell: ({ emergency_access_id: accessId }) => (
        <Link to="/emergency/$accessId" params={{ accessId }} className={layout.words}>
          {t("emergency.details")}
        </Link>
      ),
    },
  ];
  return (
    <>
      <div className={layout.filters}>
        <NativeSelect
          label={t("emergency.status")}
          value={status ?? ""}
          onChange={({ target }) => void navigate({ search: { status: target.value }, replace: true })}
          data={[
            { value: "", label: t("common.all") },
            ...STATUSES.map((value) => ({ value, label: t(`emergency.status.${value}`) })),
          ]}
        />
      </div>
      <DataTable
        label={t(isOfficer ? "emergency.list_hospital" : "emergency.list_own")}
        columns={columns}
        query={query}
        rowKey={({ emergency_access_id }) => emergency_access_id}
        isFiltered={status !== null}
        empty={t("emergency.none")}
      />
    </>
  );
}
