// Form in which staff asks a patient for access to records of other hospitals.
import { NativeSelect, Textarea } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { CONSENT_KINDS, CONSENT_PURPOSES } from "../../../src/platform/db/vocabulary.ts";
import { useIdempotencyKey } from "../devices/use-idempotency-key.ts";
import { usePatientNumberAndZone } from "../patients/record/use-patient-record.ts";
import { withErrorMessages } from "../platform/api/problem.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { Card, Page } from "../platform/design/page.tsx";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { announce } from "../shell/announcer.tsx";
import { type ConsentRequest, requestConsent } from "./api.ts";
import type { ConsentKind } from "./consent-facts.tsx";
import classes from "./consents.module.css";
import { DayFields } from "./day-fields.tsx";
import { KindFields } from "./kind-fields.tsx";
import { findDayFaults, NO_DAYS, requestLimits, toInstants } from "./scope-draft.ts";

const MAX_REASON_LENGTH = 500;
type Purpose = ConsentRequest["purpose"];
/** An emergency does not wait for an answer. */
const PURPOSES: readonly Purpose[] = CONSENT_PURPOSES.filter((purpose) => purpose !== "BTG");

export function RequestConsentPage() {
  const t = useTranslation();
  const { patientId } = useParams({ from: "/signed-in/patients/$patientId/other-hospitals/new" });
  const { number, zone } = usePatientNumberAndZone(patientId);
  return (
    <Page title={t("consents.ask")} windowTitle={t("consents.ask_for", { n: number })}>
      <p>
        <Link to="/patients/$patientId/other-hospitals" params={{ patientId }}>
          {t("consents.back_to_others")}
        </Link>
      </p>
      <Card>
        <RequestForm patientId={patientId} zone={zone} />
      </Card>
    </Page>
  );
}

function RequestForm({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const navigate = useNavigate();
  const getKey = useIdempotencyKey();
  const [purpose, setPurpose] = useState<Purpose | "">("");
  const [kinds, setKinds] = useState<readonly ConsentKind[]>([]);
  const [days, setDays] = useState(NO_DAYS);
  const [reason, setReason] = useState("");
  const today = dayInZone(Date.now(), zone);
  const limits = requestLimits(today);
  const labels = {
    purpose: t("consents.purpose"),
    kinds: t("consents.kinds_asked"),
    data_from: t("consents.first_day"),
    data_until: t("consents.last_day"),
    expires_at: t("consents.last_access_day"),
    reason: t("consents.reason"),
  };
  function validate(): FieldErrors {
    const faults = Object.entries(findDayFaults(days, limits, today));
    return {
      ...(purpose === "" && { purpose: t("common.required_choice") }),
      ...(kinds.length === 0 && { kinds: t("consents.fault.kinds") }),
      ...Object.fromEntries(faults.map(([field, fault]) => [field, t(fault)])),
      ...(reason.trim() === "" && { reason: t("common.required") }),
    };
  }
  async function submit(): Promise<void> {
    if (purpose === "") return;
    const request = { patient_id: patientId, purpose, kinds: [...kinds], reason: reason.trim(), ...toInstants(days, zone) };
    await withErrorMessages(requestConsent(request, getKey(request)), {
      limit_reached: t("consents.too_many"),
      asked_too_often: t("consents.asked_too_often"),
    });
    announce(t("consents.sent"));
    await navigate({ to: "/patients/$patientId/other-hospitals", params: { patientId } });
  }
  return (
    <div className={`${layout.stack} ${classes.form}`}>
      <p className={layout.note}>{t("consents.to_patient")}</p>
      <Form submitLabel={t("consents.send")} validate={validate} onSubmit={submit} labels={labels}>
        {(field) => (
          <>
            <NativeSelect
              label={labels.purpose}
              value={purpose}
              onChange={({ currentTarget: { value } }) => setPurpose(PURPOSES.find((one) => one === value) ?? "")}
              data={[
                { value: "", label: t("consents.choose_purpose") },
                ...PURPOSES.map((value) => ({ value, label: translateCode("consents.purpose", value) })),
              ]}
              {...field("purpose")}
            />
            <KindFields label={labels.kinds} choices={CONSENT_KINDS} value={kinds} onChange={setKinds} {...field("kinds")} />
            <DayFields days={days} onChange={setDays} limits={limits} field={field} labels={labels} />
            <Textarea
              label={labels.reason}
              description={t("consents.reason_hint")}
              maxLength={MAX_REASON_LENGTH}
              value={reason}
              onChange={({ currentTarget: { value } }) => setReason(value)}
              {...field("reason")}
            />
          </>
        )}
      </Form>
    </div>
  );
}
